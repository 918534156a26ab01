// Lion (Chen et al., NeurIPS 2023, algorithm 2):
//   parameter -= learning_rate * sign(beta1 m + (1 - beta1) g),   then m = beta2 m + (1 - beta2) g

struct Params {
    length: u32,
    beta1: f32,
    beta2: f32,
    // 1 - beta, rounded once: in f32, 1 - 0.99 is off by 1e-6 of itself.
    one_minus_beta1: f32,
    one_minus_beta2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> first_moments: array<f32>; // [length]
@group(0) @binding(5) var<storage, read> loss_scale: array<f32>; // [5]

fn update(i: u32, gradient: f32) {
    let first = first_moments[i];
    parameters[i] -= current.learning_rate * sign_of(params.beta1 * first + params.one_minus_beta1 * gradient);
    first_moments[i] = flushed(params.beta2 * first + params.one_minus_beta2 * gradient);
}
