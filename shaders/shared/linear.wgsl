// Kernels over a flat range: 256 threads a group, groups folded into two axes where one would be too long.

const LINEAR_THREADS: u32 = 256u;

// Number of the thread among all threads of the dispatch.
fn linear_index(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
    return (group.y * groups.x + group.x) * LINEAR_THREADS + thread;
}
