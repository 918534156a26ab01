// Gradient (shaders/dense/shared/dense_grad.wgsl) and Adam update (shaders/optim/shared/adam.wgsl) of a dense layer in
// one kernel. The gradient is never written to memory.

struct Params {
    rows: u32,
    inputs: u32,
    outputs: u32,
    bias_at: u32,
    l1: f32,
    l2: f32,
    weight_decay: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    // 1 - beta, computed in f64 and rounded once: in f32, 1 - 0.999 has a relative error of 1e-5.
    one_minus_beta1: f32,
    one_minus_beta2: f32,
    rate_factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<f32>; // [rows, outputs]
@group(0) @binding(3) var<storage, read> input: array<f32>; // [rows, inputs]
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>; // [outputs, inputs]; from bias_at on [outputs]
@group(0) @binding(5) var<storage, read_write> first_moments: array<f32>; // laid out like parameters
@group(0) @binding(6) var<storage, read_write> second_moments: array<f32>; // laid out like parameters
