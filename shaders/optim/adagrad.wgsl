// Adagrad (Duchi, Hazan and Singer, JMLR 2011):
//   v += g^2,   parameter -= learning_rate * g / (sqrt(v) + epsilon)

struct Params {
    length: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> gradients: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> square_sums: array<f32>; // [length]
@group(0) @binding(5) var<storage, read> loss_scale: array<f32>; // [5]

fn update(i: u32, gradient: f32) {
    let sum = square_sums[i] + gradient * gradient;
    square_sums[i] = sum;
    let root = sqrt(sum);
    let change = current.learning_rate * gradient / (root + params.epsilon);
    // A sum that f32 cannot hold would hold its parameter still: what has diverged must show.
    parameters[i] -= select(root, change, is_finite(root));
}
