//! Recorded plans: what they refuse, how they print, what they cost.

use std::collections::HashMap;

use crate::harness::{Small, backends, first_step, network, run_one};
use gpunet::low_level::data::Normalization;
use gpunet::low_level::data::{DataShape, FeatureType};
use gpunet::low_level::kernels::kernel::{Access, DType};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::kernels::{Activate, Sgd};
use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::model::{Model, Recording, TrainingOptions};
use gpunet::low_level::nn::network::{Network, PerLayer};
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::plan::{Phase, Plan, PlanBuilder, Role, Tensor, When};

const HEADLINE: &str = "784-3000-2500-2000-1500-1000-500-10";

fn builder() -> PlanBuilder {
    PlanBuilder::new()
}

#[test]
fn a_launch_must_fit_its_tensors() {
    let mut plan = builder();
    let [a, b] = ["a", "b"].map(|name| plan.tensor(name, &[10], DType::F32, Role::Param));
    let scale = plan.tensor("scale", &[5], DType::F32, Role::Data);
    plan.launch(Phase::Train, Sgd { length: 11 }, &[a, b, scale]);
    assert!(plan.finish().unwrap_err().problem.contains("needs 11 elements, tensor a has 10"));

    let mut plan = builder();
    let a = plan.tensor("a", &[10], DType::F32, Role::Param);
    let b = plan.tensor("b", &[10], DType::U32, Role::Param);
    plan.launch(Phase::Train, Sgd { length: 10 }, &[a, b, a]);
    assert!(plan.finish().unwrap_err().problem.contains("slot gradients is F32, tensor b is U32"));

    let mut plan = builder();
    let a = plan.tensor("a", &[10], DType::F32, Role::Param);
    plan.launch(Phase::Train, Sgd { length: 10 }, &[a]);
    assert!(plan.finish().unwrap_err().problem.contains("1 arguments for 3"));
}

/// WebGPU's rule: not even disjoint ranges of one buffer may be read and written in one dispatch.
#[test]
fn a_buffer_is_not_read_and_written_at_once() {
    let mut plan = builder();
    let arena = plan.arena("arena", Role::Param, &[("a".into(), vec![64]), ("b".into(), vec![64])]);
    let scale = plan.tensor("scale", &[5], DType::F32, Role::Data);
    plan.launch(Phase::Train, Sgd { length: 64 }, &[&arena.parts[..], &[scale]].concat());
    assert!(plan.finish().unwrap_err().problem.contains("shares its buffer"));
}

/// A tensor that a kernel must have in single precision stays so, and with it no kernel gets some activations in half
/// precision and some not.
#[test]
fn half_precision_is_refused_where_a_kernel_would_get_some_of_both() {
    let mut plan = builder();
    let [a, b] = ["a", "b"].map(|name| plan.tensor(name, &[10], DType::F32, Role::Activation));
    let [p, scale] = [("p", 10), ("scale", 5)].map(|(name, len)| plan.tensor(name, &[len], DType::F32, Role::Param));
    plan.launch_specialised(Phase::Train, Activate { length: 10 }, &[0], &[a, b]);
    plan.launch(Phase::Train, Sgd { length: 10 }, &[p, b, scale]);
    let error = plan.finish().unwrap().in_precision(Precision::F16).unwrap_err();
    assert!(error.problem.contains("some of its activations are in half precision"), "{error}");
}

#[test]
fn names_are_unique_and_tensors_not_empty() {
    let mut plan = builder();
    plan.tensor("a", &[1], DType::F32, Role::Param);
    plan.tensor("a", &[1], DType::F32, Role::Param);
    assert!(plan.finish().unwrap_err().problem.contains("two tensors are called a"));
    let mut plan = builder();
    plan.tensor("a", &[3, 0], DType::F32, Role::Param);
    assert!(plan.finish().unwrap_err().problem.contains("empty"));
}

#[test]
fn arenas_align_their_parts() {
    let mut plan = builder();
    let arena =
        plan.arena("arena", Role::Param, &[("a".into(), vec![3, 5]), ("b".into(), vec![64]), ("c".into(), vec![1])]);
    let plan = plan.finish().unwrap();
    let offsets: Vec<usize> = arena.parts.iter().map(|&part| plan.tensor(part).offset).collect();
    assert_eq!((offsets, plan.tensor(arena.whole).len()), (vec![0, 64, 128], 192));
}

