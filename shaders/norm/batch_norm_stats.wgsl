// mean and variance (biased) of each channel over the batch's own examples, and from them the running ones:
//   running = (1 - momentum) running + momentum of_batch,   with the variance of the batch unbiased
// A channel a workgroup, in a fixed order; the mean is taken off before squares are added up.

struct Params {
    batch: u32,
    channels: u32,
    length: u32, // values of a channel in a full batch
    channel_stride: u32, // from a channel to the next
    value_stride: u32, // from a value of a channel to the next
    momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // channels of length values
@group(0) @binding(3) var<storage, read_write> mean: array<f32>; // [channels]
@group(0) @binding(4) var<storage, read_write> variance: array<f32>; // [channels]
@group(0) @binding(5) var<storage, read_write> running_mean: array<f32>; // [channels]
@group(0) @binding(6) var<storage, read_write> running_var: array<f32>; // [channels]

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
    let count = f32(params.length / params.batch * max(current.rows, 1u));
    var own = 0.0;
    for (var i = thread; i < params.length; i += SUM_THREADS) {
        // Of a short batch, only its own examples.
        if i % params.batch < current.rows {
            own += f32(input[first + i * params.value_stride]);
        }
    }
    let batch_mean = group_sum(thread, own) / count;
    workgroupBarrier(); // before the sums are used again
    own = 0.0;
    for (var i = thread; i < params.length; i += SUM_THREADS) {
        if i % params.batch < current.rows {
            let deviation = f32(input[first + i * params.value_stride]) - batch_mean;
            own += deviation * deviation;
        }
    }
    let squares = group_sum(thread, own);
    if thread == 0u {
        mean[channel] = batch_mean;
        variance[channel] = squares / count;
        let keep = 1.0 - params.momentum;
        running_mean[channel] = keep * running_mean[channel] + params.momentum * batch_mean;
        // Of a single value there is no unbiased variance; the biased one is 0.
        running_var[channel] = keep * running_var[channel] + params.momentum * squares / max(count - 1.0, 1.0);
    }
}
