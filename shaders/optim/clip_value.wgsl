// Clipping by value: g = min(max(g, -max_value), max_value)

struct Params {
    length: u32,
    max_value: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> gradients: array<f32>; // [length]

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
    let gradient = gradients[i];
    // What is not finite is let through: what has diverged must show.
    if is_finite(gradient) {
        gradients[i] = clamp(gradient, -params.max_value, params.max_value);
    }
}
