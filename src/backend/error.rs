//! Errors of devices.

use thiserror::Error;

use crate::plan::PlanError;

/// A device that is missing, refuses a plan or fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No GPU although one was requested.
    #[error(
        "no GPU adapter was found: on Linux install a Vulkan loader and driver (Debian and Ubuntu: `apt-get install \
         mesa-vulkan-drivers`, which also brings the software adapter llvmpipe; NVIDIA: its own driver and libvulkan1), \
         on Windows and macOS update the graphics driver"
    )]
    NoAdapter,
    /// A name or index without a device.
    #[error("no device fits `{wanted}`; choose from auto, cpu{}", list(.available))]
    Unknown {
        /// The requested name or index.
        wanted: String,
        /// Names of the adapters, in order.
        available: Vec<String>,
    },
    /// A driver that provides no device.
    #[error("adapter {adapter} gave no device ({reason})")]
    Refused {
        /// The adapter.
        adapter: String,
        /// The driver's message.
        reason: String,
    },
    /// Half precision on an adapter without it.
    #[error("adapter {adapter} does not compute with 16-bit floats (WebGPU's shader-f16)")]
    NoHalf {
        /// The adapter.
        adapter: String,
    },
    /// A buffer or launch beyond a limit of the device.
    #[error("too large for adapter {adapter}: {what} needs {needed}, but {limit} is {allowed}")]
    Limit {
        /// The adapter.
        adapter: String,
        /// The buffer or launch.
        what: String,
        /// The size that it needs.
        needed: u64,
        /// The limit's WebGPU name.
        limit: &'static str,
        /// The limit's value.
        allowed: u64,
    },
    /// Too little memory, though within the limits.
    #[error("adapter {adapter} has no memory for the {needed} bytes of this network and data set ({reason})")]
    OutOfMemory {
        /// The adapter.
        adapter: String,
        /// Bytes of the whole plan.
        needed: u64,
        /// The driver's message.
        reason: String,
    },
    /// A kernel that the driver rejects.
    #[error("the driver of adapter {adapter} rejected kernel {kernel}: {reason}")]
    Shader {
        /// The kernel.
        kernel: &'static str,
        /// The adapter.
        adapter: String,
        /// The driver's message.
        reason: String,
    },
    /// Profiling on an adapter without timestamps.
    #[error("adapter {adapter} has no timestamp queries, so launches cannot be timed")]
    NoTimestamps {
        /// The adapter.
        adapter: String,
    },
    /// Memory that the operating system refuses the CPU backend.
    #[error("there is no memory for the {needed} bytes of this network and data set")]
    HostMemory {
        /// Bytes of the whole plan.
        needed: u64,
    },
    /// Threads that the operating system refuses the CPU backend.
    #[error("the CPU backend could not start its threads ({cause})")]
    Threads {
        /// The cause.
        cause: rayon::ThreadPoolBuildError,
    },
    /// An inconsistent plan: a mistake in a layer or kernel, not the user's.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A failure during a run.
    #[error("the GPU failed: {message}; files written so far are unaffected")]
    Fault {
        /// The driver's message.
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
