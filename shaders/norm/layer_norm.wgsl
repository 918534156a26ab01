// output = activation((input - mean) / sqrt(variance + epsilon) * weight + bias), with the mean and the biased variance
// of each example. The mean is taken off before squares are added up.

struct Params {
    batch: u32,
    length: u32, // values of an example
    example_stride: u32, // from an example to the next
    value_stride: u32, // from a value of an example to the next
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // batch examples of length values
@group(0) @binding(3) var<storage, read> weight: array<f32>; // [length]
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [length]
@group(0) @binding(5) var<storage, read_write> output: array<stored>; // as input
@group(0) @binding(6) var<storage, read_write> mean: array<f32>; // [batch]
@group(0) @binding(7) var<storage, read_write> variance: array<f32>; // [batch]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let along = params.value_stride == 1u;
    let lane = lane_of(group.y * groups.x + group.x, thread, along);
    let first = lane.item * params.example_stride;
    let end = select(0u, params.length, lane.item < params.batch);
    var own = 0.0;
    for (var j = lane.number; j < end; j += lanes(along)) {
        own += f32(input[first + j * params.value_stride]);
    }
    let example_mean = lane_sum(lane, along, vec2<f32>(own, 0.0)).x / f32(params.length);
    own = 0.0;
    for (var j = lane.number; j < end; j += lanes(along)) {
        let deviation = f32(input[first + j * params.value_stride]) - example_mean;
        own += deviation * deviation;
    }
    let example_variance = lane_sum(lane, along, vec2<f32>(own, 0.0)).x / f32(params.length);
    let inverse = 1.0 / sqrt(example_variance + params.epsilon);
    for (var j = lane.number; j < end; j += lanes(along)) {
        let at = first + j * params.value_stride;
        output[at] = stored(activate((f32(input[at]) - example_mean) * inverse * weight[j] + bias[j]));
    }
    if lane.number == 0u && lane.item < params.batch {
        mean[lane.item] = example_mean;
        variance[lane.item] = example_variance;
    }
}
