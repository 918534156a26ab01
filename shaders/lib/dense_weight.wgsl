// The product that is the gradient of a dense layer's weights, output_grad^T input: what kernels share that say what becomes of it. They have
//   output_grad [rows, outputs], input [rows, inputs], and the three sizes among their parameters

fn product_rows() -> u32 {
    return params.outputs;
}

fn product_depth() -> u32 {
    return params.rows;
}

const A_K_CONTIGUOUS: bool = false;
const B_K_CONTIGUOUS: bool = false;

fn a_at(m: u32, k: u32) -> f32 {
    if m < params.outputs && k < params.rows {
        return f32(output_grad[k * params.outputs + m]);
    }
    return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
    if k < params.rows && n < params.inputs {
        return f32(input[k * params.inputs + n]);
    }
    return 0.0;
}
