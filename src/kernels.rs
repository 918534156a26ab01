//! Every kernel there is: a file each, of the same name as its shader.

mod activate;
mod adagrad;
mod adam;
mod add_partials;
mod adjust_scale;
mod avg_pool;
mod avg_pool_grad;
mod batch_norm;
mod batch_norm_grad;
mod batch_norm_stats;
mod batch_norm_sums;
mod clip_norm;
mod clip_value;
mod conv_forward;
mod conv_input_grad;
mod conv_weight_grad;
mod dense_adam;
mod dense_forward;
mod dense_grad;
mod dense_input_grad;
mod dense_momentum;
mod dense_sgd;
mod dropout;
mod dropout_grad;
mod gather;
mod gradient_norm;
mod hinge;
mod lion;
mod log_batch;
mod map_sums;
mod max_norm;
mod max_pool;
mod max_pool_grad;
mod momentum;
mod regularize;
mod rmsprop;
mod sgd;
mod shuffle;
mod softmax_cross_entropy;
mod squared_error;
mod transpose;
mod unscale;

/// What several kernels share, as `shaders/lib` is what several shaders do.
mod lib {
    pub(super) mod adam;
    pub(super) mod batch_norm;
    pub(super) mod conv;
    pub(super) mod dense_update;
    pub(super) mod loss;
    pub(crate) mod loss_scale;
    pub(super) mod momentum;
    pub(super) mod penalties;
    pub(super) mod pool;
    pub(super) mod sgd;
}

pub use activate::Activate;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use add_partials::AddPartials;
pub use adjust_scale::AdjustScale;
pub use avg_pool::AvgPool;
pub use avg_pool_grad::AvgPoolGrad;
pub use batch_norm::BatchNorm;
pub use batch_norm_grad::BatchNormGrad;
pub use batch_norm_stats::BatchNormStats;
pub use batch_norm_sums::BatchNormSums;
pub use clip_norm::ClipNorm;
pub use clip_value::ClipValue;
pub use conv_forward::ConvForward;
pub use conv_input_grad::ConvInputGrad;
pub use conv_weight_grad::ConvWeightGrad;
pub use dense_adam::DenseAdam;
pub use dense_forward::DenseForward;
pub use dense_grad::DenseGrad;
pub use dense_input_grad::DenseInputGrad;
pub use dense_momentum::DenseMomentum;
pub use dense_sgd::DenseSgd;
pub use dropout::Dropout;
pub use dropout_grad::DropoutGrad;
pub use gather::Gather;
pub use gradient_norm::GradientNorm;
pub use hinge::{Hinge, HingeVariant};
pub use lib::adam::AdamRates;
pub use lib::batch_norm::ChannelSizes;
pub use lib::conv::ConvSizes;
pub use lib::dense_update::DenseUpdate;
pub(crate) use lib::loss_scale;
pub use lib::momentum::MomentumRates;
pub use lib::penalties::Penalties;
pub use lib::pool::PoolSizes;
pub use lion::Lion;
pub use log_batch::LogBatch;
pub use map_sums::MapSums;
pub use max_norm::MaxNorm;
pub use max_pool::MaxPool;
pub use max_pool_grad::MaxPoolGrad;
pub use momentum::Momentum;
pub use regularize::Regularize;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use shuffle::Shuffle;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
pub use squared_error::SquaredError;
pub use transpose::Transpose;
pub use unscale::Unscale;

use crate::kernel::{Input, Kernel, KernelSpec};
use crate::step::Step;

/// All kernels, in the order a step runs them. Doctor and the tests loop over this list.
pub const KERNELS: &[&Kernel] = &[
    Shuffle::KERNEL,
    Gather::KERNEL,
    Dropout::KERNEL,
    Transpose::KERNEL,
    ConvForward::KERNEL,
    BatchNormStats::KERNEL,
    BatchNorm::KERNEL,
    MaxPool::KERNEL,
    AvgPool::KERNEL,
    DenseForward::KERNEL,
    Activate::KERNEL,
    SoftmaxCrossEntropy::KERNEL,
    Hinge::KERNEL,
    SquaredError::KERNEL,
    LogBatch::KERNEL,
    DenseInputGrad::KERNEL,
    DropoutGrad::KERNEL,
    DenseGrad::KERNEL,
    DenseSgd::KERNEL,
    DenseMomentum::KERNEL,
    DenseAdam::KERNEL,
    AvgPoolGrad::KERNEL,
    MaxPoolGrad::KERNEL,
    BatchNormSums::KERNEL,
    BatchNormGrad::KERNEL,
    ConvInputGrad::KERNEL,
    ConvWeightGrad::KERNEL,
    MapSums::KERNEL,
    AddPartials::KERNEL,
    GradientNorm::KERNEL,
    Unscale::KERNEL,
    AdjustScale::KERNEL,
    ClipValue::KERNEL,
    ClipNorm::KERNEL,
    Regularize::KERNEL,
    Sgd::KERNEL,
    Momentum::KERNEL,
    RmsProp::KERNEL,
    Adagrad::KERNEL,
    Adam::KERNEL,
    Lion::KERNEL,
    MaxNorm::KERNEL,
];

