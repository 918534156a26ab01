// partials[k] = sum of g^2 over the k-th piece of the gradients: a piece a workgroup, in a fixed order.

struct Params {
    length: u32,
    piece: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(3) var<storage, read_write> partials: array<f32>; // [pieces]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let start = group.x * params.piece;
    let end = min(start + params.piece, params.length);
    var sum = 0.0;
    for (var i = start + thread; i < end; i += SUM_THREADS) {
        let gradient = gradients[i];
        sum += gradient * gradient;
    }
    let total = group_sum(thread, sum);
    if thread == 0u {
        partials[group.x] = total;
    }
}
