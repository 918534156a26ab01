// A batch out of the data set: row r becomes the example at position start + r of the order, its features as
// factor * feature + offset, with constants that go with the column, or with the example.
// Rows past the batch's own are padding: zeros, with label 0. A kernel supplies `feature`.

struct Params {
    batch: u32,
    features: u32,
    examples: u32,
    by_example: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [examples]
@group(0) @binding(4) var<storage, read> order: array<u32>; // [examples]
@group(0) @binding(5) var<storage, read> factors: array<f32>; // [features], or [examples]
@group(0) @binding(6) var<storage, read> offsets: array<f32>; // [features], or [examples]
@group(0) @binding(7) var<storage, read_write> inputs: array<stored>; // [batch, features]
@group(0) @binding(8) var<storage, read_write> targets: array<u32>; // [batch]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = linear_index(group, groups, thread);
    if index >= params.batch * params.features {
        return;
    }
    let row = index / params.features;
    let column = index % params.features;
    var value = 0.0;
    var label = 0u;
    if row < current.rows {
        let example = order[current.start + row];
        let constant = select(column, example, params.by_example != 0u);
        value = feature(example * params.features + column) * factors[constant] + offsets[constant];
        label = labels[example];
    }
    inputs[index] = stored(value);
    if column == 0u {
        targets[row] = label;
    }
}
