// Gradient (shaders/dense/shared/dense_grad.wgsl) and SGD update (shaders/optim/shared/sgd.wgsl) of a dense layer in
// one kernel. The gradient is never written to memory.

struct Params {
    rows: u32,
    inputs: u32,
    outputs: u32,
    bias_at: u32,
    l1: f32,
    l2: f32,
    weight_decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<f32>; // [rows, outputs]
@group(0) @binding(3) var<storage, read> input: array<f32>; // [rows, inputs]
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>; // [outputs, inputs]; from bias_at on [outputs]
