//! Bugs that are planted in kernels on purpose and must be caught: the checks themselves are checked.

use crate::harness::gpu;
use gpunet::low_level::backend::Backend;
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::backend::parity::check_case;
use gpunet::low_level::kernels::kernel::{Arguments, Kernel, KernelSpec};
use gpunet::low_level::kernels::{
    Activate, Adagrad, Adam, AddPartials, AdjustScale, AvgPool, AvgPoolGrad, BatchNorm, BatchNormGrad, BatchNormStats,
    BatchNormSums, ClipNorm, ClipValue, ConvForward, ConvInputGrad, ConvWeightGrad, DenseAdam, DenseForward, DenseGrad,
    DenseInputGrad, DenseMomentum, DenseSgd, Dropout, DropoutGrad, Gather, GatherF32, Gemm, GradientNorm, Hinge,
    KERNELS, LayerNorm, LayerNormGrad, LayerNormSums, Lion, LogBatch, MapSums, MaxNorm, MaxPool, MaxPoolGrad, Momentum,
    Muon, NAdam, Normalize, RAdam, Regularize, RmsProp, Sgd, Shuffle, SoftmaxCrossEntropy, SquaredError, Transpose,
    Unscale,
};

/// The kernel with `from` replaced by `to` in its shader, exactly once.
fn with_shader(kernel: &Kernel, from: &str, to: &str) -> &'static Kernel {
    assert_eq!(kernel.wgsl.matches(from).count(), 1, "`{from}` must stand once in {}", kernel.name);
    let wgsl: &'static str = kernel.wgsl.replace(from, to).leak();
    Box::leak(Box::new(Kernel { wgsl, ..*kernel }))
}

