// Adam (Kingma and Ba, ICLR 2015, algorithm 1), with the bias corrections of the step made on the host:
//   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
//   parameter -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)
// Kernels that do it have the decays and epsilon among their parameters, and the tensors by these names.

fn update(i: u32, gradient: f32) {
    let first = flushed(params.beta1 * first_moments[i] + params.one_minus_beta1 * gradient);
    let second = flushed(params.beta2 * second_moments[i] + params.one_minus_beta2 * gradient * gradient);
    first_moments[i] = first;
    second_moments[i] = second;
    let first_hat = first * current.first_moment_correction;
    let root = sqrt(second * current.second_moment_correction);
    let change = current.learning_rate * (first_hat / (root + params.epsilon));
    // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
    parameters[i] -= select(root, change, is_finite(root));
}
