// Gathers a batch where features are bytes (shaders/data/shared/gather.wgsl).

@group(0) @binding(2) var<storage, read> features: array<u32>; // [examples, features] bytes, four a word

fn feature(byte: u32) -> f32 {
    return f32((features[byte / 4u] >> (8u * (byte % 4u))) & 0xffu);
}
