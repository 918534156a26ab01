//! What has diverged must show: no clipping, penalty or optimizer turns a gradient that is no number into a good parameter.

mod harness;

use gpunet::clipping::Clipping;
use gpunet::model::TrainingOptions;
use gpunet::optim::Optimizer;
use gpunet::plan::{Data, Phase, When};
use gpunet::regularization::Regularization;
use harness::{Small, backends, first_step};

/// On every backend, the parameter of a NaN gradient becomes NaN, and no other does.
#[test]
fn a_nan_gradient_reaches_its_parameter() {
    const AT: usize = 3;
    let regularization = Regularization { l1: 1e-3, l2: 1e-2, weight_decay: Some(0.1), max_norm: Some(1.0) };
    let clipping = Clipping { norm: Some(0.5), value: Some(0.1) };
    for optimizer in Optimizer::all() {
        let options = TrainingOptions { batch: 4, optimizer, regularization, clipping, ..TrainingOptions::default() };
        let small = Small::with("6-5-3", &options);
        let (plan, parameters) = (&small.recording.plan, &small.recording.parameters);
        for (name, backend) in backends() {
            let mut program = backend.load(plan).unwrap();
            small.fill(program.as_mut());
            let mut gradient = vec![0.01; plan.tensor(parameters[0]).len()];
            gradient[AT] = f32::NAN;
            program.write(small.recording.gradients[0], Data::F32(&gradient)).unwrap();
            for (index, launch) in plan.launches(Phase::Train).iter().enumerate() {
                if launch.when == When::Update {
                    program.run_launch(Phase::Train, index, &first_step(0, 4, &optimizer)).unwrap();
                }
            }
            for (number, &tensor) in parameters.iter().enumerate() {
                for (index, value) in program.slow_read_f32(tensor).unwrap().into_iter().enumerate() {
                    let struck = (number, index) == (0, AT);
                    assert_eq!(value.is_nan(), struck, "{name}, {optimizer}: parameter {number}[{index}] is {value}");
                }
            }
        }
    }
}
