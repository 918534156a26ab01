//! What can go wrong by a user's doing or a machine's: what it is, where, and what to do about it.

use thiserror::Error;

use crate::arch::ArchError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::plan::PlanError;
use crate::report::PictureError;
use crate::store::StoreError;

/// Any error of the library.
#[derive(Debug, Error)]
pub enum Error {
    /// An architecture that does not parse.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// A setting that makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Data that is missing, broken or does not fit.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A device that is missing, refuses or fails.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A chart that could not be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A recording that does not hold together: a mistake in a layer or kernel, not the user's.
    #[error("internal error, please report it: {0}")]
    Plan(#[from] PlanError),
    /// Training that left the finite numbers.
    #[error(
        "training diverged: the loss became {loss} in step {step} of epoch {epoch}; files of epochs before it stay as they \
         are; try a smaller --lr (it is {learning_rate:?})"
    )]
    Diverged {
        /// The loss.
        loss: f32,
        /// Epoch, from 1.
        epoch: usize,
        /// Step within the epoch, from 1.
        step: usize,
        /// Learning rate.
        learning_rate: f64,
    },
    /// Parameters that left the finite numbers while the losses had not yet.
    #[error(
        "training diverged: a parameter became {value} in epoch {epoch}; files of epochs before it stay as they are; \
         try a smaller --lr (it is {learning_rate:?})"
    )]
    ParameterDiverged {
        /// Its value.
        value: f32,
        /// Epoch, from 1.
        epoch: usize,
        /// Learning rate.
        learning_rate: f64,
    },
    /// A validation loss that is no number, though the training losses were.
    #[error(
        "training diverged: the validation loss became {loss} in epoch {epoch}; files of epochs before it stay as they are; \
         try a smaller --lr (it is {learning_rate:?})"
    )]
    ValidationDiverged {
        /// The loss.
        loss: f64,
        /// Epoch, from 1.
        epoch: usize,
        /// Learning rate.
        learning_rate: f64,
    },
    /// A model that overflows on the data it is evaluated on.
    #[error(
        "the model's loss on this data is {loss}: its outputs pass the range of f32, so that nothing can be said of it"
    )]
    LossNotFinite {
        /// The loss.
        loss: f64,
    },
    /// A run that would go on with other data.
    #[error(
        "{data} is not the data that this run was trained on so far: its examples differ; name the right one with --data"
    )]
    OtherData {
        /// The data set's name.
        data: String,
    },
    /// Memory that the operating system refuses.
    #[error("there is no memory for the {needed} bytes of this network and data set; use a smaller --arch or --batch")]
    OutOfMemory {
        /// Bytes of the whole plan.
        needed: u64,
    },
    /// A checkpoint whose values are not those of its own network.
    #[error(
        "the checkpoint does not hold the parameters and optimizer state that its settings call for; train the run anew"
    )]
    CheckpointMisfit,
    /// A benchmark whose step is wrong, so that its time means nothing.
    #[error(
        "nothing was timed, since the device computes wrongly: the loss of step {step} is {loss}, the CPU's in f64 {expected}; \
         `gpunet doctor` tells which kernel it is"
    )]
    WrongResult {
        /// Step, from 1.
        step: usize,
        /// The device's loss.
        loss: f64,
        /// The reference.
        expected: f64,
    },
    /// No threads to be had.
    #[error("the CPU backend could not start its threads ({cause}); try --threads 1")]
    Threads {
        /// Why.
        cause: rayon::ThreadPoolBuildError,
    },
}

impl Error {
    /// Whether the numbers of a training run were lost: other settings may do better, and nothing else is wrong.
    pub fn is_divergence(&self) -> bool {
        use Error::{Diverged, LossNotFinite, ParameterDiverged, ValidationDiverged};
        matches!(self, Diverged { .. } | ParameterDiverged { .. } | ValidationDiverged { .. } | LossNotFinite { .. })
    }
}

/// A device that is missing, refuses or fails.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// `--device gpu` where there is none.
    #[error(
        "no GPU adapter was found: on Linux install a Vulkan loader and driver (Debian and Ubuntu: `apt-get install \
         mesa-vulkan-drivers`, which also brings the software adapter llvmpipe; NVIDIA: its own driver and libvulkan1), \
         on Windows and macOS update the graphics driver; `--device cpu` works everywhere"
    )]
    NoAdapter,
    /// A name or index that fits nothing.
    #[error("no device fits `--device {wanted}`; there are: auto, cpu{}", list(.available))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// Names of the adapters, in order.
        available: Vec<String>,
    },
    /// A driver that gives no device.
    #[error(
        "adapter {adapter} gave no device ({reason}); try another one (`gpunet doctor` lists them) or `--device cpu`"
    )]
    Refused {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// Half precision where there is none.
    #[error(
        "adapter {adapter} does not compute with 16-bit floats (WebGPU's shader-f16); use another adapter or `--device cpu`, \
         or for a new run --precision f32"
    )]
    NoHalf {
        /// The adapter.
        adapter: String,
    },
    /// Something larger than the device takes.
    #[error(
        "too large for adapter {adapter}: {what} needs {needed}, its limit {limit} is {allowed}; use a smaller --arch or \
         --batch, another adapter, or `--device cpu`"
    )]
    Limit {
        /// The adapter.
        adapter: String,
        /// What is too large.
        what: String,
        /// What it needs.
        needed: u64,
        /// The limit's WebGPU name.
        limit: &'static str,
        /// Its value.
        allowed: u64,
    },
    /// Not enough memory, though within the limits.
    #[error(
        "adapter {adapter} has no room for the {needed} bytes of this network and data set ({reason}); use a smaller --arch \
         or --batch, or `--device cpu`"
    )]
    OutOfMemory {
        /// The adapter.
        adapter: String,
        /// Bytes of the whole plan.
        needed: u64,
        /// What the driver said.
        reason: String,
    },
    /// A driver that rejects a kernel.
    #[error(
        "the driver of adapter {adapter} rejected kernel {kernel}: {reason}; please report this with `gpunet doctor --json`"
    )]
    Shader {
        /// The kernel.
        kernel: &'static str,
        /// The adapter.
        adapter: String,
        /// What it said.
        reason: String,
    },
    /// A profile of an adapter that tells no time.
    #[error(
        "adapter {adapter} has no timestamp queries, which --profile and --tune need; try another adapter or `--device cpu`"
    )]
    NoTimestamps {
        /// The adapter.
        adapter: String,
    },
    /// A failure while running.
    #[error("the GPU failed: {message}; files written before stay as they are; `gpunet doctor` checks the device")]
    Fault {
        /// What the driver said.
        message: String,
    },
}

fn list(adapters: &[String]) -> String {
    if adapters.is_empty() {
        return " (no GPU adapter was found)".to_string();
    }
    let numbered: Vec<String> = adapters.iter().enumerate().map(|(i, name)| format!("{i} ({name})")).collect();
    format!(", gpu, {}", numbered.join(", "))
}
