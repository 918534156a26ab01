// Max-norm (Srivastava et al., JMLR 2014): each unit's weights are scaled down to a norm of max_norm at most. A unit, which is a
// row, a workgroup.

struct Params {
    outputs: u32,
    inputs: u32,
    max_norm: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> weight: array<f32>; // [outputs, inputs]
@group(0) @binding(3) var<storage, read> loss_scale: array<f32>; // [5]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let unit = group.y * groups.x + group.x;
    if unit >= params.outputs || loss_scale[APPLIES] == 0.0 {
        return;
    }
    let start = unit * params.inputs;
    let end = start + params.inputs;
    var sum = 0.0;
    for (var i = start + thread; i < end; i += SUM_THREADS) {
        let w = weight[i];
        sum += w * w;
    }
    let norm = sqrt(group_sum(thread, sum));
    if norm > params.max_norm {
        // A norm whose square f32 cannot hold scales by itself: what has diverged must show.
        let factor = select(norm, params.max_norm / norm, is_finite(norm));
        for (var i = start + thread; i < end; i += SUM_THREADS) {
            weight[i] *= factor;
        }
    }
}
