// output[c, r] = input[r, c]: tiles pass through workgroup memory, so that rows are read and written as rows.

struct Params {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> input: array<stored>; // [rows, columns]
@group(0) @binding(3) var<storage, read_write> output: array<stored>; // [columns, rows]

const SIDE: u32 = 16u; // of a tile

var<workgroup> tile: array<f32, 272>; // [SIDE, SIDE + 1]: the odd width spreads a column over the banks

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    let across = (params.columns + SIDE - 1u) / SIDE;
    let first = vec2<u32>(index / across, index % across) * SIDE; // row and column
    let i = thread / SIDE;
    let j = thread % SIDE;
    if first.x + i < params.rows && first.y + j < params.columns {
        tile[i * (SIDE + 1u) + j] = f32(input[(first.x + i) * params.columns + first.y + j]);
    }
    workgroupBarrier();
    if first.y + i < params.columns && first.x + j < params.rows {
        output[(first.y + i) * params.rows + first.x + j] = stored(tile[j * (SIDE + 1u) + i]);
    }
}
