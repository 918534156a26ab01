// Code that tiles of matrix products (shaders/product/shared/product.wgsl) share if they run on hardware that
// multiplies small f16 matrices, such as tensor cores. Each subgroup computes 4x2 matrices of SIDE x SIDE elements.
// Operands go through workgroup memory, sums are f32. The order of additions is up to the hardware. The part after this
// one defines
//   fn finished(row: u32, column: u32, sum: f32) -> f32    the final element at this place of the tile, from its sum

enable f16;
enable wgpu_cooperative_matrix;

// The backend may change these four numbers.
const SIDE: u32 = 16u; // rows and columns of a matrix
const SUBGROUP: u32 = 32u; // threads per subgroup
const SUBGROUPS_DOWN: u32 = 8u; // subgroups along the rows of the tile, and along its columns
const SUBGROUPS_ACROSS: u32 = 8u;

const TILE_ROWS: u32 = 4u * SIDE * SUBGROUPS_DOWN;
const TILE_COLUMNS: u32 = 2u * SIDE * SUBGROUPS_ACROSS;
const TILE_THREADS: u32 = SUBGROUP * SUBGROUPS_DOWN * SUBGROUPS_ACROSS;
const DEPTH: u32 = 2u * SIDE;
// Each row is padded by eight elements, so that the rows of a matrix lie in different memory banks.
const STRIDE_A: u32 = DEPTH + 8u;
const STRIDE_B: u32 = TILE_COLUMNS + 8u;

alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias Sums = coop_mat16x16<f32, C>;

var<workgroup> tile_c: array<f32, TILE_THREADS / SUBGROUP * SIDE * SIDE>; // one matrix of results per subgroup

// The position of A's element number `element` in the fetch: along the tile, and along k. Neighbouring threads fetch
// neighbours in memory.
fn place_a(element: u32) -> vec2<u32> {
    let by_row = vec2(element / DEPTH, element % DEPTH);
    let by_column = vec2(element % TILE_ROWS, element / TILE_ROWS);
    return select(by_column, by_row, A_K_CONTIGUOUS);
}

// The same for B.
fn place_b(element: u32) -> vec2<u32> {
    let by_row = vec2(element % TILE_COLUMNS, element / TILE_COLUMNS);
    let by_column = vec2(element / DEPTH, element % DEPTH);
    return select(by_row, by_column, B_K_CONTIGUOUS);
}

// The first row and column of the thread's subgroup within the tile.
fn of_subgroup(thread: u32) -> vec2<u32> {
    let subgroup = thread / SUBGROUP;
    return vec2(subgroup / SUBGROUPS_ACROSS * 4u * SIDE, subgroup % SUBGROUPS_ACROSS * 2u * SIDE);
}

// Stores a matrix of sums whose first element is at this row and column of the tile.
fn store_sums(sums: Sums, tile: vec2<u32>, row: u32, column: u32, thread: u32) {
    let own = thread / SUBGROUP * SIDE * SIDE;
    coopStoreT(sums, &tile_c[own], SIDE);
    workgroupBarrier();
    for (var element = thread % SUBGROUP; element < SIDE * SIDE; element += SUBGROUP) {
        let at = vec2(row + element / SIDE, column + element % SIDE);
        store(tile.x + at.x, tile.y + at.y, finished(at.x, at.y, tile_c[own + element]));
    }
    workgroupBarrier();
}