/// The WGSL module of a kernel: the named parts of `shaders/lib`, then the kernel's own file.
macro_rules! wgsl {
    ($name:literal $(, $part:literal)*) => {
        concat!(
            $(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/lib/", $part, ".wgsl")), "\n",)*
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl"))
        )
    };
}
pub(crate) use wgsl;

/// Threads of a workgroup of the kernels that run over a flat range (`shaders/lib/linear.wgsl`).
const LINEAR_THREADS: usize = 256;

/// Grid of a kernel that runs over a flat range.
fn flat_grid(length: usize) -> [u32; 3] {
    crate::kernel::linear_grid(length.div_ceil(LINEAR_THREADS))
}

/// Lengths at the edges: one, a prime, one past a workgroup.
const EDGE_LENGTHS: [usize; 3] = [1, 97, 257];

/// The same, and one past the 65,535 groups of one axis. It is a slow one, so that not all kernels over a flat range are run
/// on it: they share the fold.
const AWKWARD_LENGTHS: [usize; 4] = [1, 97, 257, 65_535 * LINEAR_THREADS + 1];

/// What a gradient kernel is launched with besides its shape: a label, what stands in the gradient before, the step.
fn accumulation_cases() -> [(&'static str, Input, Step); 2] {
    let step = |accumulated| Step { accumulated, ..Step::default() };
    [("first of an update", Input::Poison, step(0)), ("added", Input::SIGNED, step(2))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::random::{FEISTEL_ROUNDS, Stream};

    /// Numbers that stand on both sides, and are no part of a kernel's interface, are the same.
    #[test]
    fn constants_are_those_of_the_shaders() {
        for (kernel, name, value) in [
            (Transpose::KERNEL, "SIDE", transpose::SIDE as u32),
            (Sgd::KERNEL, "LINEAR_THREADS", LINEAR_THREADS as u32),
            (Shuffle::KERNEL, "FEISTEL_ROUNDS", FEISTEL_ROUNDS),
            (Shuffle::KERNEL, "STREAM", Stream::Shuffle { epoch: 1 }.words()[0]),
            (Dropout::KERNEL, "STREAM", Stream::Dropout { site: 0, epoch: 1 }.words()[0]),
            (AdjustScale::KERNEL, "SCALE", lib::loss_scale::SCALE as u32),
            (AdjustScale::KERNEL, "INVERSE", lib::loss_scale::INVERSE as u32),
            (AdjustScale::KERNEL, "UPDATES", lib::loss_scale::UPDATES as u32),
            (AdjustScale::KERNEL, "APPLIES", lib::loss_scale::APPLIES as u32),
            (AdjustScale::KERNEL, "LEFT_OUT", lib::loss_scale::LEFT_OUT as u32),
            (Hinge::KERNEL, "CRAMMER_SINGER", HingeVariant::CrammerSinger.constant()),
            (DenseForward::KERNEL, "RELU", Activation::Relu.constant()),
            (DenseForward::KERNEL, "LEAKY_RELU", Activation::LeakyRelu.constant()),
            (DenseForward::KERNEL, "ELU", Activation::Elu.constant()),
            (DenseForward::KERNEL, "GELU", Activation::Gelu.constant()),
            (DenseForward::KERNEL, "SILU", Activation::Silu.constant()),
            (DenseForward::KERNEL, "TANH", Activation::Tanh.constant()),
            (DenseForward::KERNEL, "SIGMOID", Activation::Sigmoid.constant()),
        ] {
            let line = format!("const {name}: u32 = {value}u;");
            assert!(kernel.wgsl.contains(&line), "{}: `{line}` is not in the shader", kernel.name);
        }
    }
}
