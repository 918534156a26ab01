//! A launch with verified results, ready to be timed.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gpunet::low_level::backend::parity::check_case;
use gpunet::low_level::backend::{Backend, Program};
use gpunet::low_level::kernels::kernel::Access;
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::plan::{Data, Phase, Tensor};

use super::launches::TimedLaunch;

/// Replays after which the tensors updated in place are reset. A thousand decays in a row still leave normal floats.
/// Subnormal floats, which training does not have, would slow a CPU down.
const REPLAYS: usize = 1024;

/// A plan of one launch, replayed by [`Program::run`] as training replays its steps.
///
/// On a GPU, a submission has up to 128 launches, and one submission is encoded while another runs. So the time per
/// replay is device time, without the host's share. Launches wait for each other, as they do in a step. Timestamps
/// would measure the same, but they need one pass per launch and one submission per step, between which a GPU becomes
/// idle. On the CPU, many launches need only one hand-over to the thread pool. Inputs stay where the previous launch
/// left them, so small ones are found in a cache.
pub struct Trial {
    program: Box<dyn Program>,
    /// The tensors that the launch updates in place, with their initial values.
    updated: Vec<(Tensor, Vec<f32>)>,
    steps: Vec<Step>,
    /// Replays until these tensors are reset.
    left: usize,
}

impl Trial {
    /// Loads a launch and compares its results with the CPU's reference in f64.
    ///
    /// # Errors
    ///
    /// If the results differ, or the device cannot run the launch.
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
            (tensor, input.floats(number, length).expect("tensors updated in place hold floats"))
        });
        Ok(Trial { updated: updated.collect(), steps: vec![case.step; REPLAYS], left: 0, program })
    }

    /// The time that this many replays take.
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
            self.program.write(*tensor, Data::F32(values)).expect("writing to the device works");
        }
        // Written values reach a GPU with the next submission, so that submission is not timed.
        self.replay(1);
        self.left = REPLAYS;
    }

    fn replay(&mut self, count: usize) {
        let logged = &mut |_: &_| ControlFlow::Continue(());
        self.program.run(Phase::Train, &self.steps[..count], logged).expect("the device runs the launch");
    }
}
