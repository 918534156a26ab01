// bias_grad[n] = sum over rows of output_grad[r, n], added to what the update's batches before left: 32 columns a workgroup,
// each summed by eight threads.

struct Params {
    rows: u32,
    outputs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [rows, outputs]
@group(0) @binding(3) var<storage, read_write> bias_grad: array<f32>; // [outputs]

const COLUMNS: u32 = 32u;
const LANES: u32 = 8u;

var<workgroup> partial: array<f32, 256>; // [LANES, COLUMNS]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let column = (group.y * groups.x + group.x) * COLUMNS + thread % COLUMNS;
    var sum = 0.0;
    if column < params.outputs {
        for (var row = thread / COLUMNS; row < params.rows; row += LANES) {
            sum += f32(output_grad[row * params.outputs + column]);
        }
    }
    partial[thread] = sum;
    workgroupBarrier();
    if thread < COLUMNS && column < params.outputs {
        var total = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            total += partial[lane * COLUMNS + thread];
        }
        if current.accumulated > 0u {
            total += bias_grad[column];
        }
        bias_grad[column] = total;
    }
}
