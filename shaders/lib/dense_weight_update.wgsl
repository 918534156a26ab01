// What becomes of the gradient of a dense layer's weights (shaders/lib/dense_weight.wgsl) in kernels that update them by it at once: with a part
// that says how (`update`), and shaders/lib/penalties.wgsl.

fn store(m: u32, n: u32, product: f32) {
    if m < params.outputs && n < params.inputs {
        let at = m * params.inputs + n;
        let w = parameters[at];
        if params.weight_decay > 0.0 {
            parameters[at] = decayed(w);
        }
        update(at, product + penalty_grad(w));
    }
}
