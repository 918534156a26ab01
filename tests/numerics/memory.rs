//! A run allocates the device memory that its plan states, and no more while it runs.

use std::ops::ControlFlow;

use crate::harness::{Small, first_step};
use gpunet::low_level::backend::Backend;
use gpunet::low_level::backend::DeviceError;
use gpunet::low_level::backend::device::DeviceOptions;
use gpunet::low_level::backend::gpu::{AdapterSummary, GpuBackend};
use gpunet::low_level::data::Normalization;
use gpunet::low_level::data::{DataShape, FeatureType};
use gpunet::low_level::nn::model::{Model, TrainingOptions};
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::{Phase, Plan};

fn plan_of(arch: &str, batch: usize, examples: usize) -> Plan {
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
    model.record_training(data, &options).unwrap().plan
}

fn backend() -> GpuBackend {
    let first = |adapters: &[AdapterSummary]| Ok(adapters.first().map(|adapter| adapter.index));
    GpuBackend::open(first, &DeviceOptions::default()).unwrap().expect("GPU tests need an adapter")
}

/// Drivers round the size of each buffer up to a granularity of their own.
const GRANULARITY: u64 = 4096;

#[test]
fn headline_buffers_are_what_the_plan_says() {
    let backend = backend();
    let plan = plan_of("784-3000-2500-2000-1500-1000-500-10", 256, 70_000);
    let before = backend.buffer_memory();
    let program = backend.load(&plan).unwrap();
    let planned = plan.memory().total();
    assert_eq!(program.allocated_bytes(), planned);
    let measured = backend.buffer_memory() - before;
    let slack = GRANULARITY * (plan.buffers().len() as u64 + 8);
    println!("planned {planned}, measured {measured}");
    assert!((planned..planned + slack).contains(&measured), "planned {planned}, measured {measured}");
}

#[test]
fn memory_stays_constant_while_a_plan_runs() {
    let backend = backend();
    let small = Small::new("20-33-4", 8, Optimizer::adam(), 1.0);
    let mut program = backend.load(&small.recording.plan).unwrap();
    small.fill(program.as_mut());
    let steps = vec![first_step(0, 8, &Optimizer::adam()); 300];
    let mut seen = Vec::new();
    for _epoch in 0..4 {
        for phase in [Phase::Shuffle, Phase::Train, Phase::Eval] {
            program.run(phase, &steps, &mut |_| ControlFlow::Continue(())).unwrap();
        }
        program.slow_read_f32(small.recording.parameters[0]).unwrap();
        seen.push((program.allocated_bytes(), backend.buffer_memory()));
    }
    // After the first epoch, the driver may keep upload buffers of its own.
    assert!(seen[1..].iter().all(|sample| *sample == seen[1]), "{seen:?}");
}

#[test]
fn a_network_beyond_a_device_limit_is_refused_with_the_name_of_the_limit() {
    let backend = backend();
    // About 4 GiB of parameters, the most that a network may have. wgpu allows no binding of 2 GiB or more.
    let plan = plan_of("32768-32765-1", 1, 10);
    match backend.load(&plan).err() {
        Some(DeviceError::Limit { limit: name, allowed, needed, .. }) => {
            assert!(["max_storage_buffer_binding_size", "max_buffer_size"].contains(&name));
            assert!(needed > allowed);
        }
        other => panic!("expected a limit error, got {other:?}"),
    }
}