/// Weights before biases in memory, so that one launch regularizes them all; handles stay in the order of the
/// parameters.
#[test]
fn weights_lie_at_the_front_of_the_arenas() {
    let regularization = Regularization { l2: 0.1, ..Regularization::default() };
    let options = TrainingOptions { batch: 2, regularization, ..TrainingOptions::default() };
    let small = Small::with("5-4-3", &options);
    let plan = &small.recording.plan;
    let laid_out: Vec<(&str, usize)> = small
        .recording
        .parameters
        .iter()
        .map(|&tensor| (plan.tensor(tensor).name.as_str(), plan.tensor(tensor).offset))
        .collect();
    let expected = [("layers.0.weight", 0), ("layers.0.bias", 128), ("layers.1.weight", 64), ("layers.1.bias", 192)];
    assert_eq!(laid_out, expected);
    let offsets = |tensors: &[Tensor]| tensors.iter().map(|&tensor| plan.tensor(tensor).offset).collect::<Vec<_>>();
    assert_eq!(offsets(&small.recording.gradients), offsets(&small.recording.parameters));

    let launch = plan.launches(Phase::Train).iter().find(|launch| launch.kernel.name == "regularize").unwrap();
    assert_eq!(launch.params.last(), Some(&(64 + 12)), "it ends with the last weight");
}

