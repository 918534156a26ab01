// output = x / (1 + |x|), element by element.

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<f32>; // [length]
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [length]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if i < params.length {
        output[i] = input[i] / (1.0 + abs(input[i]));
    }
}
