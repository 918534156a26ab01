// input_grad = (g - mean(g) - x mean(g x)) / sqrt(variance + epsilon), example by example, where g is output_grad times
// weight and x the normalized input. Nothing is applied before a layer normalization, so that there is no derivative to
// multiply by.

struct Params {
    batch: u32,
    length: u32, // values of an example
    example_stride: u32, // from an example to the next
    value_stride: u32, // from a value of an example to the next
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // batch examples of length values
@group(0) @binding(3) var<storage, read> input: array<stored>; // likewise
@group(0) @binding(4) var<storage, read> mean: array<f32>; // [batch]
@group(0) @binding(5) var<storage, read> variance: array<f32>; // [batch]
@group(0) @binding(6) var<storage, read> weight: array<f32>; // [length]
@group(0) @binding(7) var<storage, read_write> input_grad: array<stored>; // as input

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let along = params.value_stride == 1u;
    let lane = lane_of(group.y * groups.x + group.x, thread, along);
    let first = lane.item * params.example_stride;
    var end = 0u;
    var example_mean = 0.0;
    var inverse = 0.0;
    if lane.item < params.batch {
        end = params.length;
        example_mean = mean[lane.item];
        inverse = 1.0 / sqrt(variance[lane.item] + params.epsilon);
    }
    var own = vec2<f32>();
    for (var j = lane.number; j < end; j += lanes(along)) {
        let at = first + j * params.value_stride;
        let gradient = f32(output_grad[at]) * weight[j];
        own += vec2<f32>(gradient, gradient * (f32(input[at]) - example_mean) * inverse);
    }
    let means = lane_sum(lane, along, own) / f32(params.length);
    for (var j = lane.number; j < end; j += lanes(along)) {
        let at = first + j * params.value_stride;
        let normalized = (f32(input[at]) - example_mean) * inverse;
        input_grad[at] = stored((f32(output_grad[at]) * weight[j] - means.x - normalized * means.y) * inverse);
    }
}
