// output = activation(input weight^T + bias)

struct Params {
    rows: u32,
    inputs: u32,
    outputs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // [rows, inputs]
@group(0) @binding(3) var<storage, read> weight: array<f32>; // [outputs, inputs]
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [outputs]
@group(0) @binding(5) var<storage, read_write> output: array<stored>; // [rows, outputs]

fn product_rows() -> u32 {
    return params.rows;
}

fn product_depth() -> u32 {
    return params.inputs;
}

const A_K_CONTIGUOUS: bool = true;
const B_K_CONTIGUOUS: bool = true;

fn a_at(m: u32, k: u32) -> f32 {
    if m < params.rows && k < params.inputs {
        return f32(input[m * params.inputs + k]);
    }
    return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
    if n < params.outputs && k < params.inputs {
        return weight[n * params.inputs + k];
    }
    return 0.0;
}

fn store(m: u32, n: u32, product: f32) {
    if m < params.rows && n < params.outputs {
        output[m * params.outputs + n] = stored(activate(product + bias[n]));
    }
}
