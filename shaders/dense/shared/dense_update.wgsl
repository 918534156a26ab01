// What becomes of the gradient of a dense layer's parameters (shaders/dense/shared/dense_grad.wgsl) in kernels that update them by it at once: with a part
// that says how (`update`), and shaders/optim/shared/penalties.wgsl.

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
