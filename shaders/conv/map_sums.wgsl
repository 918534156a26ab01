// bias_grad[c] = sum of channel c of output_grad. From the second batch of an update on, it is added to the gradient of
// the batches before. One workgroup per channel.

struct Params {
    channels: u32,
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [channels, length]
@group(0) @binding(3) var<storage, read_write> bias_grad: array<f32>; // [channels]

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
    var own = 0.0;
    for (var i = thread; i < params.length; i += SUM_THREADS) {
        own += f32(output_grad[channel * params.length + i]);
    }
    var total = group_sum(thread, own);
    if thread == 0u {
        if current.accumulated > 0u {
            total += bias_grad[channel];
        }
        bias_grad[channel] = total;
    }
}
