//! Every kernel there is: a file each, of the same name as its shader, in the folder of its family.

pub mod activation;
pub mod kernel;
pub mod precision;
pub(crate) mod shared;
pub mod step;
pub mod tile;

use self::kernel::{Input, Kernel, KernelSpec};
use self::step::Step;

/// Declares the module of each kernel, gives its type a place here, and makes the list of all kernels.
macro_rules! kernels {
    ($($family:ident [$($shared:ident),*] $($module:ident::$kernel:ident),+;)+) => {
        $(
            /// The kernels of this family, and what they share.
            pub mod $family {
                $(pub(crate) mod $module;)+
                pub(crate) mod shared {
                    $(pub(crate) mod $shared;)*
                }
            }
            $(pub use $family::$module::$kernel;)+
        )+

        /// All kernels by family. Doctor and the tests loop over this list.
        pub const KERNELS: &[&Kernel] = &[$($($kernel::KERNEL,)+)+];
    };
}

kernels! {
    data [] shuffle::Shuffle, gather::Gather;
    elementwise [] activate::Activate, dropout::Dropout, dropout_grad::DropoutGrad, transpose::Transpose;
    dense [dense_update] dense_forward::DenseForward, dense_input_grad::DenseInputGrad, dense_grad::DenseGrad, dense_sgd::DenseSgd, dense_momentum::DenseMomentum, dense_adam::DenseAdam;
    conv [conv] conv_forward::ConvForward, conv_input_grad::ConvInputGrad, conv_weight_grad::ConvWeightGrad, map_sums::MapSums;
    pool [pool] max_pool::MaxPool, max_pool_grad::MaxPoolGrad, avg_pool::AvgPool, avg_pool_grad::AvgPoolGrad;
    norm [batch_norm] batch_norm_stats::BatchNormStats, batch_norm::BatchNorm, batch_norm_sums::BatchNormSums, batch_norm_grad::BatchNormGrad;
    product [] add_partials::AddPartials, gemm::Gemm;
    loss [loss] softmax_cross_entropy::SoftmaxCrossEntropy, hinge::Hinge, squared_error::SquaredError, log_batch::LogBatch;
    optim [adam, arena, momentum, penalties, sgd] gradient_norm::GradientNorm, unscale::Unscale, adjust_scale::AdjustScale, clip_value::ClipValue, clip_norm::ClipNorm, regularize::Regularize, sgd::Sgd, momentum::Momentum, rmsprop::RmsProp, adagrad::Adagrad, adam::Adam, lion::Lion, nadam::NAdam, radam::RAdam, muon::Muon, normalize::Normalize, max_norm::MaxNorm;
}

pub use conv::shared::conv::ConvSizes;
pub use dense::shared::dense_update::DenseUpdate;
pub use loss::hinge::HingeVariant;
pub use norm::shared::batch_norm::ChannelSizes;
pub use optim::shared::adam::AdamRates;
pub use optim::shared::momentum::MomentumRates;
pub use optim::shared::penalties::Penalties;
pub use pool::shared::pool::PoolSizes;
pub(crate) use shared::loss_scale;

/// The WGSL module of a kernel: the named shared parts, then the kernel's own file; all by their paths in `shaders/`.
macro_rules! wgsl {
    ($name:literal $(, $part:literal)*) => {
        concat!(
            $(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $part, ".wgsl")), "\n",)*
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl"))
        )
    };
}
pub(crate) use wgsl;

/// Threads of a workgroup of the kernels that run over a flat range (`shaders/shared/linear.wgsl`).
const LINEAR_THREADS: usize = 256;

/// Grid of a kernel that runs over a flat range.
pub(crate) fn flat_grid(length: usize) -> [u32; 3] {
    crate::kernels::kernel::linear_grid(length.div_ceil(LINEAR_THREADS))
}

/// Lengths at the edges: one, a prime, one past a workgroup.
pub(crate) const EDGE_LENGTHS: [usize; 3] = [1, 97, 257];

/// The same, and one past the 65,535 groups of one axis. It is a slow one, so that not all kernels over a flat range are run
/// on it: they share the fold.
pub(crate) const AWKWARD_LENGTHS: [usize; 4] = [1, 97, 257, 65_535 * LINEAR_THREADS + 1];

/// What a gradient kernel is launched with besides its shape: a label, what stands in the gradient before, the step.
pub(crate) fn accumulation_cases() -> [(&'static str, Input, Step); 2] {
    let step = |accumulated| Step { accumulated, ..Step::default() };
    [("first of an update", Input::Poison, step(0)), ("added", Input::SIGNED, step(2))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::math::random::{FEISTEL_ROUNDS, Stream};

    /// Numbers that stand on both sides, and are no part of a kernel's interface, are the same.
    #[test]
    fn constants_are_those_of_the_shaders() {
        for (kernel, name, value) in [
            (Transpose::KERNEL, "SIDE", elementwise::transpose::SIDE as u32),
            (Sgd::KERNEL, "LINEAR_THREADS", LINEAR_THREADS as u32),
            (Shuffle::KERNEL, "FEISTEL_ROUNDS", FEISTEL_ROUNDS),
            (Shuffle::KERNEL, "STREAM", Stream::Shuffle { epoch: 1 }.words()[0]),
            (Dropout::KERNEL, "STREAM", Stream::Dropout { site: 0, epoch: 1 }.words()[0]),
            (AdjustScale::KERNEL, "SCALE", shared::loss_scale::SCALE as u32),
            (AdjustScale::KERNEL, "INVERSE", shared::loss_scale::INVERSE as u32),
            (AdjustScale::KERNEL, "UPDATES", shared::loss_scale::UPDATES as u32),
            (AdjustScale::KERNEL, "APPLIES", shared::loss_scale::APPLIES as u32),
            (AdjustScale::KERNEL, "LEFT_OUT", shared::loss_scale::LEFT_OUT as u32),
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
