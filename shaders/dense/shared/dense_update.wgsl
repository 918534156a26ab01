// Epilogue of fused updates: applies penalties and the optimizer to each element of a dense layer's gradient
// (shaders/dense/shared/dense_grad.wgsl). It needs shaders/optim/shared/penalties.wgsl and a part with the optimizer's
// `update`.

fn store(m: u32, n: u32, product: f32) {
    if !is_gradient(m, n) {
        return;
    }
    let at = parameter_of(m, n);
    var gradient = product;
    // Biases are not regularized.
    if n < params.inputs {
        let w = parameters[at];
        gradient += penalty_grad(w);
        if params.weight_decay > 0.0 {
            parameters[at] = decayed(w);
        }
    }
    update(at, gradient);
}
