// The gradient of a dense layer as one product, output_grad^T input. If the layer has biases, the input gets a further
// column of ones: that column of the product is the gradient of the biases. The kernel provides `store` and has
//   output_grad [rows, outputs], input [rows, inputs]
//   rows, inputs, outputs: u32    in its Params
//   bias_at: u32                  in its Params: position of the first bias in the layer's parameters; 0 without biases
// The layer's parameters begin with the weights.

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

// Whether the element is the gradient of a parameter, not beyond the edge.
fn is_gradient(m: u32, n: u32) -> bool {
    return m < params.outputs && n < params.inputs + min(params.bias_at, 1u);
}

// The position of that parameter in the layer's parameters.
fn parameter_of(m: u32, n: u32) -> u32 {
    return select(params.bias_at + m, m * params.inputs + n, n < params.inputs);
}
