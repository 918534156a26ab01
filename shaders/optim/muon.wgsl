// The direction of a matrix in Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024) before it is made
// orthogonal: Nesterov's momentum over a moving average.
//   momentum = mu momentum + (1 - mu) g,   direction = mu momentum + (1 - mu) g

struct Params {
    mu: f32,
    // 1 - mu, rounded once: in f32, 1 - 0.95 is off by 1e-7 of itself.
    one_minus_mu: f32,
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(3) var<storage, read_write> momenta: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> directions: array<f32>; // [length]
@group(0) @binding(5) var<storage, read> loss_scale: array<f32>; // [5]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = linear_index(group, groups, thread);
    if i >= params.length {
        return;
    }
    var direction = 0.0; // of an update that is left out
    if loss_scale[APPLIES] != 0.0 {
        let share = params.one_minus_mu * gradients[i];
        let momentum = flushed(params.mu * momenta[i] + share);
        momenta[i] = momentum;
        direction = params.mu * momentum + share;
    }
    directions[i] = direction;
}
