//! Divergence must show: no clipping, penalty or optimizer may turn a value beyond f32 into a plausible parameter.

use gpunet::low_level::backend::Backend;
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::plan::{Data, Phase, When};

use crate::harness::{Small, backends, first_step};

/// The element of the first parameter whose gradient is set.
const AT: usize = 3;

/// Runs one update with this gradient at [`AT`] and 0.01 elsewhere. Returns all parameters in one vector.
fn update(small: &Small, backend: &dyn Backend, optimizer: &Optimizer, gradient: f32) -> Vec<f32> {
    let (plan, parameters) = (&small.recording.plan, &small.recording.parameters);
    let mut program = backend.load(plan).unwrap();
    small.fill(program.as_mut());
    for (number, &tensor) in small.recording.gradients.iter().enumerate() {
        let mut gradients = vec![0.01; plan.tensor(tensor).len()];
        if number == 0 {
            gradients[AT] = gradient;
        }
        program.write(tensor, Data::F32(&gradients)).unwrap();
    }
    for (index, launch) in plan.launches(Phase::Train).iter().enumerate() {
        if launch.when == When::Update {
            program.run_launch(Phase::Train, index, &first_step(0, 4, optimizer)).unwrap();
        }
    }
    parameters.iter().flat_map(|&tensor| program.slow_read_f32(tensor).unwrap()).collect()
}

/// On every backend, a parameter gets the value that f64 gives, or one that is not finite.
#[test]
fn a_gradient_beyond_f32_gives_the_correct_parameter_or_none() {
    let penalties = Regularization { l1: 1e-3, l2: 1e-2, weight_decay: Some(0.1), max_norm: None };
    let settings = [
        (penalties, Clipping { norm: None, value: Some(0.1) }),
        (Regularization::default(), Clipping::default()),
        (Regularization::default(), Clipping { norm: Some(0.5), value: None }),
        (Regularization { max_norm: Some(1.0), ..penalties }, Clipping { norm: Some(0.5), value: Some(0.1) }),
        (Regularization { max_norm: Some(1.0), ..penalties }, Clipping::default()),
    ];
    let backends = backends();
    for (optimizer, (regularization, clipping)) in
        Optimizer::all().into_iter().flat_map(|optimizer| settings.map(|setting| (optimizer, setting)))
    {
        let options = TrainingOptions { batch: 4, optimizer, regularization, clipping, ..TrainingOptions::default() };
        let small = Small::with("6-5-3", &options);
        let reference = CpuBackend::<f64>::new(None).unwrap();
        for gradient in [f32::NAN, f32::NEG_INFINITY, 1e25] {
            let expected = update(&small, &reference, &optimizer, gradient);
            for (name, backend) in &backends {
                let parameters = update(&small, backend.as_ref(), &optimizer, gradient);
                let setting = format!("{name}, {optimizer}, {regularization:?}, {clipping:?}, gradient {gradient}");
                for (index, (value, expected)) in parameters.iter().zip(&expected).enumerate() {
                    let correct = (value - expected).abs() <= 1e-6 + 1e-4 * expected.abs();
                    assert!(correct || !value.is_finite(), "{setting}: [{index}] is {value}, not {expected}");
                }
                assert!(gradient.is_finite() || !parameters[AT].is_finite(), "{setting}: {}", parameters[AT]);
                // Other parameters are affected only if they share a norm; Muon scales each matrix by its own.
                let scaled = clipping.norm.is_some() || regularization.max_norm.is_some();
                let alone = !scaled && !matches!(optimizer, Optimizer::Muon(_));
                let others = parameters.iter().enumerate().filter(|&(index, _)| index != AT);
                assert!(!alone || others.clone().all(|(_, value)| value.is_finite()), "{setting}: {parameters:?}");
            }
        }
    }
}
