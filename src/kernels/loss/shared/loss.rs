//! Code that the losses share: slots, rows, the prediction, parity cases. The WGSL counterpart is
//! `shaders/loss/shared/loss.wgsl`.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance};
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::math::real::Real;

/// Slots of a loss.
pub const SLOTS: &[Slot] = &[
    Slot::read("logits", DType::F32).or_half(),
    Slot::read("targets", DType::U32),
    Slot::read("class_weights", DType::F32),
    loss_scale::SLOT,
    Slot::write("logits_grad", DType::F32).or_half(),
    Slot::write("losses", DType::F32),
    Slot::write("predictions", DType::U32),
];

/// One workgroup per row of logits.
pub const WORKGROUP: [u32; 3] = [64, 1, 1];

/// Minimum number of elements of each slot.
pub fn lengths(batch: u32, classes: u32, examples: u32) -> Vec<usize> {
    let [batch, classes, examples] = [batch, classes, examples].map(|n| n as usize);
    vec![batch * classes, batch, classes, loss_scale::LENGTH, batch * classes, batch, examples]
}

/// Bytes that a launch moves. Only the batch's own predictions count.
pub fn bytes(batch: u32, classes: u32) -> u64 {
    let [batch, classes] = [batch, classes].map(u64::from);
    4 * (2 * batch * classes + classes + 3 * batch + loss_scale::LENGTH as u64)
}

/// One example of the batch, not a padding row.
pub struct Row<'a, T> {
    /// Its logits z, `[classes]`.
    pub logits: &'a [T],
    /// Its class.
    pub target: usize,
    /// The largest logit. If it is finite, so are all logits.
    pub largest: T,
}

/// Runs the CPU twin of a loss. `row_loss` returns the loss of a row and writes the row's gradient, `[classes]`.
///
/// Loss and gradient are multiplied by the weight of the row's class. The gradient is also multiplied by the loss scale
/// and divided by `update_rows`. Padding rows get loss and gradient zero and no prediction. A row with a logit that is
/// not finite gets a loss that is not finite.
pub fn run<T: Real>(
    mut arguments: Arguments<'_, T>,
    classes: u32,
    row_loss: impl Fn(&Row<'_, T>, &mut [T]) -> T + Sync,
) {
    let step = arguments.step();
    let (rows, classes) = (step.rows as usize, classes as usize);
    let (logits, targets, class_weights) = (arguments.reals(0), arguments.integers(1), arguments.reals(2));
    let loss_scale = arguments.reals(3)[loss_scale::SCALE];
    let (logits_grad, losses) = (arguments.reals_mut(4), arguments.reals_mut(5));
    let predictions = &mut arguments.integers_mut(6)[step.start as usize..][..rows];
    let scale = loss_scale / T::from_f64(f64::from(step.update_rows.max(1)));

    let live = rows * classes;
    logits_grad[live..].fill(T::zero());
    losses[rows..].fill(T::zero());
    let inputs = logits[..live].par_chunks(classes).zip(&targets[..rows]);
    let outputs = logits_grad[..live].par_chunks_mut(classes).zip(&mut losses[..rows]).zip(predictions);
    inputs.zip(outputs).with_min_len(64).for_each(|((logits, &target), ((gradient, loss), prediction))| {
        // Minus infinity counts as plus infinity. Otherwise the loss would not show it.
        let counted = |&logit: &T| if logit.is_finite() { logit } else { logit.abs() };
        let (best, largest) = greatest(logits.iter().map(counted));
        let row = Row { logits, target: target as usize, largest };
        let weight = class_weights[row.target];
        let own = row_loss(&row, gradient) * weight;
        for slope in gradient.iter_mut() {
            *slope *= weight * scale;
        }
        // Divergence must show in the loss, even if the loss is cut off at zero or a class has probability zero.
        *loss = if largest.is_finite() { own } else { largest };
        *prediction = best as u32;
    });
}

/// The greatest value of a row and its class; of equal values, the lowest class. A NaN is greater than any number, as
/// in NumPy.
pub fn greatest<T: Real>(values: impl Iterator<Item = T>) -> (usize, T) {
    let greater = |a: (usize, T), b: (usize, T)| {
        if b.1 > a.1 || b.1.is_nan() && !a.1.is_nan() { b } else { a }
    };
    values.enumerate().reduce(greater).expect("a row has at least one class")
}

/// A parity case of a loss, with logits up to 8 in magnitude and class weights from 0 to 1.5. `tolerance` takes the
/// largest magnitude of a logit.
pub fn case<K: KernelSpec>(
    label: impl Into<String>,
    kernel: K,
    batch: u32,
    classes: u32,
    tolerance: impl Fn(f32) -> Tolerance,
) -> Case {
    let inputs = vec![
        logits(8.0),
        Input::U32((0..batch).map(|i| (i * 7 + 3) % classes).collect()),
        Input::F32((0..classes).map(|c| 0.5 * ((c + 1) % 4) as f32).collect()),
        Input::F32(loss_scale::values(3.0)),
        Input::Poison,
        Input::Poison,
        Input::Poison,
    ];
    Case::new(label, kernel, inputs).tolerance(tolerance(8.0))
}

fn logits(largest: f32) -> Input {
    Input::Uniform { low: -largest, high: largest }
}

/// Parity cases of a loss on edge-case shapes, including short batches, class weights of 0 and logits far apart.
///
/// `kernel` takes batch, classes and examples. `tolerance` takes the largest magnitude of a logit.
pub fn cases<K: KernelSpec>(
    setting: &str,
    kernel: impl Fn(u32, u32, u32) -> K,
    tolerance: impl Fn(f32) -> Tolerance,
) -> Vec<Case> {
    let case = |batch: u32, classes: u32, start: u32, rows: u32, largest: f32| {
        kernel(batch, classes, start + batch)
            .case(format!(
                "{setting}: batch {batch}, classes {classes}, {rows} rows from {start}, logits within {largest}"
            ))
            .input(0, logits(largest))
            .step(Step { update_rows: rows + 2, ..Step::batch(start, rows) })
            .tolerance(tolerance(largest))
    };
    let equal = kernel(3, 130, 3)
        .case(format!("{setting}: equal logits, so the lowest class wins"))
        .input(0, Input::F32(vec![0.5; 3 * 130]))
        .input(1, Input::U32(vec![0, 64, 129]))
        .input(2, Input::F32(vec![1.0; 130]))
        .step(Step::batch(0, 3))
        .tolerance(tolerance(0.5));
    vec![
        case(1, 1, 0, 1, 1.0),
        case(5, 2, 11, 5, 4.0),
        case(7, 10, 3, 4, 8.0),
        case(3, 64, 0, 3, 2.0),
        case(3, 65, 0, 2, 2.0),
        case(2, 1009, 0, 2, 3.0),
        case(4, 10, 0, 4, 500.0),
        case(65_537, 2, 5, 65_536, 2.0),
        equal,
    ]
}
