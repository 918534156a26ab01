// Hinge losses of multi-class support vector machines (shaders/loss/shared/loss.wgsl). With the violations v_c = [c !=
// target] margin + z_c - z_target:
//   row_loss = sum_c max(0, v_c)     Weston and Watkins: every class with v_c > 0 counts
//   row_loss = max_c v_c             Crammer and Singer: only the largest v_c counts, the lowest class of equals
// v_target is 0, so neither loss is negative. The gradient is 1 for each class that counts, minus their number for the
// target, and 0 for all other classes.

struct Params {
    batch: u32,
    classes: u32,
    examples: u32,
    margin: f32,
}

override variant: u32;

@group(0) @binding(0) var<uniform> params: Params;

const CRAMMER_SINGER: u32 = 1u; // HingeVariant; 0 is Weston and Watkins

fn violation(row: Row, c: u32) -> f32 {
    let margin = select(params.margin, 0.0, c == row.target_class);
    return margin + f32(logits[row.first + c]) - f32(logits[row.first + row.target_class]);
}

fn row_loss(row: Row, thread: u32) -> f32 {
    var only = NONE; // the one class that may count
    if variant == CRAMMER_SINGER {
        var own = Entry(0.0, NONE);
        for (var c = thread; c < params.classes; c += THREADS) {
            own = greater(own, Entry(violation(row, c), c));
        }
        only = greatest(own, thread).index;
    }
    var own = vec2<f32>(); // sum and number of the violations that count
    for (var c = thread; c < params.classes; c += THREADS) {
        let v = violation(row, c);
        let counts = v > 0.0 && (only == NONE || c == only);
        own += select(vec2<f32>(), vec2<f32>(v, 1.0), counts);
        logits_grad[row.first + c] = stored(select(0.0, row.scale, counts));
    }
    let sums = sum(own, thread);
    // The thread that wrote this element above must write it again, since writes of two threads have no order.
    if thread == row.target_class % THREADS {
        logits_grad[row.first + row.target_class] = stored(-sums.y * row.scale);
    }
    return sums.x;
}
