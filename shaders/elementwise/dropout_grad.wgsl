// input_grad = output_grad * factor * activation'(kept), with the factors of the forward pass: the gradient of the
// pre-activation that dropout's input came from.

struct Params {
    batch: u32,
    features: u32,
    site: u32,
    threshold: u32, // the probability to drop, times 2^32
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [batch, features]
@group(0) @binding(3) var<storage, read> kept: array<stored>; // [batch, features]: the input, or its pre-activation
@group(0) @binding(4) var<storage, read_write> input_grad: array<stored>; // [batch, features]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = linear_index(group, groups, thread);
    let quads = (params.features + 3u) / 4u;
    let row = index / quads;
    let quad = index % quads;
    if row >= params.batch {
        return;
    }
    let factors = dropout_factors(row, quad);
    for (var i = 0u; i < min(4u, params.features - 4u * quad); i++) {
        let at = row * params.features + 4u * quad + i;
        input_grad[at] = stored(f32(output_grad[at]) * factors[i] * derivative(f32(kept[at])));
    }
}
