// Loss of each row, its gradient and its prediction, in one pass over the logits; a row a workgroup.
//   losses[r] = log(sum_c exp(z_c)) - z_target, with the largest logit taken out first, so that nothing overflows
//   logits_grad[r, c] = (softmax(z)_c - [c = target]) * loss_scale / update_rows: of loss_scale times the update's mean loss
//   predictions[start + r] = the class of the largest logit, the lowest of equals
// Padding rows have loss and gradient zero and no prediction, so that nothing behind them needs to know how many rows count.

struct Params {
    batch: u32,
    classes: u32,
    examples: u32,
    loss_scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [batch, classes]
@group(0) @binding(3) var<storage, read> targets: array<u32>; // [batch]
@group(0) @binding(4) var<storage, read_write> logits_grad: array<f32>; // [batch, classes]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [batch]
@group(0) @binding(6) var<storage, read_write> predictions: array<u32>; // [examples]

const THREADS: u32 = 64u;
const LOWEST: f32 = -3.4028234e38;
const NONE: u32 = 0xffffffffu; // the class of a thread that has seen none

var<workgroup> best_value: array<f32, 64>;
var<workgroup> best_class: array<u32, 64>;
var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = group.y * groups.x + group.x;
    if row >= params.batch {
        return;
    }
    let first = row * params.classes;
    let counts = row < current.rows;

    var value = LOWEST;
    var winner = NONE;
    for (var c = thread; c < params.classes; c += THREADS) {
        let z = logits[first + c];
        if z > value || winner == NONE {
            value = z;
            winner = c;
        }
    }
    best_value[thread] = value;
    best_class[thread] = winner;
    workgroupBarrier();
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        if thread < width {
            let other = best_value[thread + width];
            let other_class = best_class[thread + width];
            let mine = best_value[thread];
            let tie = other == mine && other_class < best_class[thread];
            let better = other_class != NONE && (best_class[thread] == NONE || other > mine || tie);
            if better {
                best_value[thread] = other;
                best_class[thread] = other_class;
            }
        }
        workgroupBarrier();
    }
    let largest = best_value[0];

    var sum = 0.0;
    for (var c = thread; c < params.classes; c += THREADS) {
        sum += exp(logits[first + c] - largest);
    }
    partial[thread] = sum;
    workgroupBarrier();
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        if thread < width {
            partial[thread] += partial[thread + width];
        }
        workgroupBarrier();
    }
    let total = partial[0];

    let target_class = targets[row];
    let scale = params.loss_scale / f32(max(current.update_rows, 1u));
    for (var c = thread; c < params.classes; c += THREADS) {
        let probability = exp(logits[first + c] - largest) / total;
        let gradient = (probability - select(0.0, 1.0, c == target_class)) * scale;
        logits_grad[first + c] = select(0.0, gradient, counts);
    }
    if thread == 0u {
        let loss = log(total) - (logits[first + target_class] - largest);
        losses[row] = select(0.0, loss, counts);
        if counts {
            predictions[current.start + row] = best_class[0];
        }
    }
}
