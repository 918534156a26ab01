//! What can go wrong with a device.

use thiserror::Error;

use crate::plan::PlanError;

/// A device that is missing, refuses or fails.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// A GPU was asked for where there is none.
    #[error(
        "no GPU adapter was found: on Linux install a Vulkan loader and driver (Debian and Ubuntu: `apt-get install \
         mesa-vulkan-drivers`, which also brings the software adapter llvmpipe; NVIDIA: its own driver and libvulkan1), \
         on Windows and macOS update the graphics driver"
    )]
    NoAdapter,
    /// A name or index that fits nothing.
    #[error("no device fits `{wanted}`; there are: auto, cpu{}", list(.available))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// Names of the adapters, in order.
        available: Vec<String>,
    },
    /// A driver that gives no device.
    #[error("adapter {adapter} gave no device ({reason}); try another adapter or the CPU")]
    Refused {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// Half precision where there is none.
    #[error(
        "adapter {adapter} does not compute with 16-bit floats (WebGPU's shader-f16); use another adapter, the CPU or single precision"
    )]
    NoHalf {
        /// The adapter.
        adapter: String,
    },
    /// Something larger than the device takes.
    #[error(
        "too large for adapter {adapter}: {what} needs {needed}, its limit {limit} is {allowed}; use a smaller network or \
         batch, another adapter, or the CPU"
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
    #[error("adapter {adapter} has no room for the {needed} bytes of this network and data set ({reason})")]
    OutOfMemory {
        /// The adapter.
        adapter: String,
        /// Bytes of the whole plan.
        needed: u64,
        /// What the driver said.
        reason: String,
    },
    /// A driver that rejects a kernel.
    #[error("the driver of adapter {adapter} rejected kernel {kernel}: {reason}")]
    Shader {
        /// The kernel.
        kernel: &'static str,
        /// The adapter.
        adapter: String,
        /// What it said.
        reason: String,
    },
    /// A profile of an adapter that tells no time.
    #[error("adapter {adapter} has no timestamp queries, which timing launches needs; try another adapter or the CPU")]
    NoTimestamps {
        /// The adapter.
        adapter: String,
    },
    /// Memory that the operating system refuses to the CPU backend.
    #[error("there is no memory for the {needed} bytes of this network and data set; use a smaller network or batch")]
    HostMemory {
        /// Bytes of the whole plan.
        needed: u64,
    },
    /// Threads that the operating system refuses to the CPU backend.
    #[error("the CPU backend could not start its threads ({cause}); use fewer")]
    Threads {
        /// Why.
        cause: rayon::ThreadPoolBuildError,
    },
    /// A plan that does not hold together: a mistake in a layer or kernel, not the user's.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A failure while running.
    #[error("the GPU failed: {message}; files written before stay as they are")]
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
