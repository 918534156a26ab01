// Regularization of a weight w: penalties l1 sum |w| + l2 / 2 sum w^2 on the loss, and decoupled weight decay. Kernels that do it have the three
// factors among their parameters.

fn penalty_grad(w: f32) -> f32 {
    return params.l2 * w + params.l1 * sign_of(w);
}

fn decayed(w: f32) -> f32 {
    // Not (1 - rate) w: in f32, the rounding of 1 - 1e-6 alone takes a hundredth more away, from every weight alike.
    return w - current.learning_rate * params.weight_decay * w;
}
