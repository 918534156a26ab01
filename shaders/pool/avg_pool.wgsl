// output = the mean of each window, where padding counts as zeros, as in PyTorch.

struct Params {
    batch: u32,
    channels: u32,
    in_height: u32,
    in_width: u32,
    out_height: u32,
    out_width: u32,
    window_height: u32,
    window_width: u32,
    stride: u32,
    padding: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // [channels, in_height, in_width, batch]
@group(0) @binding(3) var<storage, read_write> output: array<stored>; // [channels, out_height, out_width, batch]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = linear_index(group, groups, thread);
    if index >= params.channels * params.out_height * params.out_width * params.batch {
        return;
    }
    let example = index % params.batch;
    let position = index / params.batch;
    let rows = window_of(position / params.out_width % params.out_height, params.window_height, params.in_height);
    let columns = window_of(position % params.out_width, params.window_width, params.in_width);
    let map = position / params.out_width / params.out_height * params.in_height * params.in_width;
    var sum = 0.0;
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            sum += f32(input[(map + row * params.in_width + column) * params.batch + example]);
        }
    }
    output[index] = stored(sum / f32(params.window_height * params.window_width));
}
