// The scalars that change from step to step; src/kernels/step.rs holds the same fields.

struct Step {
    seed_low: u32,
    seed_high: u32,
    epoch: u32,
    start: u32, // position of the batch's first example in the order
    rows: u32, // examples in the batch; rows past them are padding
    log_row: u32, // row of the log that the batch writes
    update_rows: u32, // examples that the update is made from
    accumulated: u32, // batches of this update that came before
    updates: u32, // 1 where the update comes after this batch, else 0
    learning_rate: f32,
    // Factors of the update, which change with its number.
    gradient_correction: f32,
    first_moment_correction: f32,
    second_moment_correction: f32,
}

@group(0) @binding(1) var<uniform> current: Step;
