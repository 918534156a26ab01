//! A launch that was found right, ready to be timed.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gpunet::low_level::backend::parity::check_case;
use gpunet::low_level::backend::{Backend, Program};
use gpunet::low_level::kernels::kernel::Access;
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::plan::{Data, Phase, Tensor};

use super::launches::TimedLaunch;

/// Replays after which what a launch updates in place is written anew: a thousand decays in a row still leave normal floats, whereas
/// subnormal ones, which training does not have, would slow a CPU down.
const REPLAYS: usize = 1024;

/// A plan of one launch, replayed by [`Program::run`] as training replays its steps.
///
/// On a GPU that is up to 128 launches a submission, one submission encoded while another runs, so that what a replay takes is what the
/// device takes for it, without the host's part; launches wait for each other, as they do in a step. Timestamps would
/// tell the same, but want a pass a launch and a submission a step, between which a GPU falls asleep. On the CPU it is one visit to the
/// pool's threads for many launches. Inputs stay where the launch before left them: what fits in a cache is found there.
pub struct Trial {
    program: Box<dyn Program>,
    /// What the launch updates in place, as it was at first.
    updated: Vec<(Tensor, Vec<f32>)>,
    steps: Vec<Step>,
    /// Replays until that is written anew.
    left: usize,
}

impl Trial {
    /// Loads a launch and compares what it writes with the CPU's reference in f64. An error says what differs, or why the device cannot.
    pub fn of(launch: &TimedLaunch, backend: &dyn Backend) -> Result<Trial, String> {
        let (kernel, case) = (launch.kernel(), launch.case());
        let (program, comparison) = check_case(backend, kernel, &case).map_err(|error| error.to_string())?;
        if let Some(failure) = comparison.failure {
            return Err(failure);
        }
        let args = &program.plan().launches(Phase::Train)[0].args;
        let slots = kernel.slots.iter().zip(args).zip(&case.inputs).enumerate();
        let updated = slots.filter(|(_, ((slot, _), _))| slot.access == Access::ReadWrite);
        let updated = updated.map(|(number, ((_, &tensor), input))| {
            let length = program.plan().tensor(tensor).len();
            (tensor, input.floats(number, length).expect("what is updated in place are floats"))
        });
        Ok(Trial { updated: updated.collect(), steps: vec![case.step; REPLAYS], left: 0, program })
    }

    /// What so many replays take.
    pub fn time(&mut self, replays: u64) -> Duration {
        let (mut took, mut to_go) = (Duration::ZERO, replays as usize);
        while to_go > 0 {
            if self.left == 0 {
                self.renew();
            }
            let count = to_go.min(self.left);
            let begun = Instant::now();
            self.replay(count);
            took += begun.elapsed();
            to_go -= count;
            self.left -= count;
        }
        took
    }

    fn renew(&mut self) {
        for (tensor, values) in &self.updated {
            self.program.write(*tensor, Data::F32(values)).expect("the device takes values");
        }
        // What is written reaches a GPU with the next submission, which therefore is not timed.
        self.replay(1);
        self.left = REPLAYS;
    }

    fn replay(&mut self, count: usize) {
        let logged = &mut |_: &_| ControlFlow::Continue(());
        self.program.run(Phase::Train, &self.steps[..count], logged).expect("the device goes on");
    }
}
