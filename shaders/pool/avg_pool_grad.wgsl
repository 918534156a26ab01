// input_grad = (sum of output_grad over the windows that contain the value) / (values per window) * activation'(kept)

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
@group(0) @binding(2) var<storage, read> output_grad: array<stored>; // [channels, out_height, out_width, batch]
@group(0) @binding(3) var<storage, read> kept: array<stored>; // [channels, in_height, in_width, batch]
@group(0) @binding(4) var<storage, read_write> input_grad: array<stored>; // [channels, in_height, in_width, batch]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = linear_index(group, groups, thread);
    if index >= params.channels * params.in_height * params.in_width * params.batch {
        return;
    }
    let example = index % params.batch;
    let position = index / params.batch;
    let pixel = position % (params.in_height * params.in_width);
    let rows = windows_of(pixel / params.in_width, params.window_height, params.out_height);
    let columns = windows_of(pixel % params.in_width, params.window_width, params.out_width);
    let map = position / (params.in_height * params.in_width) * params.out_height * params.out_width;
    var sum = 0.0;
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            sum += f32(output_grad[(map + row * params.out_width + column) * params.batch + example]);
        }
    }
    input_grad[index] = stored(sum / f32(params.window_height * params.window_width) * derivative(f32(kept[index])));
}
