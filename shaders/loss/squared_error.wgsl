// Mean squared error against one-hot targets (shaders/loss/shared/loss.wgsl). With the errors d_c = z_c - [c = target]:
//   row_loss = sum_c d_c^2 / classes
//   d row_loss / d z_c = 2 d_c / classes

struct Params {
    batch: u32,
    classes: u32,
    examples: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

fn row_loss(row: Row, thread: u32) -> f32 {
    let classes = f32(params.classes);
    var squares = 0.0;
    for (var c = thread; c < params.classes; c += THREADS) {
        let error = f32(logits[row.first + c]) - select(0.0, 1.0, c == row.target_class);
        squares += error * error;
        logits_grad[row.first + c] = stored(2.0 * error / classes * row.scale);
    }
    return sum(vec2<f32>(squares, 0.0), thread).x / classes;
}
