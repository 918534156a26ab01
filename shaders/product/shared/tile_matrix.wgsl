// A tile of a matrix product in half precision, on hardware for small matrices
// (shaders/product/shared/tile_units.wgsl).

var<workgroup> tile_a: array<f16, TILE_ROWS * STRIDE_A>; // [TILE_ROWS, DEPTH]
var<workgroup> tile_b: array<f16, DEPTH * STRIDE_B>; // [DEPTH, TILE_COLUMNS]

// Fetches DEPTH slices of A and B, beginning with slice `first`.
fn fetch(tile: vec2<u32>, first: u32, thread: u32) {
    for (var element = thread; element < TILE_ROWS * DEPTH; element += TILE_THREADS) {
        let at = place_a(element);
        tile_a[at.x * STRIDE_A + at.y] = f16(a_at(tile.x + at.x, first + at.y));
    }
    for (var element = thread; element < DEPTH * TILE_COLUMNS; element += TILE_THREADS) {
        let at = place_b(element);
        tile_b[at.y * STRIDE_B + at.x] = f16(b_at(first + at.y, tile.y + at.x));
    }
}

fn finished(row: u32, column: u32, sum: f32) -> f32 {
    return sum;
}

fn tile_product(tile: vec2<u32>, thread: u32) {
    let depth = product_depth();
    let row = of_subgroup(thread).x;
    let column = of_subgroup(thread).y;
    // One variable per matrix: an array with variable indices may not stay in registers.
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
    store_sums(sums00, tile, row, column, thread);
    store_sums(sums01, tile, row, column + SIDE, thread);
    store_sums(sums10, tile, row + SIDE, column, thread);
    store_sums(sums11, tile, row + SIDE, column + SIDE, thread);
    store_sums(sums20, tile, row + 2u * SIDE, column, thread);
    store_sums(sums21, tile, row + 2u * SIDE, column + SIDE, thread);
    store_sums(sums30, tile, row + 3u * SIDE, column, thread);
    store_sums(sums31, tile, row + 3u * SIDE, column + SIDE, thread);
}
