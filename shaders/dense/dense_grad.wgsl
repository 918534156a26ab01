// The gradient of a dense layer's parameters (shaders/dense/shared/dense_grad.wgsl). From the second batch of an update
// on, it is added to the gradients of the batches before.

struct Params {
    rows: u32,
    inputs: u32,
    outputs: u32,
    bias_at: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [rows, outputs]
@group(0) @binding(3) var<storage, read> input: array<stored>; // [rows, inputs]
@group(0) @binding(4) var<storage, read_write> gradients: array<f32>; // [outputs, inputs]; from bias_at on [outputs]

fn store(m: u32, n: u32, product: f32) {
    if is_gradient(m, n) {
        let at = parameter_of(m, n);
        if current.accumulated > 0u {
            gradients[at] += product;
        } else {
            gradients[at] = product;
        }
    }
}
