// Adam over a whole arena (shaders/optim/shared/adam.wgsl)

struct Params {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    // 1 - beta, rounded once: in f32, 1 - 0.999 is off by 1e-5 of itself.
    one_minus_beta1: f32,
    one_minus_beta2: f32,
    rate_factor: f32,
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> first_moments: array<f32>; // [length]
@group(0) @binding(5) var<storage, read_write> second_moments: array<f32>; // [length]
@group(0) @binding(6) var<storage, read> loss_scale: array<f32>; // [5]
