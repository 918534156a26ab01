// input_grad = (output_grad weight) * activation'(kept): the gradient of the pre-activation of the layer below.

struct Params {
    rows: u32,
    inputs: u32,
    outputs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [rows, outputs]
@group(0) @binding(3) var<storage, read> weight: array<f32>; // [outputs, inputs]
@group(0) @binding(4) var<storage, read> kept: array<stored>; // [rows, inputs]: the input, or its pre-activation
@group(0) @binding(5) var<storage, read_write> input_grad: array<stored>; // [rows, inputs]

fn product_rows() -> u32 {
    return params.rows;
}

fn product_depth() -> u32 {
    return params.outputs;
}

const A_K_CONTIGUOUS: bool = true;
const B_K_CONTIGUOUS: bool = false;

fn a_at(m: u32, k: u32) -> f32 {
    if m < params.rows && k < params.outputs {
        return f32(output_grad[m * params.outputs + k]);
    }
    return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
    if k < params.outputs && n < params.inputs {
        return weight[k * params.inputs + n];
    }
    return 0.0;
}

fn store(m: u32, n: u32, product: f32) {
    if m < params.rows && n < params.inputs {
        let at = m * params.inputs + n;
        input_grad[at] = stored(product * derivative(f32(kept[at])));
    }
}
