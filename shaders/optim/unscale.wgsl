// gradients /= the loss scale, which is a power of two, so that this is exact; where one overflowed, all become zero: no update is made
// from them, and clipping would spread what is no number to the gaps between them, which no gradient overwrites. Each workgroup adds up all the partial sums of squares (shaders/gradient_norm.wgsl), in one
// order, and sees to its own piece.

struct Params {
    length: u32,
    piece: u32,
    pieces: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> partials: array<f32>; // [pieces]
@group(0) @binding(3) var<storage, read> loss_scale: array<f32>; // [5]
@group(0) @binding(4) var<storage, read_write> gradients: array<f32>; // [length]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    var sum = 0.0;
    for (var k = thread; k < params.pieces; k += SUM_THREADS) {
        sum += partials[k];
    }
    let overflowed = !is_finite(group_sum(thread, sum));
    if overflowed && loss_scale[SCALE] <= 1.0 {
        return; // What has diverged must show.
    }
    let start = group.x * params.piece;
    let end = min(start + params.piece, params.length);
    for (var i = start + thread; i < end; i += SUM_THREADS) {
        gradients[i] = select(gradients[i] * loss_scale[INVERSE], 0.0, overflowed);
    }
}
