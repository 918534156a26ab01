//! All kernels, one file per kernel: the file has its shader's name and lies in the folder of its family.

pub mod activation;
pub mod kernel;
pub mod precision;
pub(crate) mod shared;
pub mod step;
pub mod tile;

use self::kernel::{Input, Kernel, KernelSpec};
use self::step::Step;

/// Declares the module of each kernel, re-exports its type here, and builds the list of all kernels.
macro_rules! kernels {
    ($($family:ident [$($shared:ident),*] $($module:ident::$kernel:ident),+;)+) => {
        $(
            /// The kernels of this family and their shared code.
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
    data [gather] shuffle::Shuffle, gather::Gather, gather_f32::GatherF32;
    elementwise [] activate::Activate, dropout::Dropout, dropout_grad::DropoutGrad, transpose::Transpose;
    dense [dense_update] dense_forward::DenseForward, dense_input_grad::DenseInputGrad, dense_grad::DenseGrad, dense_sgd::DenseSgd, dense_momentum::DenseMomentum, dense_adam::DenseAdam;
    conv [conv] conv_forward::ConvForward, conv_input_grad::ConvInputGrad, conv_weight_grad::ConvWeightGrad, map_sums::MapSums;
    pool [pool] max_pool::MaxPool, max_pool_grad::MaxPoolGrad, avg_pool::AvgPool, avg_pool_grad::AvgPoolGrad;
    norm [batch_norm, layer_norm, sums] batch_norm_stats::BatchNormStats, batch_norm::BatchNorm, batch_norm_sums::BatchNormSums, batch_norm_grad::BatchNormGrad, layer_norm::LayerNorm, layer_norm_grad::LayerNormGrad, layer_norm_sums::LayerNormSums;
    product [] add_partials::AddPartials, gemm::Gemm;
    loss [loss] softmax_cross_entropy::SoftmaxCrossEntropy, hinge::Hinge, squared_error::SquaredError, log_batch::LogBatch;
    optim [adam, arena, momentum, penalties, sgd] gradient_norm::GradientNorm, unscale::Unscale, adjust_scale::AdjustScale, clip_value::ClipValue, clip_norm::ClipNorm, regularize::Regularize, sgd::Sgd, momentum::Momentum, rmsprop::RmsProp, adagrad::Adagrad, adam::Adam, lion::Lion, nadam::NAdam, radam::RAdam, muon::Muon, normalize::Normalize, max_norm::MaxNorm;
}

pub use conv::shared::conv::ConvSizes;
pub use dense::shared::dense_update::DenseUpdate;
pub use loss::hinge::HingeVariant;
pub use norm::shared::batch_norm::ChannelSizes;
pub use norm::shared::layer_norm::ExampleSizes;
pub use optim::shared::adam::AdamRates;
pub use optim::shared::momentum::MomentumRates;
pub use optim::shared::penalties::Penalties;
pub use pool::shared::pool::PoolSizes;
pub(crate) use shared::loss_scale;

/// The WGSL module of a kernel: the given shared parts, then the kernel's own file. Names are paths within `shaders/`.
macro_rules! wgsl {
    ($name:literal $(, $part:literal)*) => {
        concat!(
            $(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $part, ".wgsl")), "\n",)*
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl"))
        )
    };
}
pub(crate) use wgsl;

/// Threads per workgroup in kernels that run over a flat range (`shaders/shared/linear.wgsl`).
const LINEAR_THREADS: usize = 256;

/// Grid of a kernel that runs over a flat range.
pub(crate) fn flat_grid(length: usize) -> [u32; 3] {
    crate::kernels::kernel::linear_grid(length.div_ceil(LINEAR_THREADS))
}

/// Edge cases for the length of a flat range: one, a prime, one more than a workgroup.
pub(crate) const EDGE_LENGTHS: [usize; 3] = [1, 97, 257];

/// [`EDGE_LENGTHS`], and one element more than 65,535 workgroups hold, so that the grid needs a second axis. That
/// length is slow. A few kernels test it for all, since every kernel over a flat range uses the same [`flat_grid`].
pub(crate) const AWKWARD_LENGTHS: [usize; 4] = [1, 97, 257, 65_535 * LINEAR_THREADS + 1];

/// The two ways to launch a gradient kernel: `(label, prior contents of the gradient, step)`.
pub(crate) fn accumulation_cases() -> [(&'static str, Input, Step); 2] {
    let step = |accumulated| Step { accumulated, ..Step::default() };
    [("first of an update", Input::Poison, step(0)), ("added", Input::SIGNED, step(2))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::math::random::{FEISTEL_ROUNDS, Stream};

    /// Constants that Rust and WGSL both define, outside of a kernel's interface, have the same values.
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
            (LayerNorm::KERNEL, "LANES_ALONG", norm::shared::layer_norm::LANES_ALONG as u32),
            (LayerNorm::KERNEL, "LANES_ACROSS", norm::shared::layer_norm::LANES_ACROSS as u32),
            (Hinge::KERNEL, "CRAMMER_SINGER", HingeVariant::CrammerSinger.constant()),
        ] {
            let line = format!("const {name}: u32 = {value}u;");
            assert!(kernel.wgsl.contains(&line), "{}: `{line}` is not in the shader", kernel.name);
        }
    }

    /// All but the identity, which is what remains.
    #[test]
    fn activations_have_the_numbers_of_the_shaders() {
        for activation in &Activation::ALL[1..] {
            let name = activation.name().to_uppercase().replace('-', "_");
            let line = format!("const {name}: u32 = {}u;", activation.constant());
            assert!(Activate::KERNEL.wgsl.contains(&line), "`{line}` is not in the shader");
            let case = format!("case {name}: {{");
            assert_eq!(Activate::KERNEL.wgsl.matches(&case).count(), 2, "`{case}` stands in both functions");
        }
    }
}
