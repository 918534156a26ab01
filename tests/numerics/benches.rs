//! Checks the launches that `benches/kernels` times, without timing them.

use crate::launches::Work;
use gpunet::low_level::kernels::KERNELS;

/// `of_every_kernel` panics with the name of a kernel that no network launches.
#[test]
fn every_kernel_is_timed_at_shapes_that_training_launches() {
    let timed = crate::launches::of_every_kernel();
    let names: Vec<&str> = timed.iter().map(|(kernel, _)| kernel.name).collect();
    assert_eq!(names, KERNELS.iter().map(|kernel| kernel.name).collect::<Vec<_>>());
    let mut ids = Vec::new();
    for (kernel, launches) in &timed {
        for launch in launches {
            let id = format!("{} {} {}", kernel.name, launch.network, launch.output);
            assert_eq!(launch.kernel().name, kernel.name);
            assert!(matches!(launch.work(), Work::Flops(1..) | Work::Bytes(1..)), "{id} has no work");
            assert!(!ids.contains(&id), "{id} is listed twice");
            ids.push(id);
        }
    }
}
