// The gradients of scale and shift in this batch: of each channel, the sums of output_grad * normalized input and of
// output_grad.

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
@group(0) @binding(6) var<storage, read_write> scale_sums: array<f32>; // [channels]
@group(0) @binding(7) var<storage, read_write> shift_sums: array<f32>; // [channels]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channel = group.y * groups.x + group.x;
    if channel >= params.channels {
        return;
    }
    let first = channel * params.channel_stride;
    let inverse = 1.0 / sqrt(variance[channel] + params.epsilon);
    var own = vec2<f32>();
    for (var i = thread; i < params.length; i += SUM_THREADS) {
        let at = first + i * params.value_stride;
        let gradient = f32(output_grad[at]); // 0 for padding rows
        own += vec2<f32>(gradient * (f32(input[at]) - mean[channel]) * inverse, gradient);
    }
    let of_scale = group_sum(thread, own.x);
    workgroupBarrier(); // before the sums are used again
    let of_shift = group_sum(thread, own.y);
    if thread == 0u {
        scale_sums[channel] = of_scale;
        shift_sums[channel] = of_shift;
    }
}
