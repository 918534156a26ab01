// The product that is the gradient of a dense layer's weights, output_grad^T input, with a column of ones behind the inputs' for the gradient of
// its biases, where it has any: what kernels share that say what becomes of them. They have
//   output_grad [rows, outputs], input [rows, inputs], the three sizes among their parameters, and
//   bias_at: u32    where the biases begin among the layer's parameters, of which the weights are the first; 0 for a layer without

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
    return select(0.0, 1.0, k < params.rows && n == params.inputs);
}

// Whether an element of the product is the gradient of a parameter.
fn is_gradient(m: u32, n: u32) -> bool {
    return m < params.outputs && n < params.inputs + min(params.bias_at, 1u);
}

// Which parameter's.
fn parameter_of(m: u32, n: u32) -> u32 {
    return select(params.bias_at + m, m * params.inputs + n, n < params.inputs);
}
