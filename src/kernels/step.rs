//! The scalars that change from step to step.

/// One row of the per-step uniform, the same bytes in WGSL (`shaders/shared/step.wgsl`).
///
/// Everything that differs between two replays of a phase is in here, so that the launches themselves never change.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Step {
    /// Seed of the run, low and high word.
    pub seed_low: u32,
    /// See `seed_low`.
    pub seed_high: u32,
    /// Epoch, from 1.
    pub epoch: u32,
    /// Position of the batch's first example in the order.
    pub start: u32,
    /// Examples in this batch: the batch size, or fewer in the last batch of an epoch.
    pub rows: u32,
    /// Row of the log that this step writes; set by the backend.
    pub log_row: u32,
    /// Examples that the update is made from: those of this batch, and of the others whose gradients add up with its own.
    pub update_rows: u32,
    /// Batches of this update that came before: their gradients stand where this batch's go, and are added to.
    pub accumulated: u32,
    /// Whether the update comes after this batch, 0 or 1: launches that wait for it run only then.
    pub updates: u32,
    /// Learning rate.
    pub learning_rate: f32,
    /// Factor on the gradient in the direction of an update that has both gradient and first moment in it, such as NAdam's. This and the
    /// factors below change with the number t of the update; the optimizers say what they are
    /// ([`Corrections`](crate::nn::optim::Corrections)).
    pub gradient_correction: f32,
    /// Factor on the first moment, such as Adam's `1 / (1 - beta1^t)`; or 1.
    pub first_moment_correction: f32,
    /// Factor on the second moment, such as Adam's `1 / (1 - beta2^t)`; or 1.
    pub second_moment_correction: f32,
}

impl Step {
    /// Names of the fields in order, for the check against WGSL; all are four bytes wide.
    pub const FIELDS: [&'static str; 13] = [
        "seed_low",
        "seed_high",
        "epoch",
        "start",
        "rows",
        "log_row",
        "update_rows",
        "accumulated",
        "updates",
        "learning_rate",
        "gradient_correction",
        "first_moment_correction",
        "second_moment_correction",
    ];

    /// A batch of `rows` examples from position `start` of the order, and an update of its own. All else is zero.
    pub fn batch(start: u32, rows: u32) -> Step {
        Step { start, rows, update_rows: rows, updates: 1, ..Step::default() }
    }
}

/// What one batch adds to an epoch's figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMetrics {
    /// Sum of the examples' losses.
    pub loss_sum: f32,
    /// Number of examples whose largest logit is the true class.
    pub correct: u32,
    /// Number of examples.
    pub rows: u32,
}
