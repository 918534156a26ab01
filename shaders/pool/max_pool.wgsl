// output = the maximum of each window. The first of equal values wins, row by row. A NaN is greater than any number, as
// in PyTorch. The position of the maximum is stored for the backward pass.

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
@group(0) @binding(4) var<storage, read_write> indices: array<u32>; // likewise: row * in_width + column of the maximum

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
    var best = 0.0;
    var at = OUTSIDE;
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            let pixel = row * params.in_width + column;
            let value = f32(input[(map + pixel) * params.batch + example]);
            if at == OUTSIDE || value > best || (is_nan(value) && !is_nan(best)) {
                best = value;
                at = pixel;
            }
        }
    }
    output[index] = stored(best);
    indices[index] = at;
}

const OUTSIDE: u32 = 0xffffffffu;
