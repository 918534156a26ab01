// What tiles of matrix products (shaders/product/shared/product.wgsl) share that run on units which multiply small matrices of half precision at once, such as
// tensor cores: each subgroup computes 4x2 matrices, SIDE elements each way, of which the operands go through workgroup memory and the sums are
// f32. In which order a unit adds is its own affair. The part after this one says
//   fn finished(row: u32, column: u32, sum: f32) -> f32    the element at that place of the tile, from what was summed up

enable f16;
enable wgpu_cooperative_matrix;

const SIDE: u32 = 16u; // rows and columns of a matrix; a backend may put others here
const SUBGROUP: u32 = 32u; // threads of a subgroup, likewise
const SUBGROUPS_DOWN: u32 = 8u; // along the rows of the tile, and along its columns, likewise
const SUBGROUPS_ACROSS: u32 = 8u;

const TILE_ROWS: u32 = 4u * SIDE * SUBGROUPS_DOWN;
const TILE_COLUMNS: u32 = 2u * SIDE * SUBGROUPS_ACROSS;
const TILE_THREADS: u32 = SUBGROUP * SUBGROUPS_DOWN * SUBGROUPS_ACROSS;
const DEPTH: u32 = 2u * SIDE;
// Rows are eight elements further apart than they are long, so that those of a matrix do not meet in a bank of memory.
const STRIDE_A: u32 = DEPTH + 8u;
const STRIDE_B: u32 = TILE_COLUMNS + 8u;

alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias Sums = coop_mat16x16<f32, C>;

var<workgroup> tile_c: array<f32, TILE_THREADS / SUBGROUP * SIDE * SIDE>; // a matrix of each subgroup, on its way out

// Where the operands' element is that a thread fetches as its turn `element`, along the tile and along k. Neighbouring threads fetch neighbours.
fn place_a(element: u32) -> vec2<u32> {
    let by_row = vec2(element / DEPTH, element % DEPTH);
    let by_column = vec2(element % TILE_ROWS, element / TILE_ROWS);
    return select(by_column, by_row, A_K_CONTIGUOUS);
}

fn place_b(element: u32) -> vec2<u32> {
    let by_row = vec2(element % TILE_COLUMNS, element / TILE_COLUMNS);
    let by_column = vec2(element / DEPTH, element % DEPTH);
    return select(by_row, by_column, B_K_CONTIGUOUS);
}

// The first row and column, within the tile, of a thread's subgroup.
fn of_subgroup(thread: u32) -> vec2<u32> {
    let subgroup = thread / SUBGROUP;
    return vec2(subgroup / SUBGROUPS_ACROSS * 4u * SIDE, subgroup % SUBGROUPS_ACROSS * 2u * SIDE);
}

// Writes a matrix of sums, whose first element is that place of the tile.
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
