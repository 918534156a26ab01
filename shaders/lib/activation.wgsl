// Activations, chosen when the pipeline is made; src/activation.rs holds the same numbers.

override activation: u32;

const RELU: u32 = 1u;

// The activation of a pre-activation z.
fn activate(z: f32) -> f32 {
    if activation == RELU {
        return select(z, 0.0, z < 0.0); // unlike max, lets a NaN through
    }
    return z;
}

// Its derivative, from the activated value y.
fn derivative(y: f32) -> f32 {
    if activation == RELU {
        return select(1.0, 0.0, y <= 0.0);
    }
    return 1.0;
}
