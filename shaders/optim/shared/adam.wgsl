// Adam (Kingma and Ba, ICLR 2015, algorithm 1), with the bias corrections of the step made on the host:
//   parameter -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)
// Kernels that do it have epsilon and the decays among their parameters, and the tensors by these names; the moments are those of
// shaders/optim/shared/moments.wgsl.

fn update(i: u32, gradient: f32) {
    let moments = updated_moments(i, gradient);
    let first_hat = moments.x * current.first_moment_correction;
    let root = sqrt(moments.y * current.second_moment_correction);
    let change = learning_rate() * (first_hat / (root + params.epsilon));
    // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
    parameters[i] -= select(root, change, is_finite(root));
}
