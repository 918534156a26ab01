// Gathers a batch where features are floats (shaders/data/shared/gather.wgsl).

@group(0) @binding(2) var<storage, read> features: array<f32>; // [examples, features]

fn feature(at: u32) -> f32 {
    return features[at];
}
