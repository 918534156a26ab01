// Gradient descent with momentum over a whole arena (shaders/optim/shared/momentum.wgsl)

struct Params {
    momentum: f32,
    // 1, or 1 - momentum, rounded once, for a moving average.
    gradient_factor: f32,
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> velocities: array<f32>; // [length]
@group(0) @binding(5) var<storage, read> loss_scale: array<f32>; // [5]
