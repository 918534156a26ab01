// Moving averages of a gradient and of its square, as Adam and its kin keep them:
//   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
// Kernels that keep them have the decays and a factor on the learning rate among their parameters, and the tensors by these names.

fn learning_rate() -> f32 {
    return current.learning_rate * params.rate_factor;
}

// Updates both moments of parameter i: its new first and second moment.
fn updated_moments(i: u32, gradient: f32) -> vec2<f32> {
    let first = flushed(params.beta1 * first_moments[i] + params.one_minus_beta1 * gradient);
    let second = flushed(params.beta2 * second_moments[i] + params.one_minus_beta2 * gradient * gradient);
    first_moments[i] = first;
    second_moments[i] = second;
    return vec2<f32>(first, second);
}
