// values /= max(norm, least), where the norm is that of all values. Each workgroup adds up all the partial sums of squares
// (shaders/optim/gradient_norm.wgsl), in one order, and scales its own piece.

struct Params {
    length: u32,
    piece: u32,
    pieces: u32,
    least: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> partials: array<f32>; // [pieces]
@group(0) @binding(3) var<storage, read_write> values: array<f32>; // [length]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    var sum = 0.0;
    for (var k = thread; k < params.pieces; k += SUM_THREADS) {
        sum += partials[k];
    }
    let norm = sqrt(group_sum(thread, sum));
    // A norm whose square f32 cannot hold scales by itself: what has diverged must show.
    let factor = select(norm, 1.0 / max(norm, params.least), is_finite(norm));
    let start = group.x * params.piece;
    let end = min(start + params.piece, params.length);
    for (var i = start + thread; i < end; i += SUM_THREADS) {
        values[i] *= factor;
    }
}
