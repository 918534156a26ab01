// Sums over the 256 threads of a workgroup, added in a fixed order.

const SUM_THREADS: u32 = 256u;

var<workgroup> sums: array<f32, 256>;

// The sum of `value` over all threads. Every thread gets it.
fn group_sum(thread: u32, value: f32) -> f32 {
    sums[thread] = value;
    workgroupBarrier();
    for (var width = SUM_THREADS / 2u; width > 0u; width /= 2u) {
        if thread < width {
            sums[thread] += sums[thread + width];
        }
        workgroupBarrier();
    }
    return sums[0];
}
