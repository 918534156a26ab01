//! The launches that are timed. They come from recorded training steps, so all shapes occur in training.

use std::cmp::Reverse;

use gpunet::low_level::data::Normalization;
use gpunet::low_level::data::{DataShape, FeatureType};
use gpunet::low_level::kernels::KERNELS;
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::kernels::kernel::{Case, Kernel};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::nn::arch::Arch;
use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::loss::Loss;
use gpunet::low_level::nn::model::{Model, TrainingOptions};
use gpunet::low_level::nn::network::{Network, PerLayer};
use gpunet::low_level::nn::optim::{Momentum, Optimizer};
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::plan::{Launch, Phase, Plan};

/// `(name, architecture, batch)`: the largest dense and the largest convolutional network of `benches/compare`, and
/// LeNet with average pooling as in its paper (LeCun et al., "Gradient-based learning applied to document recognition",
/// 1998).
const NETWORKS: [(&str, &str, usize); 4] = [
    ("headline", HEADLINE, 256),
    ("batch-norm", "1x28x28-32C3p1-BN-32C3p1-BN-MP2-64C3p1-BN-64C3p1-BN-MP2-128-BN-10", 128),
    ("layer-norm", "1x28x28-32C3p1-LN-MP2-64C3p1-LN-MP2-512-LN-10", 128),
    ("lenet", "1x28x28-6C5p2-AP2-16C5-AP2-120-84-10", 128),
];

const HEADLINE: &str = "784-3000-2500-2000-1500-1000-500-10";

/// Number of shapes timed per kernel: those with the most work.
const SHAPES: usize = 2;

/// A launch to time.
pub struct TimedLaunch {
    /// Name of the network.
    pub network: &'static str,
    /// The tensor that the launch writes, with its dimensions.
    pub output: String,
    launch: Launch,
    step: Step,
}

/// The work of a launch, in the unit that limits its time.
pub enum Work {
    /// Floating-point operations of a matrix product.
    Flops(u64),
    /// Bytes moved, for all other kernels.
    Bytes(u64),
}

impl TimedLaunch {
    pub fn kernel(&self) -> &'static Kernel {
        self.launch.kernel
    }

    pub fn work(&self) -> Work {
        let Launch { kernel, params, .. } = &self.launch;
        match (kernel.product)(params) {
            Some(_) => Work::Flops((kernel.flops)(params)),
            None => Work::Bytes((kernel.bytes)(params)),
        }
    }

    /// The parity case of this shape.
    pub fn case(&self) -> Case {
        let Launch { kernel, params, constants, .. } = &self.launch;
        (kernel.case)(params, &self.output).constants(constants.clone()).step(self.step)
    }
}

/// All kernels with their largest launches.
///
/// # Panics
///
/// If no recorded plan launches a kernel.
pub fn of_every_kernel() -> Vec<(&'static Kernel, Vec<TimedLaunch>)> {
    let mut launches: Vec<TimedLaunch> = plans().into_iter().flat_map(launches_of).collect();
    launches.sort_by_key(|launch| match launch.work() {
        Work::Flops(count) | Work::Bytes(count) => Reverse(count),
    });
    let of_kernel = |&kernel: &&'static Kernel| {
        let (own, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut launches).into_iter().partition(|launch| launch.kernel().name == kernel.name);
        launches = others;
        let mut shapes = Vec::new();
        let mut timed = own;
        timed.retain(|TimedLaunch { launch, .. }| {
            let shape = (kernel.lengths)(&launch.params);
            let is_new = !shapes.contains(&shape);
            shapes.push(shape);
            is_new
        });
        timed.truncate(SHAPES);
        assert!(
            !timed.is_empty(),
            "no plan in benches/kernels/launches.rs launches {}: record one that does",
            kernel.name
        );
        (kernel, timed)
    };
    KERNELS.iter().map(of_kernel).collect()
}

/// A recorded step: name of the network, plan, and the scalars of the first update.
type Recorded = (&'static str, Plan, Step);

fn launches_of((network, plan, step): Recorded) -> Vec<TimedLaunch> {
    let launches = [Phase::Shuffle, Phase::Train].into_iter().flat_map(|phase| plan.launches(phase));
    let timed = |launch: &Launch| {
        let written = launch.kernel.slots.iter().zip(&launch.args).find(|(slot, _)| slot.access.writes());
        let (_, &tensor) = written.expect("a kernel writes something");
        let info = plan.tensor(tensor);
        let dimensions: Vec<String> = info.shape.iter().map(usize::to_string).collect();
        let output = format!("{} {}", info.name, dimensions.join("x"));
        TimedLaunch { network, output, launch: launch.clone(), step }
    };
    launches.map(timed).collect()
}

/// The plain networks, the headline network with fused updates, and the headline network with every optimizer, every
/// loss and every option that adds launches.
fn plans() -> Vec<Recorded> {
    let network = |arch: &str| Network::from(arch.parse::<Arch>().expect("an architecture"));
    let plain = NETWORKS.map(|(name, arch, batch)| {
        let options = TrainingOptions { batch, optimizer: Optimizer::adam(), ..TrainingOptions::default() };
        record(name, &network(arch), &options, FeatureType::Bytes)
    });
    let of_floats = record(
        "lenet",
        &network(NETWORKS[3].1),
        &TrainingOptions { batch: 128, ..TrainingOptions::default() },
        FeatureType::F32,
    );
    let with_options = Optimizer::all().into_iter().zip(Loss::ALL.into_iter().cycle()).map(|(optimizer, loss)| {
        let dropout = PerLayer::All(0.5);
        let network = Network { activation: PerLayer::All(Activation::Gelu), dropout, ..network(HEADLINE) };
        let options = TrainingOptions {
            batch: 256,
            optimizer,
            loss,
            regularization: Regularization { l1: 1e-5, l2: 1e-4, weight_decay: Some(0.01), max_norm: Some(3.0) },
            clipping: Clipping { norm: Some(1.0), value: Some(0.5) },
            // F16 adds the launches of the loss scale. All launches are timed in single precision.
            precision: Precision::F16,
            ..TrainingOptions::default()
        };
        record("headline with options", &network, &options, FeatureType::Bytes)
    });
    // Fused updates: gradient and optimizer in one kernel.
    let fused = [Optimizer::sgd(), Optimizer::Momentum(Momentum::default()), Optimizer::adam()].map(|optimizer| {
        let options = TrainingOptions { batch: 256, optimizer, fuse_updates: true, ..TrainingOptions::default() };
        record("headline", &network(HEADLINE), &options, FeatureType::Bytes)
    });
    plain.into_iter().chain([of_floats]).chain(fused).chain(with_options).collect()
}

fn record(name: &'static str, network: &Network, options: &TrainingOptions, values: FeatureType) -> Recorded {
    let features = network.arch.inputs();
    // The size of MNIST.
    let data = DataShape { train: 55_000, examples: 70_000, features, values, normalization: Normalization::UNIT };
    let recording = Model::of(network).record_training(data, options).expect("a plan");
    let mut step = Step { seed_low: 1, epoch: 1, ..Step::batch(0, options.batch as u32) };
    options.optimizer.set_scalars(&mut step, 1, 1.0);
    (name, recording.plan, step)
}
