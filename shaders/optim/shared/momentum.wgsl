// Gradient descent with momentum (Polyak, 1964):
//   velocity = momentum velocity + gradient_factor g,   parameter -= learning_rate * velocity
// Where it is a moving average, the step's scalars correct its bias. Nesterov's looks ahead:
//   parameter -= learning_rate * (g + momentum velocity)
// Kernels that do it have the two factors among their parameters, and the tensors by these names.

override nesterov: u32;

fn update(i: u32, gradient: f32) {
    let velocity = flushed(params.momentum * velocities[i] + params.gradient_factor * gradient);
    velocities[i] = velocity;
    var direction = velocity * current.first_moment_correction;
    if nesterov != 0u {
        direction = gradient + params.momentum * velocity;
    }
    parameters[i] -= current.learning_rate * direction;
}
