// Gradient descent with momentum (Polyak, 1964):
//   velocity = momentum velocity + gradient_factor g,   parameter -= learning_rate * velocity
// Where it is a moving average, the step's scalars correct its bias. Nesterov's looks ahead:
//   parameter -= learning_rate * (g + momentum velocity)

override nesterov: u32;

struct Params {
    length: u32,
    momentum: f32,
    // 1, or 1 - momentum, rounded once, for a moving average.
    gradient_factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> velocities: array<f32>; // [length]
@group(0) @binding(5) var<storage, read> loss_scale: array<f32>; // [5]

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
    let velocity = flushed(params.momentum * velocities[i] + params.gradient_factor * gradient);
    velocities[i] = velocity;
    var direction = velocity * current.first_moment_correction;
    if nesterov != 0u {
        direction = gradient + params.momentum * velocity;
    }
    parameters[i] -= current.learning_rate * direction;
}
