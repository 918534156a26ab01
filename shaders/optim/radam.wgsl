// RAdam over a whole arena (Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, algorithm 2): with the
// moments of shaders/optim/shared/moments.wgsl and the corrections of the step, which are made on the host,
//   parameter -= learning_rate * first_moment_correction m / (sqrt(v) + epsilon)
// The first updates have no use for the second moment, whose correction is 0 then: parameter -= learning_rate * first_moment_correction m

struct Params {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    // 1 - beta, rounded once: in f32, 1 - 0.999 is off by 1e-5 of itself.
    one_minus_beta1: f32,
    one_minus_beta2: f32,
    rate_factor: f32,
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> first_moments: array<f32>; // [length]
@group(0) @binding(5) var<storage, read_write> second_moments: array<f32>; // [length]
@group(0) @binding(6) var<storage, read> loss_scale: array<f32>; // [5]

fn update(i: u32, gradient: f32) {
    let moments = updated_moments(i, gradient);
    let root = sqrt(moments.y);
    let divisor = select(1.0, root + params.epsilon, current.second_moment_correction != 0.0);
    let change = learning_rate() * (current.first_moment_correction * moments.x / divisor);
    // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
    parameters[i] -= select(root, change, is_finite(root));
}
