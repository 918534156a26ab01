//! Checks a plan against an adapter's limits.

use super::AdapterLimits;
use crate::plan::{Phase, Plan};

/// A buffer or launch beyond a limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excess {
    /// The buffer or launch.
    pub(super) what: String,
    /// The size that it needs.
    pub(super) needed: u64,
    /// The limit's WebGPU name.
    pub(super) limit: &'static str,
    /// Its value.
    pub(super) allowed: u64,
}

/// The first buffer or launch beyond a limit.
pub(super) fn first_excess(plan: &Plan, limits: &AdapterLimits) -> Option<Excess> {
    for (buffer, info) in plan.buffers().iter().enumerate() {
        let needed = plan.buffer_bytes(buffer);
        for (limit, allowed) in [
            ("max_storage_buffer_binding_size", limits.max_storage_buffer_binding_size),
            ("max_buffer_size", limits.max_buffer_size),
        ] {
            if needed > allowed {
                let what = format!("the buffer `{}` (in bytes)", info.name);
                return Some(Excess { what, needed, limit, allowed });
            }
        }
    }
    let allowed = u64::from(limits.max_compute_workgroups_per_dimension);
    for launch in Phase::ALL.iter().flat_map(|&phase| plan.launches(phase)) {
        let needed = u64::from((launch.kernel.grid)(&launch.params).into_iter().max().unwrap_or(0));
        if needed > allowed {
            let what = format!("a launch of {} (in workgroups along one axis)", launch.kernel.name);
            return Some(Excess { what, needed, limit: "max_compute_workgroups_per_dimension", allowed });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Normalization;
    use crate::data::{DataShape, FeatureType};
    use crate::nn::model::{Model, TrainingOptions};
    use crate::nn::optim::Optimizer;

    const WEBGPU_DEFAULT: AdapterLimits = AdapterLimits {
        max_buffer_size: 256 << 20,
        max_storage_buffer_binding_size: 128 << 20,
        max_storage_buffers_per_shader_stage: 8,
        max_compute_workgroup_storage_size: 16_384,
        max_compute_invocations_per_workgroup: 256,
        max_compute_workgroups_per_dimension: 65_535,
        min_storage_buffer_offset_alignment: 256,
        min_uniform_buffer_offset_alignment: 256,
    };

    fn excess(arch: &str, batch: usize, examples: usize, limits: &AdapterLimits) -> Option<Excess> {
        let model = Model::new(&arch.parse().unwrap());
        let features = model.arch().inputs();
        let data = DataShape {
            train: examples,
            examples,
            features,
            values: FeatureType::Bytes,
            normalization: Normalization::UNIT,
        };
        let options = TrainingOptions { batch, optimizer: Optimizer::adam(), ..TrainingOptions::default() };
        first_excess(&model.record_training(data, &options).unwrap().plan, limits)
    }

    #[test]
    fn plans_beyond_a_limit_name_the_limit() {
        let headline = "784-3000-2500-2000-1500-1000-500-10";
        assert_eq!(excess(headline, 256, 70_000, &WEBGPU_DEFAULT), None, "the headline network fits WebGPU's defaults");
        // 784 * 43,000 weights of four bytes: 128.6 MiB.
        let found = excess("784-43000-10", 1, 10, &WEBGPU_DEFAULT).unwrap();
        assert_eq!((found.limit, found.allowed), ("max_storage_buffer_binding_size", 128 << 20));
        assert!(found.needed > found.allowed && found.what.contains("parameters"), "{found:?}");
        let small = AdapterLimits { max_buffer_size: 50 << 20, ..WEBGPU_DEFAULT };
        assert_eq!(excess("784-10", 1, 70_000, &small).unwrap().limit, "max_buffer_size");
        // 65,536 tiles of 64 units exceed one axis, so the grid is folded.
        let wide =
            AdapterLimits { max_buffer_size: u64::MAX, max_storage_buffer_binding_size: u64::MAX, ..WEBGPU_DEFAULT };
        assert_eq!(excess("1-4194241-1", 1, 1, &wide), None);
        // The order of 70,000 examples, 256 per workgroup.
        let narrow = AdapterLimits { max_compute_workgroups_per_dimension: 273, ..WEBGPU_DEFAULT };
        let found = excess("784-10", 1, 70_000, &narrow).unwrap();
        assert_eq!((found.limit, found.needed), ("max_compute_workgroups_per_dimension", 274));
    }
}
