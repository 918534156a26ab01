// output = activation((input - mean) / sqrt(variance + epsilon) * scale + shift), channel by channel.

struct Params {
    batch: u32,
    channels: u32,
    length: u32, // values of a channel in a full batch
    channel_stride: u32, // from a channel to the next
    value_stride: u32, // from a value of a channel to the next
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // channels of length values
@group(0) @binding(3) var<storage, read> mean: array<f32>; // [channels]
@group(0) @binding(4) var<storage, read> variance: array<f32>; // [channels]
@group(0) @binding(5) var<storage, read> scale: array<f32>; // [channels]
@group(0) @binding(6) var<storage, read> shift: array<f32>; // [channels]
@group(0) @binding(7) var<storage, read_write> output: array<stored>; // as input

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
    let factor = scale[channel] / sqrt(variance[channel] + params.epsilon);
    output[i] = stored(activate((f32(input[i]) - mean[channel]) * factor + shift[channel]));
}
