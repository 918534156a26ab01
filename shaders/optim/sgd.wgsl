// Gradient descent over a whole arena: parameter -= learning_rate * gradient

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read> loss_scale: array<f32>; // [5]
