//! When gradients become zero, the optimizers' moving averages become zero too. They must not stay subnormal, since
//! processors are slow with subnormal numbers.

use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::{Data, Phase, When};

use crate::harness::{Small, backends, first_step};

#[test]
fn moving_averages_do_not_stay_subnormal() {
    for optimizer in Optimizer::all() {
        let small = Small::with("6-5-3", &TrainingOptions { batch: 4, optimizer, ..TrainingOptions::default() });
        let plan = &small.recording.plan;
        for (name, backend) in backends() {
            let mut program = backend.load(plan).unwrap();
            for &state in &small.recording.state {
                // The smallest normal number: 0.999 times it is subnormal.
                program.write(state, Data::F32(&vec![f32::MIN_POSITIVE; plan.tensor(state).len()])).unwrap();
            }
            for (index, launch) in plan.launches(Phase::Train).iter().enumerate() {
                if launch.when == When::Update {
                    program.run_launch(Phase::Train, index, &first_step(0, 4, &optimizer)).unwrap();
                }
            }
            for &state in &small.recording.state {
                let values = program.slow_read_f32(state).unwrap();
                let subnormal = values.iter().find(|value| value.is_subnormal());
                assert!(subnormal.is_none(), "{name}, {optimizer}: {subnormal:?} in {}", plan.tensor(state).name);
            }
        }
    }
}