/// The kernel with another f32 twin.
fn with_twin(kernel: &Kernel, run_f32: fn(&[u32], Arguments<'_, f32>)) -> &'static Kernel {
    Box::leak(Box::new(Kernel { run_f32, ..*kernel }))
}

/// Whether a case shows that the kernel computes wrongly; the first that does is enough.
fn is_caught(backend: &dyn Backend, kernel: &'static Kernel) -> bool {
    (kernel.cases)().iter().any(|case| check_case(backend, kernel, case).unwrap().1.failure.is_some())
}

/// What goes wrong in shaders: swapped operands, a skipped column, a forgotten factor, a sum cut short.
const SHADER_BUGS: &[(&Kernel, &str, &str)] = &[
    (Shuffle::KERNEL, "round < FEISTEL_ROUNDS", "round + 1u < FEISTEL_ROUNDS"),
    (Shuffle::KERNEL, "+ a0 * b1", "+ a1 * b0"),
    (Gather::KERNEL, "8u * (byte % 4u)", "8u * (byte % 2u)"),
    (Gather::KERNEL, "select(column, example, params.by_example != 0u)", "column"),
    (Gather::KERNEL, "if row < current.rows", "if row < params.batch"),
    (Gather::KERNEL, " + offsets[constant]", ""),
    (GatherF32::KERNEL, "return features[at]", "return features[at / 2u]"),
    (GatherF32::KERNEL, "example * params.features", "row * params.features"),
    (DenseForward::KERNEL, " + bias[n]", ""),
    (DenseForward::KERNEL, "n * params.inputs + k", "k * params.outputs + n"),
    (DenseForward::KERNEL, "return params.inputs;", "return params.inputs - 1u;"),
    (DenseForward::KERNEL, "m < params.rows && n < params.outputs {", "m < params.rows && n + 1u < params.outputs {"),
    (DenseForward::KERNEL, "select(z, 0.0, z < 0.0)", "abs(z)"),
    (Activate::KERNEL, "1.061405429", "1.061"),
    (Activate::KERNEL, "LEAK * z", "z"),
    (Activate::KERNEL, "select(z, MISH_IS_LINEAR, z > MISH_IS_LINEAR)", "z"),
    (Activate::KERNEL, "let w = n * (n + 2.0)", "let w = n * (n + 1.0)"),
    (Activate::KERNEL, "z, z >= 3.0)", "z, z >= 6.0)"),
    (DenseInputGrad::KERNEL, "4.0 * n * (n + 1.0)", "4.0 * n"),
    (DenseInputGrad::KERNEL, "kept / 3.0 + 0.5", "kept / 3.0"),
    (Activate::KERNEL, "bounded(z, 80.0)", "bounded(z, 8.0)"),
    (Dropout::KERNEL, "params.site << 8u", "0u"),
    (Dropout::KERNEL, "current.start + row", "row"),
    (Dropout::KERNEL, "vec4<f32>(params.scale)", "vec4<f32>(1.0)"),
    (DropoutGrad::KERNEL, " * factors[i]", " * factors[0]"),
    (DropoutGrad::KERNEL, "1.0, kept > MISH_IS_LINEAR)", "1.0, kept > 1e30)"),
    (DropoutGrad::KERNEL, "1.0, kept >= 3.0)", "1.0, kept >= 6.0)"),
    (DropoutGrad::KERNEL, " * derivative(f32(kept[at]))", ""),
    (DenseInputGrad::KERNEL, "let s = sigmoid(kept); return s *", "let s = sigmoid(kept); return"),
    (DenseInputGrad::KERNEL, "return 1.0 - kept * kept", "return 1.0 - kept"),
    (DenseInputGrad::KERNEL, " + kept * normal_density(kept)", ""),
    (DenseInputGrad::KERNEL, " * derivative(f32(kept[at]))", ""),
    (DenseInputGrad::KERNEL, "select(1.0, 0.0, kept <= 0.0)", "select(1.0, 0.0, kept <= 0.1)"),
    (DenseInputGrad::KERNEL, "k * params.inputs + n", "n * params.outputs + k"),
    (DenseGrad::KERNEL, "k * params.outputs + m", "m * params.rows + k"),
    (DenseGrad::KERNEL, "return params.rows;", "return min(params.rows, 128u);"),
    (DenseGrad::KERNEL, "gradients[at] += product", "gradients[at] = product"),
    (DenseGrad::KERNEL, "select(0.0, 1.0, k < params.rows && n == params.inputs)", "0.0"),
    (DenseGrad::KERNEL, "params.inputs + min(params.bias_at, 1u)", "params.inputs"),
    (DenseGrad::KERNEL, "params.bias_at + m", "params.outputs * params.inputs + m"),
    (DenseSgd::KERNEL, "params.inputs + min(params.bias_at, 1u)", "params.inputs + 1u"),
    (DenseMomentum::KERNEL, "update(at, gradient)", "update(at, -gradient)"),
    (DenseMomentum::KERNEL, "gradient += penalty_grad(w)", "gradient += w"),
    (DenseMomentum::KERNEL, "if n < params.inputs {\n        let w", "if n <= params.inputs {\n        let w"),
    (DenseAdam::KERNEL, "m * params.inputs + n, n <", "n * params.outputs + m, n <"),
    (DenseAdam::KERNEL, "parameters[at] = decayed(w)", "parameters[at] = w"),
    (SoftmaxCrossEntropy::KERNEL, "loss_scale[SCALE] / f32", "1.0 / f32"),
    (SoftmaxCrossEntropy::KERNEL, "f32(max(current.update_rows, 1u))", "f32(max(current.rows, 1u))"),
    (SoftmaxCrossEntropy::KERNEL, "best.value, scale", "0.0, scale"),
    (SoftmaxCrossEntropy::KERNEL, "b.index < a.index", "b.index > a.index"),
    (SoftmaxCrossEntropy::KERNEL, "current.start + index", "index"),
    (SoftmaxCrossEntropy::KERNEL, "1.0 - params.label_smoothing", "1.0"),
    (SoftmaxCrossEntropy::KERNEL, "params.label_smoothing / f32(params.classes)", "params.label_smoothing"),
    (SoftmaxCrossEntropy::KERNEL, "weight * loss_scale[SCALE]", "loss_scale[SCALE]"),
    (Hinge::KERNEL, "select(params.margin, 0.0, c == row.target_class)", "params.margin"),
    (Hinge::KERNEL, "c == only", "c >= only"),
    (Hinge::KERNEL, "if variant == CRAMMER_SINGER", "if variant != CRAMMER_SINGER"),
    (Hinge::KERNEL, "-sums.y * row.scale", "-row.scale"),
    (Hinge::KERNEL, "row.target_class % THREADS", "row.target_class"),
    (Hinge::KERNEL, "loss * weight", "loss"),
    (SquaredError::KERNEL, "2.0 * error", "error"),
    (SquaredError::KERNEL, ".x / classes", ".x"),
    (SquaredError::KERNEL, "if index >= current.rows", "if index >= params.batch"),
    (Transpose::KERNEL, "tile[j * (SIDE + 1u) + i]", "tile[i * (SIDE + 1u) + j]"),
    (Transpose::KERNEL, "group.y * groups.x + group.x", "group.x"),
    (ConvForward::KERNEL, "place.row * params.stride", "place.row"),
    (ConvForward::KERNEL, "+ tap.column - params.padding", "+ tap.column"),
    (ConvForward::KERNEL, "row >= params.in_height || column >= params.in_width", "row >= params.in_height"),
    (ConvForward::KERNEL, "n % params.batch", "0u"),
    (ConvForward::KERNEL, "product + bias[m]", "product"),
    (
        ConvForward::KERNEL,
        "index % row_tiles * TILE_ROWS, index / row_tiles",
        "index / row_tiles * TILE_ROWS, index % row_tiles",
    ),
    (ConvInputGrad::KERNEL, "+ params.padding - tap.row", "+ params.padding + tap.row"),
    (ConvInputGrad::KERNEL, "row % params.stride != 0u || ", ""),
    (ConvInputGrad::KERNEL, "params.in_channels + m", "params.in_channels"),
    (ConvInputGrad::KERNEL, "product * derivative(f32(kept[at]))", "product"),
    (
        ConvWeightGrad::KERNEL,
        "min((slice + 1u) * params.slice_rows, params.out_height)",
        "(slice + 1u) * params.slice_rows",
    ),
    (ConvWeightGrad::KERNEL, "slice = group.z", "slice = 0u"),
    (Gemm::KERNEL, "k * params.rows + m", "m * params.depth + k"),
    (Gemm::KERNEL, "n * params.depth + k", "k * params.columns + n"),
    (Gemm::KERNEL, "params.beta * product", "product"),
    (Gemm::KERNEL, "if params.alpha != 0.0", "if true"),
    (Gemm::KERNEL, "params.alpha * addend[at]", "addend[at]"),
    (AddPartials::KERNEL, "s < params.slices", "s + 1u < params.slices"),
    (AddPartials::KERNEL, "current.accumulated > 0u", "current.accumulated > 9u"),
    (MapSums::KERNEL, "channel * params.length + i", "i"),
    (MapSums::KERNEL, "current.accumulated > 0u", "current.accumulated > 9u"),
    (MaxPool::KERNEL, "value > best", "value >= best"),
    (MaxPool::KERNEL, "indices[index] = at", "indices[index] = 0u"),
    (MaxPool::KERNEL, "max(start, params.padding) - params.padding", "start"),
    (MaxPoolGrad::KERNEL, "padded / params.stride + 1u", "padded / params.stride"),
    (MaxPoolGrad::KERNEL, "sum * derivative(f32(kept[index]))", "sum"),
    (AvgPool::KERNEL, "params.window_height * params.window_width)", "(rows.y - rows.x) * (columns.y - columns.x))"),
    (AvgPoolGrad::KERNEL, "(before + params.stride - 1u) / params.stride", "before / params.stride"),
    (AvgPoolGrad::KERNEL, "sum / f32", "sum * f32"),
    (BatchNormStats::KERNEL, "max(count - 1.0, 1.0)", "count"),
    (BatchNormStats::KERNEL, "params.length / params.batch * max(current.rows, 1u)", "params.length"),
    (BatchNormStats::KERNEL, "params.value_stride]) - batch_mean", "params.value_stride])"),
    (BatchNorm::KERNEL, "variance[channel] + params.epsilon", "variance[channel]"),
    (BatchNorm::KERNEL, "% params.channels", "/ params.channels"),
    (BatchNormSums::KERNEL, "* inverse, gradient)", ", gradient)"),
    (BatchNormGrad::KERNEL, "if example < current.rows", "if example < params.batch"),
    (BatchNormGrad::KERNEL, "normalized * scale_sums[channel]", "scale_sums[channel]"),
    (LayerNorm::KERNEL, "example_variance + params.epsilon", "example_variance"),
    (LayerNorm::KERNEL, "params.value_stride]) - example_mean", "params.value_stride])"),
    (LayerNorm::KERNEL, "inverse * weight[j] + bias[j]", "inverse * weight[j] + bias[0]"),
    (LayerNorm::KERNEL, "variance[lane.item] = example_variance", "variance[lane.item] = example_variance * 2.0"),
    (
        LayerNorm::KERNEL,
        "(lane, along, vec2<f32>(own, 0.0)).x / f32(params.length);\n    own",
        "(lane, along, vec2<f32>(own, 0.0)).x / f32(params.batch);\n    own",
    ),
    (LayerNormGrad::KERNEL, " - means.x", ""),
    (LayerNormGrad::KERNEL, "normalized * means.y", "means.y"),
    (LayerNormGrad::KERNEL, "let gradient = f32(output_grad[at]) * weight[j]", "let gradient = f32(output_grad[at])"),
    (LayerNormGrad::KERNEL, "width * items", "width"),
    (LayerNormSums::KERNEL, "select(0u, current.rows,", "select(0u, params.batch,"),
    (LayerNormSums::KERNEL, "* inverse, gradient)", ", gradient)"),
    (LayerNormSums::KERNEL, "if current.accumulated > 0u", "if current.accumulated > 9u"),
    (LayerNormSums::KERNEL, "gradients[bias_at] = sums.y", "gradients[bias_at] = sums.x"),
    (LayerNormSums::KERNEL, "example * params.example_stride", "example * params.length"),
    (LogBatch::KERNEL, "current.log_row * 2u]", "0u]"),
    (LogBatch::KERNEL, "row += THREADS", "row += 2u * THREADS"),
    (Unscale::KERNEL, "loss_scale[INVERSE]", "loss_scale[SCALE]"),
    (Unscale::KERNEL, ", 0.0, overflowed", ", gradients[i], overflowed"),
    (Unscale::KERNEL, "if overflowed && loss_scale[SCALE] <= 1.0", "if overflowed"),
    (AdjustScale::KERNEL, "+= 1.0 - applies", "= 1.0 - applies"),
    (AdjustScale::KERNEL, "if scale > 1.0", "if scale > 0.0"),
    (AdjustScale::KERNEL, "if scale < params.largest", "if scale < 2.0 * params.largest"),
    (AdjustScale::KERNEL, "updates >= f32(params.interval)", "updates > f32(params.interval)"),
    (AdjustScale::KERNEL, "inverse_factor = 2.0", "inverse_factor = 0.5"),
    (ClipValue::KERNEL, ", params.max_value)", ", gradient)"),
    (ClipValue::KERNEL, "-params.max_value", "params.max_value"),
    (ClipValue::KERNEL, "if is_finite(gradient)", "if !is_nan(gradient)"),
    (GradientNorm::KERNEL, "gradient * gradient", "abs(gradient)"),
    (GradientNorm::KERNEL, "params.piece, params.length)", "params.piece, params.length - 1u)"),
    (GradientNorm::KERNEL, "width > 0u", "width > 1u"),
    (ClipNorm::KERNEL, "params.max_norm / (norm + 1e-6)", "params.max_norm / norm"),
    (ClipNorm::KERNEL, "factor < 1.0", "factor > 0.0"),
    (ClipNorm::KERNEL, "k < params.pieces; k += SUM_THREADS", "k < min(params.pieces, SUM_THREADS); k += SUM_THREADS"),
    (ClipNorm::KERNEL, "group.x * params.piece", "group.x * SUM_THREADS"),
    (Regularize::KERNEL, " || loss_scale[APPLIES] == 0.0", ""),
    (Regularize::KERNEL, "params.l2 * w + ", ""),
    (Regularize::KERNEL, "select(0.0, -1.0, x < 0.0)", "-1.0"),
    (Regularize::KERNEL, "current.learning_rate * params", "params"),
    (Sgd::KERNEL, " && loss_scale[APPLIES] != 0.0", ""),
    (Sgd::KERNEL, "i < params.length", "i + 1u < params.length"),
    (Sgd::KERNEL, "group.y * groups.x + group.x", "group.x"),
    (Momentum::KERNEL, " && loss_scale[APPLIES] != 0.0", ""),
    (Momentum::KERNEL, "velocity * current.first_moment_correction", "velocity"),
    (Momentum::KERNEL, "params.gradient_factor * gradient", "gradient"),
    (Momentum::KERNEL, "gradient + params.momentum * velocity", "gradient + velocity"),
    (RmsProp::KERNEL, " && loss_scale[APPLIES] != 0.0", ""),
    (RmsProp::KERNEL, "second_moments[i] = second", "second_moments[i] = gradient"),
    (RmsProp::KERNEL, "(root + params.epsilon)", "sqrt(second + params.epsilon)"),
    (Adagrad::KERNEL, " && loss_scale[APPLIES] != 0.0", ""),
    (Adagrad::KERNEL, "square_sums[i] + gradient", "gradient"),
    (Adagrad::KERNEL, " + params.epsilon)", ")"),
    (Adam::KERNEL, " && loss_scale[APPLIES] != 0.0", ""),
    (Adam::KERNEL, " * params.rate_factor", ""),
    (Adam::KERNEL, "+ params.epsilon)", ") + params.epsilon"),
    (Adam::KERNEL, "params.one_minus_beta2 * gradient * gradient", "params.one_minus_beta2 * gradient"),
    (Adam::KERNEL, "moments.y * current.second_moment_correction", "moments.y"),
    (Lion::KERNEL, " && loss_scale[APPLIES] != 0.0", ""),
    (Lion::KERNEL, "params.beta1 * first", "params.beta2 * first"),
    (Lion::KERNEL, "select(0.0, -1.0, x < 0.0)", "-1.0"),
    (Lion::KERNEL, "params.beta2 * first + params.one_minus_beta2", "params.beta2 * first + params.one_minus_beta1"),
    (NAdam::KERNEL, "current.gradient_correction * gradient", "gradient"),
    (NAdam::KERNEL, "direction / (root", "moments.x / (root"),
    (NAdam::KERNEL, "moments.y * current.second_moment_correction", "moments.y"),
    (RAdam::KERNEL, " && loss_scale[APPLIES] != 0.0", ""),
    (RAdam::KERNEL, "current.second_moment_correction != 0.0", "true"),
    (RAdam::KERNEL, "root + params.epsilon", "root"),
    (RAdam::KERNEL, "current.first_moment_correction * moments.x", "moments.x"),
    (Muon::KERNEL, "if loss_scale[APPLIES] != 0.0 {", "if true {"),
    (Muon::KERNEL, "momenta[i] = momentum", "momenta[i] = direction"),
    (Muon::KERNEL, "params.mu * momentum + share", "momentum"),
    (Normalize::KERNEL, "max(norm, params.least)", "norm"),
    (Normalize::KERNEL, "group.x * params.piece", "group.x * SUM_THREADS"),
    (Normalize::KERNEL, "sqrt(group_sum(thread, sum))", "group_sum(thread, sum)"),
    (MaxNorm::KERNEL, " || loss_scale[APPLIES] == 0.0", ""),
    (MaxNorm::KERNEL, "norm > params.max_norm", "norm > 0.0"),
    (MaxNorm::KERNEL, "sum += w * w", "sum = w * w"),
    (MaxNorm::KERNEL, "group.y * groups.x + group.x", "group.x"),
];

#[test]
fn parity_catches_bugs_in_shaders() {
    let backend = gpu(ShaderChecks::Checked);
    for (kernel, from, to) in SHADER_BUGS {
        let caught = is_caught(backend.as_ref(), with_shader(kernel, from, to));
        assert!(caught, "{}: `{to}` for `{from}` was not caught", kernel.name);
    }
    for kernel in KERNELS {
        assert!(SHADER_BUGS.iter().any(|(buggy, ..)| buggy.name == kernel.name), "{} has no planted bug", kernel.name);
    }
}

/// The usual tile of products, whatever suits the adapter.
#[test]
fn parity_catches_bugs_in_the_usual_tile() {
    let backend = gpu(ShaderChecks::Trusted);
    for (from, to) in [
        ("sum71 = fma(vec4<f32>(a1.w), b1, sum71)", "sum71 = fma(vec4<f32>(a1.z), b1, sum71)"),
        ("b_at(k, n + 3u)", "b_at(k, n + 2u)"),
        ("const STRIDE_A: u32 = QUADS_A + 1u;", "const STRIDE_A: u32 = QUADS_A - 1u;"),
        ("QUADS_B; element += TILE_THREADS", "QUADS_B; element += 2u * TILE_THREADS"),
        ("first += DEPTH", "first += 2u * DEPTH"),
        ("tile.y + 4u * quad.y", "tile.y + quad.y"),
    ] {
        assert!(
            is_caught(backend.as_ref(), with_shader(DenseForward::KERNEL, from, to)),
            "`{to}` for `{from}` was not caught"
        );
    }
}

/// A kernel that does nothing leaves the poison of its outputs in place.
#[test]
fn parity_catches_twins_that_write_nothing_or_not_enough() {
    let backend = CpuBackend::<f32>::new(None).unwrap();
    for kernel in KERNELS {
        assert!(is_caught(&backend, with_twin(kernel, |_, _| {})), "{} did nothing and was not caught", kernel.name);
    }
    let forgets_smoothing: fn(&[u32], Arguments<'_, f32>) = |params, arguments| {
        let kernel: &SoftmaxCrossEntropy = bytemuck::from_bytes(bytemuck::cast_slice(params));
        SoftmaxCrossEntropy { label_smoothing: 0.0, ..*kernel }.run(arguments);
    };
    assert!(is_caught(&backend, with_twin(SoftmaxCrossEntropy::KERNEL, forgets_smoothing)));
}
