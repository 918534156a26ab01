// input_grad = scale / sqrt(variance + epsilon) * (output_grad - mean of it - normalized input * mean of their
// product), channel by channel (Ioffe and Szegedy, ICML 2015); 0 for padding rows. Nothing is applied before a batch
// normalization, so that there is no derivative to multiply by.

struct Params {
    batch: u32,
    channels: u32,
    length: u32, // values of a channel in a full batch
    channel_stride: u32, // from a channel to the next
    value_stride: u32, // from a value of a channel to the next
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // channels of length values
@group(0) @binding(3) var<storage, read> input: array<stored>; // likewise
@group(0) @binding(4) var<storage, read> mean: array<f32>; // [channels]
@group(0) @binding(5) var<storage, read> variance: array<f32>; // [channels]
@group(0) @binding(6) var<storage, read> scale: array<f32>; // [channels]
@group(0) @binding(7) var<storage, read> scale_sums: array<f32>; // [channels]
@group(0) @binding(8) var<storage, read> shift_sums: array<f32>; // [channels]
@group(0) @binding(9) var<storage, read_write> input_grad: array<stored>; // as input

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = linear_index(group, groups, thread);
    if i >= params.channels * params.length {
        return;
    }
    let channel = i / params.channel_stride % params.channels;
    let example = i / params.value_stride % params.batch;
    var result = 0.0;
    if example < current.rows {
        let count = f32(params.length / params.batch * current.rows);
        let inverse = 1.0 / sqrt(variance[channel] + params.epsilon);
        let normalized = (f32(input[i]) - mean[channel]) * inverse;
        let rest = f32(output_grad[i]) - (shift_sums[channel] + normalized * scale_sums[channel]) / count;
        result = scale[channel] * inverse * rest;
    }
    input_grad[i] = stored(result);
}
