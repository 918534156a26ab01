//! The best rates that a device reaches with gpunet's own kernels.

use std::ops::ControlFlow;

use serde::Serialize;

use crate::backend::DeviceError;
use crate::backend::{Backend, Span};
use crate::kernels::activation::Activation;
use crate::kernels::kernel::{DType, KernelSpec};
use crate::kernels::precision::Precision;
use crate::kernels::step::Step;
use crate::kernels::{Activate, DenseForward};
use crate::plan::{Phase, PlanBuilder, Role};

/// Measured rates of a device.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ceilings {
    /// 10^9 floating-point operations per second in a large matrix product, in the profiled precision.
    pub gflops: f64,
    /// 10^9 bytes per second in a copy, read and written bytes together.
    pub gigabytes_per_second: f64,
}

/// Elements of the copy: 64 MiB, more than the caches of most devices.
const COPIED: usize = 1 << 24;

/// Sides of the square matrices to try, until a product takes long enough to occupy the device.
const SIDES: [usize; 4] = [512, 1024, 2048, 4096];

/// Seconds that are long enough.
const LONG_ENOUGH: f64 = 0.02;

/// Number of runs; the fastest counts.
const RUNS: usize = 3;

impl Ceilings {
    /// Measures both rates in a fraction of a second. The copy is in f32.
    ///
    /// # Errors
    /// Those of [`crate::backend::Program::profile`], or a device without enough memory.
    pub fn measure(backend: &dyn Backend, precision: Precision) -> Result<Ceilings, DeviceError> {
        let copy = Activate { length: COPIED as u32 };
        let seconds = quickest(backend, copy, Precision::F32)?;
        let gigabytes_per_second = copy.bytes() as f64 / seconds / 1e9;
        let mut gflops = 0f64;
        for side in SIDES {
            let product = DenseForward { rows: side as u32, inputs: side as u32, outputs: side as u32 };
            let seconds = quickest(backend, product, precision)?;
            gflops = gflops.max(product.flops() as f64 / seconds / 1e9);
            if seconds >= LONG_ENOUGH {
                break;
            }
        }
        Ok(Ceilings { gflops, gigabytes_per_second })
    }
}

/// Seconds of one launch, alone in a plan; the fastest of [`RUNS`].
fn quickest<K: KernelSpec>(backend: &dyn Backend, kernel: K, precision: Precision) -> Result<f64, DeviceError> {
    let mut plan = PlanBuilder::new();
    let tensors: Vec<_> = (K::SLOTS.iter().zip(kernel.lengths()))
        .map(|(slot, length)| plan.tensor(slot.name, &[length], DType::F32, Role::Activation))
        .collect();
    plan.launch_specialised(Phase::Train, kernel, &[Activation::Identity.constant()], &tensors);
    let plan = plan.finish()?;
    let plan = plan.in_precision(precision)?;
    let mut program = backend.load(&plan)?;
    let spans = program.profile(Phase::Train, &[Step::default(); RUNS], &mut |_| ControlFlow::Continue(()))?;
    Ok(spans.iter().map(Span::seconds).fold(f64::INFINITY, f64::min))
}