/// What changes gradients or parameters waits for the last batch of an update.
#[test]
fn updates_come_in_order_and_only_at_the_end_of_an_update() {
    let regularization = Regularization { l1: 0.1, max_norm: Some(1.0), ..Regularization::default() };
    let clipping = Clipping { norm: Some(1.0), value: Some(1.0) };
    let names = |optimizer, regularization, clipping| {
        let options = TrainingOptions { batch: 2, optimizer, regularization, clipping, ..TrainingOptions::default() };
        let launches = Small::with("5-4-3", &options).recording.plan.launches(Phase::Train).to_vec();
        let updates = launches.into_iter().filter(|launch| launch.when == When::Update);
        updates.map(|launch| launch.kernel.name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(Optimizer::sgd(), regularization, clipping),
        ["clip_value", "gradient_norm", "clip_norm", "regularize", "sgd", "max_norm", "max_norm"]
    );
    let off = (Regularization::default(), Clipping::default());
    assert_eq!(names(Optimizer::adam(), off.0, off.1), ["adam"]);
    let adamw = Optimizer::named("adamw").unwrap();
    assert_eq!(names(adamw, off.0, off.1), ["regularize", "adam"], "AdamW brings a weight decay");
    let without = Regularization { weight_decay: Some(0.0), ..off.0 };
    assert_eq!(names(adamw, without, off.1), ["adam"]);
}

#[test]
fn constants_are_loaded_with_the_plan_and_never_written() {
    let mut plan = builder();
    let weights = plan.constant("weights", vec![0.5, -1.0, 3.0], Role::Data);
    let plan = plan.finish().unwrap();
    for (name, backend) in backends() {
        let mut program = backend.load(&plan).unwrap();
        assert_eq!(program.slow_read_f32(weights).unwrap(), [0.5, -1.0, 3.0], "{name}");
    }

    let mut plan = builder();
    let parameters = plan.constant("parameters", vec![1.0; 4], Role::Param);
    let gradients = plan.tensor("gradients", &[4], DType::F32, Role::Grad);
    let scale = plan.tensor("scale", &[5], DType::F32, Role::Data);
    plan.launch(Phase::Train, Sgd { length: 4 }, &[parameters, gradients, scale]);
    assert!(
        plan.finish().unwrap_err().problem.contains("slot parameters is written, but tensor parameters is a constant")
    );
}

#[test]
fn plans_print_every_launch() {
    let text = Small::new("5-4-3", 2, Optimizer::adam(), 1.0).recording.plan.to_string();
    for line in [
        "phase train",
        "dense_forward(input=inputs, weight=layers.0.weight, bias=layers.0.bias, output=layers.0.output) \
         {rows=2, inputs=5, outputs=4} <activation=1>",
        "dense_input_grad(output_grad=logits_grad, weight=layers.1.weight, kept=layers.0.output, \
         input_grad=layers.1.input_grad) {rows=2, inputs=4, outputs=3} <activation=1>",
        "layers.0.weight              [4, 5]           f32  parameters",
    ] {
        assert!(text.contains(line), "{line}\nin\n{text}");
    }
    assert!(!text.contains("layers.0.input_grad"), "the first layer's input gradient is never needed");
}

#[test]
fn plans_serialise() {
    let json = serde_json::to_value(&Small::new("5-3", 2, Optimizer::sgd(), 1.0).recording.plan).unwrap();
    assert_eq!(json["phases"][1][0]["kernel"], "gather");
    assert_eq!(json["tensors"][0]["name"], "features");
}

/// By hand: products 2 * 256 * inputs * outputs, three a layer less the first layer's input gradient.
#[test]
fn headline_costs_are_those_on_paper() {
    let model = Model::new(&HEADLINE.parse().unwrap());
    assert_eq!(model.parameter_count(), 19_867_510);
    let data = DataShape {
        train: 55_000,
        examples: 70_000,
        features: 784,
        values: FeatureType::Bytes,
        normalization: Normalization::UNIT,
    };
    let options = TrainingOptions { batch: 256, optimizer: Optimizer::adam(), ..TrainingOptions::default() };
    let plan = model.record_training(data, &options).unwrap().plan;

    let sizes: Vec<u64> = model.arch().shapes().iter().map(|shape| shape.len() as u64).collect();
    let weights: u64 = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let products = 2 * 256 * (3 * weights - 784 * 3000);
    let units: u64 = sizes[1..].iter().sum();
    let arena = plan.tensor(plan.find("parameters").unwrap()).len() as u64;
    let adam = 15 * arena;
    assert_eq!(plan.flops(Phase::Train), products + 256 * units + adam);

    let bytes = |role| plan.memory().tensors.iter().find(|(found, _)| *found == role).unwrap().1;
    assert_eq!(bytes(Role::Param), arena * 4);
    assert_eq!(bytes(Role::State), arena * 8);
    assert_eq!(bytes(Role::Data), 70_000 * 784 + 70_000 * 4 * 2 + 784 * 4 * 2 + 10 * 4 + 2 * 5 * 4);
    // Outputs of every layer, gradients of all but the first, and the logits' gradient: [256, .] each.
    let hidden: u64 = units - 10;
    assert_eq!(bytes(Role::Activation), 256 * 4 * (units + hidden + 10));
    assert!((19_867_510..19_867_510 + 14 * 64).contains(&arena), "alignment adds less than 64 elements a tensor");
}

/// Architectures with every kind of layer, and options with every kind of launch.
fn sharing() -> Vec<Small> {
    let archs = ["9-21-33-7-3", "1x8x9-5C3p1-MP2-7C3-AP2s1-9-4", "2x7x6-6C3s2p2-BN-MP3s2p1-5C1-LN-GAP-4"];
    let clipping = Clipping { norm: Some(0.1), value: Some(0.5) };
    let optimizer = Optimizer::adam();
    let dropout = PerLayer::All(0.3);
    let options = TrainingOptions { batch: 6, optimizer, clipping, ..TrainingOptions::default() };
    archs.map(|arch| Small::of(&Network { dropout: dropout.clone(), ..network(arch) }, &options)).into()
}

/// A tensor is read only where it is the last that was written in its buffer, in every phase.
#[test]
fn tensors_that_share_a_buffer_never_hold_values_at_the_same_time() {
    for small in sharing() {
        let plain = &small.recording.plan;
        let plan = small.recording.clone().with_shared_buffers().plan;
        let bytes = |plan: &Plan| plan.memory().total();
        assert!(bytes(&plan) < bytes(plain), "{}", small.model.arch());
        for phase in Phase::ALL {
            let mut owners: HashMap<usize, Tensor> = HashMap::new();
            for launch in plan.launches(phase) {
                let args = || launch.kernel.slots.iter().zip(&launch.args);
                let is_shared = |tensor| {
                    let of = |plan: &Plan| plan.buffers()[plan.tensor(tensor).buffer].name.clone();
                    of(&plan) != of(plain)
                };
                for (slot, &arg) in args().filter(|(slot, arg)| slot.access == Access::Read && is_shared(**arg)) {
                    let owner = owners.get(&plan.tensor(arg).buffer);
                    assert_eq!(owner, Some(&arg), "{}: slot {}", plan.render(launch), slot.name);
                }
                for (_, &arg) in args().filter(|(slot, _)| slot.access.writes()) {
                    owners.insert(plan.tensor(arg).buffer, arg);
                }
            }
        }
    }
}

#[test]
fn sharing_buffers_changes_no_bit() {
    for small in sharing() {
        for (name, backend) in backends() {
            let outcome = |recording: &Recording| {
                let mut program = backend.load(&recording.plan).unwrap();
                small.fill(program.as_mut());
                let steps = [0, 6, 0].map(|start| first_step(start, 6, &Optimizer::adam()));
                let metrics = steps.map(|step| run_one(program.as_mut(), Phase::Train, &step));
                let evaluated = run_one(program.as_mut(), Phase::Eval, &first_step(3, 5, &Optimizer::adam()));
                let read = recording.parameters.iter().chain([&recording.logits]);
                let values: Vec<_> = read.map(|&tensor| program.slow_read_f32(tensor).unwrap()).collect();
                (metrics, evaluated, values)
            };
            let shared = small.recording.clone().with_shared_buffers();
            assert!(outcome(&small.recording) == outcome(&shared), "{name}, {}", small.model.arch());
        }
    }
}

/// By hand: when the gradient of the 33 units is made, the outputs of the 21 and of the 33 and the gradient of the 7
/// are still needed; all others but the logits, which are kept, and their gradient find room in those four.
#[test]
fn activations_take_as_much_as_the_fullest_launch_needs() {
    let small = Small::new("9-21-33-7-3", 6, Optimizer::sgd(), 1.0);
    let plan = small.recording.clone().with_shared_buffers().plan;
    let of_activations = plan.buffers().iter().filter(|buffer| buffer.role == Role::Activation);
    let mut widths: Vec<usize> = of_activations.map(|buffer| buffer.len / 6).collect();
    widths.sort();
    assert_eq!(widths, [3, 3, 7, 21, 33, 33]);
}
