// A tile of a matrix product (shaders/lib/product.wgsl) in half precision on units that multiply small matrices at once, such as tensor cores: each
// subgroup computes 4x2 matrices, SIDE elements each way, of which the operands go through workgroup memory and the sums are f32. In which
// order a unit adds is its own affair.

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

var<workgroup> tile_a: array<f16, TILE_ROWS * STRIDE_A>; // [TILE_ROWS, DEPTH]
var<workgroup> tile_b: array<f16, DEPTH * STRIDE_B>; // [DEPTH, TILE_COLUMNS]
var<workgroup> tile_c: array<f32, TILE_THREADS / SUBGROUP * SIDE * SIDE>; // a matrix of each subgroup, on its way out

// Fetches DEPTH slices of A and B from slice `first` on. Neighbouring threads fetch neighbouring elements.
fn fetch(tile: vec2<u32>, first: u32, thread: u32) {
    for (var element = thread; element < TILE_ROWS * DEPTH; element += TILE_THREADS) {
        let by_row = vec2(element / DEPTH, element % DEPTH);
        let by_column = vec2(element % TILE_ROWS, element / TILE_ROWS);
        let at = select(by_column, by_row, A_K_CONTIGUOUS);
        tile_a[at.x * STRIDE_A + at.y] = f16(a_at(tile.x + at.x, first + at.y));
    }
    for (var element = thread; element < DEPTH * TILE_COLUMNS; element += TILE_THREADS) {
        let by_row = vec2(element / TILE_COLUMNS, element % TILE_COLUMNS);
        let by_column = vec2(element % DEPTH, element / DEPTH);
        let at = select(by_row, by_column, B_K_CONTIGUOUS);
        tile_b[at.x * STRIDE_B + at.y] = f16(b_at(first + at.x, tile.y + at.y));
    }
}

// Writes a matrix of sums, of which the first element is that of row m and column n.
fn store_sums(sums: Sums, m: u32, n: u32, thread: u32) {
    let own = thread / SUBGROUP * SIDE * SIDE;
    coopStoreT(sums, &tile_c[own], SIDE);
    workgroupBarrier();
    for (var element = thread % SUBGROUP; element < SIDE * SIDE; element += SUBGROUP) {
        store(m + element / SIDE, n + element % SIDE, tile_c[own + element]);
    }
    workgroupBarrier();
}

fn tile_product(tile: vec2<u32>, thread: u32) {
    let depth = product_depth();
    let row = thread / SUBGROUP / SUBGROUPS_ACROSS * 4u * SIDE; // of this subgroup's first matrix, within the tile
    let column = thread / SUBGROUP % SUBGROUPS_ACROSS * 2u * SIDE;
    // By name: an array that is indexed by a variable may leave the registers.
    var sums00 = Sums();
    var sums01 = Sums();
    var sums10 = Sums();
    var sums11 = Sums();
    var sums20 = Sums();
    var sums21 = Sums();
    var sums30 = Sums();
    var sums31 = Sums();
    for (var first = 0u; first < depth; first += DEPTH) {
        fetch(tile, first, thread);
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k += SIDE) {
            let b0 = coopLoadT<MatrixB>(&tile_b[k * STRIDE_B + column], STRIDE_B);
            let b1 = coopLoadT<MatrixB>(&tile_b[k * STRIDE_B + column + SIDE], STRIDE_B);
            let a0 = coopLoadT<MatrixA>(&tile_a[row * STRIDE_A + k], STRIDE_A);
            sums00 = coopMultiplyAdd(a0, b0, sums00);
            sums01 = coopMultiplyAdd(a0, b1, sums01);
            let a1 = coopLoadT<MatrixA>(&tile_a[(row + SIDE) * STRIDE_A + k], STRIDE_A);
            sums10 = coopMultiplyAdd(a1, b0, sums10);
            sums11 = coopMultiplyAdd(a1, b1, sums11);
            let a2 = coopLoadT<MatrixA>(&tile_a[(row + 2u * SIDE) * STRIDE_A + k], STRIDE_A);
            sums20 = coopMultiplyAdd(a2, b0, sums20);
            sums21 = coopMultiplyAdd(a2, b1, sums21);
            let a3 = coopLoadT<MatrixA>(&tile_a[(row + 3u * SIDE) * STRIDE_A + k], STRIDE_A);
            sums30 = coopMultiplyAdd(a3, b0, sums30);
            sums31 = coopMultiplyAdd(a3, b1, sums31);
        }
        workgroupBarrier();
    }
    let m = tile.x + row;
    let n = tile.y + column;
    store_sums(sums00, m, n, thread);
    store_sums(sums01, m, n + SIDE, thread);
    store_sums(sums10, m + SIDE, n, thread);
    store_sums(sums11, m + SIDE, n + SIDE, thread);
    store_sums(sums20, m + 2u * SIDE, n, thread);
    store_sums(sums21, m + 2u * SIDE, n + SIDE, thread);
    store_sums(sums30, m + 3u * SIDE, n, thread);
    store_sums(sums31, m + 3u * SIDE, n + SIDE, thread);
}
