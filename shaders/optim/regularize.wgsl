// Regularization of weights w with gradients g (shaders/optim/shared/penalties.wgsl), before the update:
//   g += l2 w + l1 sign(w),   w -= learning_rate * weight_decay * w

struct Params {
    l1: f32,
    l2: f32,
    weight_decay: f32,
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read_write> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read> loss_scale: array<f32>; // [5]

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
    let w = parameters[i];
    // What is off costs no traffic.
    if params.l1 > 0.0 || params.l2 > 0.0 {
        gradients[i] += penalty_grad(w);
    }
    if params.weight_decay > 0.0 {
        parameters[i] = decayed(w);
    }
}
