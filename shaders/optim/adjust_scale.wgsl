// The loss scale of the next update (Micikevicius et al., "Mixed precision training", ICLR 2018, section 3.2): half where a gradient overflowed,
// and this update is left out; twice as much after `interval` updates without.

struct Params {
    pieces: u32,
    interval: u32,
    largest: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> partials: array<f32>; // [pieces]
@group(0) @binding(3) var<storage, read_write> loss_scale: array<f32>; // [5]

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
    var sum = 0.0;
    for (var k = thread; k < params.pieces; k += SUM_THREADS) {
        sum += partials[k];
    }
    let total = group_sum(thread, sum);
    if thread > 0u {
        return;
    }
    let scale = loss_scale[SCALE];
    // Of powers of two, products are exact where WGSL's quotients need not be.
    var factor = 1.0;
    var inverse_factor = 1.0;
    var updates = loss_scale[UPDATES] + 1.0;
    var applies = 1.0;
    if !is_finite(total) {
        updates = 0.0;
        // What overflows without a scale has diverged, which must show.
        if scale > 1.0 {
            applies = 0.0;
            factor = 0.5;
            inverse_factor = 2.0;
        }
    } else if updates >= f32(params.interval) {
        updates = 0.0;
        if scale < params.largest {
            factor = 2.0;
            inverse_factor = 0.5;
        }
    }
    loss_scale[SCALE] = scale * factor;
    loss_scale[INVERSE] *= inverse_factor;
    loss_scale[UPDATES] = updates;
    loss_scale[APPLIES] = applies;
    loss_scale[LEFT_OUT] += 1.0 - applies;
}
