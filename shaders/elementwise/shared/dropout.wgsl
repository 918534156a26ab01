// Which values dropout keeps: a function of seed, epoch, site, position of the example and column, so that the backward pass
// draws the same anew. One Philox call serves four neighbouring columns.

const STREAM: u32 = 5u; // Stream::Dropout

// 0 for a dropped value, params.scale for a kept one: of columns 4 quad to 4 quad + 3 of a row.
fn dropout_factors(row: u32, quad: u32) -> vec4<f32> {
    let counter = vec4<u32>(quad, current.start + row, STREAM | (params.site << 8u), current.epoch);
    let random = philox(counter, vec2<u32>(current.seed_low, current.seed_high));
    return select(vec4<f32>(), vec4<f32>(params.scale), random >= vec4<u32>(params.threshold));
}
