// Code that the losses share: slots, main, the prediction, reductions over classes. One workgroup per row of logits.
//
// The kernel defines
//   struct Params { batch: u32, classes: u32, examples: u32, .. }
//   fn row_loss(row: Row, thread: u32) -> f32    returns the row's loss in all threads; writes its gradient * row.scale
// and main writes
//   losses[r] = class_weights[target] * row_loss
//   predictions[start + r] = the class of the largest logit, the lowest of equals
// With row.scale = class_weights[target] * loss scale / update_rows, logits_grad is the gradient of the update's mean
// loss times the loss scale.
//
// A row with a logit that is not finite gets a loss that is not finite. Padding rows get loss and gradient zero and no
// prediction, so that later kernels can ignore the number of rows.

@group(0) @binding(2) var<storage, read> logits: array<stored>; // [batch, classes]
@group(0) @binding(3) var<storage, read> targets: array<u32>; // [batch]
@group(0) @binding(4) var<storage, read> class_weights: array<f32>; // [classes]
@group(0) @binding(5) var<storage, read> loss_scale: array<f32>; // [5]
@group(0) @binding(6) var<storage, read_write> logits_grad: array<stored>; // [batch, classes]
@group(0) @binding(7) var<storage, read_write> losses: array<f32>; // [batch]
@group(0) @binding(8) var<storage, read_write> predictions: array<u32>; // [examples]

const THREADS: u32 = 64u;
const NONE: u32 = 0xffffffffu; // the class of an empty entry

struct Row {
    first: u32, // index of its first element
    target_class: u32,
    largest: f32, // the largest logit; if it is finite, so are all logits
    scale: f32, // factor on the gradient
}

// A class and its value, such as its logit.
struct Entry {
    value: f32,
    index: u32,
}

var<workgroup> entries: array<Entry, 64>;
var<workgroup> partial: array<vec2<f32>, 64>;

// The entry with the greater value, or the lower class if both are equal. A NaN is greater than any number, as in
// NumPy.
fn greater(a: Entry, b: Entry) -> Entry {
    if b.index == NONE || is_nan(a.value) {
        return a;
    }
    let tie = b.value == a.value && b.index < a.index;
    if a.index == NONE || is_nan(b.value) || b.value > a.value || tie {
        return b;
    }
    return a;
}

// The greatest entry over all threads.
fn greatest(own: Entry, thread: u32) -> Entry {
    entries[thread] = own;
    workgroupBarrier();
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        if thread < width {
            entries[thread] = greater(entries[thread], entries[thread + width]);
        }
        workgroupBarrier();
    }
    let best = entries[0];
    workgroupBarrier(); // before the next use
    return best;
}

// The sum over all threads, of two values at once.
fn sum(own: vec2<f32>, thread: u32) -> vec2<f32> {
    partial[thread] = own;
    workgroupBarrier();
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        if thread < width {
            partial[thread] += partial[thread + width];
        }
        workgroupBarrier();
    }
    let total = partial[0];
    workgroupBarrier(); // before the next use
    return total;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    if index >= params.batch {
        return;
    }
    let first = index * params.classes;
    if index >= current.rows {
        for (var c = thread; c < params.classes; c += THREADS) {
            logits_grad[first + c] = stored(0.0);
        }
        if thread == 0u {
            losses[index] = 0.0;
        }
        return;
    }
    var own = Entry(0.0, NONE);
    for (var c = thread; c < params.classes; c += THREADS) {
        let logit = f32(logits[first + c]);
        // Minus infinity counts as plus infinity. Otherwise the loss would not show it.
        own = greater(own, Entry(select(abs(logit), logit, is_finite(logit)), c));
    }
    let best = greatest(own, thread);
    let target_class = targets[index];
    let weight = class_weights[target_class];
    let scale = weight * loss_scale[SCALE] / f32(max(current.update_rows, 1u));
    let loss = row_loss(Row(first, target_class, best.value, scale), thread);
    if thread == 0u {
        // Divergence must show in the loss, even if the loss is cut off at zero or a class has probability zero.
        losses[index] = select(best.value, loss * weight, is_finite(best.value));
        predictions[current.start + index] = best.index;
    }
}
