// Softmax cross-entropy with label smoothing s (shaders/loss/shared/loss.wgsl). With the target distribution q_c = (1 -
// s) [c = target] + s / classes:
//   row_loss = -sum_c q_c log softmax(z)_c = log(sum_c exp(z_c)) - sum_c q_c z_c
//   d row_loss / d z_c = softmax(z)_c - q_c
// The largest logit is subtracted from all logits first, so that exp cannot overflow.

struct Params {
    batch: u32,
    classes: u32,
    examples: u32,
    label_smoothing: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

// q_c
fn target_share(row: Row, c: u32) -> f32 {
    let even = params.label_smoothing / f32(params.classes);
    return even + select(0.0, 1.0 - params.label_smoothing, c == row.target_class);
}

fn row_loss(row: Row, thread: u32) -> f32 {
    var own = vec2<f32>(); // sums of exp(z_c) and of q_c z_c
    for (var c = thread; c < params.classes; c += THREADS) {
        let z = f32(logits[row.first + c]) - row.largest;
        own += vec2<f32>(exp(z), target_share(row, c) * z);
    }
    let sums = sum(own, thread);
    for (var c = thread; c < params.classes; c += THREADS) {
        let probability = exp(f32(logits[row.first + c]) - row.largest) / sums.x;
        logits_grad[row.first + c] = stored((probability - target_share(row, c)) * row.scale);
    }
    return log(sums.x) - sums.y;
}
