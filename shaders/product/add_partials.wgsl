// gradient[i] = sum over s of partials[s, i], in order. From the second batch of an update on, it is added to the
// gradient of the batches before.

struct Params {
    length: u32,
    slices: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> partials: array<f32>; // [slices, length]
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>; // [length]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = linear_index(group, groups, thread);
    if i >= params.length {
        return;
    }
    var sum = 0.0;
    for (var s = 0u; s < params.slices; s++) {
        sum += partials[s * params.length + i];
    }
    if current.accumulated > 0u {
        sum += gradient[i];
    }
    gradient[i] = sum;
}
