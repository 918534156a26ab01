// RMSprop (Tieleman and Hinton, 2012, lecture 6e):
//   v = rho v + (1 - rho) g^2,   parameter -= learning_rate * g / (sqrt(v) + epsilon)

struct Params {
    length: u32,
    rho: f32,
    // 1 - rho, rounded once: in f32, 1 - 0.99 is off by 1e-6 of itself.
    one_minus_rho: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> second_moments: array<f32>; // [length]
@group(0) @binding(5) var<storage, read> loss_scale: array<f32>; // [5]

fn update(i: u32, gradient: f32) {
    let second = flushed(params.rho * second_moments[i] + params.one_minus_rho * gradient * gradient);
    second_moments[i] = second;
    let root = sqrt(second);
    let change = current.learning_rate * gradient / (root + params.epsilon);
    // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
    parameters[i] -= select(root, change, is_finite(root));
}
