// Writes a batch's row of the log: the sum of its losses and the number of correct predictions. One workgroup adds in a
// fixed order.

struct Params {
    batch: u32,
    examples: u32,
    log_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> losses: array<f32>; // [batch]
@group(0) @binding(3) var<storage, read> targets: array<u32>; // [batch]
@group(0) @binding(4) var<storage, read> predictions: array<u32>; // [examples]
@group(0) @binding(5) var<storage, read_write> batch_log: array<f32>; // [log_rows, 2]

const THREADS: u32 = 256u;

var<workgroup> partial: array<vec2<f32>, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
    var sum = vec2<f32>(0.0, 0.0);
    for (var row = thread; row < min(current.rows, params.batch); row += THREADS) {
        let right = predictions[current.start + row] == targets[row];
        sum += vec2<f32>(losses[row], select(0.0, 1.0, right));
    }
    partial[thread] = sum;
    workgroupBarrier();
    for (var width = THREADS / 2u; width > 0u; width /= 2u) {
        if thread < width {
            partial[thread] += partial[thread + width];
        }
        workgroupBarrier();
    }
    if thread == 0u {
        batch_log[current.log_row * 2u] = partial[0].x;
        batch_log[current.log_row * 2u + 1u] = partial[0].y;
    }
}
