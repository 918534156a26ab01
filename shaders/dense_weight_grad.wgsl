// weight_grad = output_grad^T input, added to what the update's batches before left

struct Params {
    rows: u32,
    inputs: u32,
    outputs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [rows, outputs]
@group(0) @binding(3) var<storage, read> input: array<stored>; // [rows, inputs]
@group(0) @binding(4) var<storage, read_write> weight_grad: array<f32>; // [outputs, inputs]

fn store(m: u32, n: u32, product: f32) {
    if m < params.outputs && n < params.inputs {
        let at = m * params.inputs + n;
        if current.accumulated > 0u {
            weight_grad[at] += product;
        } else {
            weight_grad[at] = product;
        }
    }
}
