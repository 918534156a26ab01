// The gradients of weight and bias. A weight's is the sum of output_grad times the normalized input over the step's own
// examples, a bias's that of output_grad. Both are added to the gradients of the update's batches before.

struct Params {
    batch: u32,
    length: u32, // values of an example
    example_stride: u32, // from an example to the next
    value_stride: u32, // from a value of an example to the next
    epsilon: f32,
    bias_at: u32, // where the gradients of biases begin
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // batch examples of length values
@group(0) @binding(3) var<storage, read> input: array<stored>; // likewise
@group(0) @binding(4) var<storage, read> mean: array<f32>; // [batch]
@group(0) @binding(5) var<storage, read> variance: array<f32>; // [batch]
@group(0) @binding(6) var<storage, read_write> gradients: array<f32>; // of weights [length], and from bias_at of biases

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let along = params.example_stride == 1u;
    let lane = lane_of(group.y * groups.x + group.x, thread, along);
    let first = lane.item * params.value_stride;
    let end = select(0u, current.rows, lane.item < params.length);
    var own = vec2<f32>();
    for (var example = lane.number; example < end; example += lanes(along)) {
        let at = first + example * params.example_stride;
        let gradient = f32(output_grad[at]);
        let inverse = 1.0 / sqrt(variance[example] + params.epsilon);
        own += vec2<f32>(gradient * (f32(input[at]) - mean[example]) * inverse, gradient);
    }
    var sums = lane_sum(lane, along, own);
    if lane.number == 0u && lane.item < params.length {
        let bias_at = params.bias_at + lane.item;
        if current.accumulated > 0u {
            sums += vec2<f32>(gradients[lane.item], gradients[bias_at]);
        }
        gradients[lane.item] = sums.x;
        gradients[bias_at] = sums.y;
    }
}
