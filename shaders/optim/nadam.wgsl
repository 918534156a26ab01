// NAdam over a whole arena (Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop): with the moments of
// shaders/optim/shared/moments.wgsl and the corrections of the step, which are made on the host,
//   parameter -= learning_rate * (gradient_correction g + first_moment_correction m) / (sqrt(second_moment_correction v) + epsilon)

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
    let direction = current.gradient_correction * gradient + current.first_moment_correction * moments.x;
    let root = sqrt(moments.y * current.second_moment_correction);
    let change = learning_rate() * (direction / (root + params.epsilon));
    // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
    parameters[i] -= select(root, change, is_finite(root));
}
