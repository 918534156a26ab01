// Inverted dropout: output = input * factor, where factor is 0 with the probability to drop, else 1 / (1 - that
// probability).

struct Params {
    batch: u32,
    features: u32,
    site: u32,
    threshold: u32, // the probability to drop, times 2^32
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // [batch, features]
@group(0) @binding(3) var<storage, read_write> output: array<stored>; // [batch, features]

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
        output[at] = stored(f32(input[at]) * factors[i]);
    }
}
