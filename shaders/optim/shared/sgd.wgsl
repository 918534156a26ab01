// Gradient descent, for kernels that have the tensor by this name.

fn update(i: u32, gradient: f32) {
    parameters[i] -= current.learning_rate * gradient;
}
