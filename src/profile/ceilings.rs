//! What a device reaches at most with our own kernels, alone and at their best.

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
    /// 10^9 floating-point operations a second of a large matrix product in the precision that is profiled.
    pub gflops: f64,
    /// 10^9 bytes a second of a copy, read and written.
    pub gigabytes_per_second: f64,
}

/// Values that are copied: 64 MiB, more than the caches of most devices hold.
const COPIED: usize = 1 << 24;

/// Sides of the square matrices that are tried, until one takes long enough to keep the device busy.
const SIDES: [usize; 4] = [512, 1024, 2048, 4096];

/// Seconds that are long enough.
const LONG_ENOUGH: f64 = 0.02;

/// Runs of which the quickest counts.
const RUNS: usize = 3;

impl Ceilings {
    /// Measures them, which takes fractions of a second; the copy is of f32.
    ///
    /// # Errors
    /// As [`crate::backend::Program::profile`]; a device without room for it.
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

/// Seconds that a launch of a kernel takes, alone in a plan.
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
