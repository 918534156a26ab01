// output = activation(pre_activation), for activations whose derivative takes the pre-activation, which is kept.

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> pre_activation: array<stored>; // [length]
@group(0) @binding(3) var<storage, read_write> output: array<stored>; // [length]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = linear_index(group, groups, thread);
    if i < params.length {
        output[i] = stored(activate(f32(pre_activation[i])));
    }
}
