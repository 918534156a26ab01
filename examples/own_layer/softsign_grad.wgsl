// input_grad = output_grad / (1 + |x|)^2, element by element.

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<f32>; // [length]
@group(0) @binding(3) var<storage, read> output_grad: array<f32>; // [length]
@group(0) @binding(4) var<storage, read_write> input_grad: array<f32>; // [length]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if i < params.length {
        let divisor = 1.0 + abs(input[i]);
        input_grad[i] = output_grad[i] / (divisor * divisor);
    }
}
