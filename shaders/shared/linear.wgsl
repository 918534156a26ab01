// Kernels over a flat range: 256 threads per workgroup. A long grid is folded into two axes.

const LINEAR_THREADS: u32 = 256u;

// The thread's number within the dispatch.
fn linear_index(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
    return (group.y * groups.x + group.x) * LINEAR_THREADS + thread;
}
