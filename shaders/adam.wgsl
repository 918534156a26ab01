// Adam (Kingma and Ba, ICLR 2015, algorithm 1), with the bias corrections of the step made on the host:
//   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
//   parameter -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)

struct Params {
    length: u32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    // 1 - beta, rounded once: in f32, 1 - 0.999 is off by 1e-5 of itself.
    one_minus_beta1: f32,
    one_minus_beta2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> first_moments: array<f32>; // [length]
@group(0) @binding(5) var<storage, read_write> second_moments: array<f32>; // [length]
@group(0) @binding(6) var<storage, read> loss_scale: array<f32>; // [5]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = linear_index(group, groups, thread);
    if i >= params.length || loss_scale[APPLIES] == 0.0 {
        return;
    }
    let gradient = gradients[i];
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
