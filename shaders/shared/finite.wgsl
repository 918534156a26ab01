// Tests on the bits of floats, since compilers may assume that all floats are finite.

fn is_finite(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

// x, or zero if x is subnormal. Moving averages of gradients that are now zero would otherwise end as subnormals.
fn flushed(x: f32) -> f32 {
    return select(x, 0.0, (bitcast<u32>(x) & 0x7f800000u) == 0u);
}

fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}
