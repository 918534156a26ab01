//! What `benches/kernels` times, without timing it.

use crate::launches::Work;
use gpunet::low_level::kernels::KERNELS;

/// A kernel that nothing launches is named in a panic.
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
            assert!(!ids.contains(&id), "{id} is there twice");
            ids.push(id);
        }
    }
}
