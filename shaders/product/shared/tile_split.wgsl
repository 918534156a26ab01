// A tile of a matrix product in single precision, on hardware for small f16 matrices
// (shaders/product/shared/tile_units.wgsl). Each operand is scaled (shaders/product/shared/tile_scales.wgsl) and split
// into two f16 numbers, x = high + low (Markidis et al., IPDPSW 2018). Then
//   a b = high_a high_b + high_a low_b + low_a high_b
// without low_a low_b, which is at most 2^-24 of a b and would be lost in f32 rounding. The hardware may truncate its
// sums instead of rounding them. So it adds only DEPTH slices at a time, and those sums are added in f32 (Ootomo and
// Yokota, IJHPCA 2022).

var<workgroup> high_a: array<f16, TILE_ROWS * STRIDE_A>; // [TILE_ROWS, DEPTH]
var<workgroup> low_a: array<f16, TILE_ROWS * STRIDE_A>; // [TILE_ROWS, DEPTH]
var<workgroup> high_b: array<f16, DEPTH * STRIDE_B>; // [DEPTH, TILE_COLUMNS]
var<workgroup> low_b: array<f16, DEPTH * STRIDE_B>; // [DEPTH, TILE_COLUMNS]

// The value rounded to 11 bits, as many as f16 has. The remainder has a sign and 12 bits, of which f16 holds all but
// the last. The rounding is done on the bits, since compilers may assume that a conversion to f16 and back changes
// nothing.
fn high_part(value: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(value) + 0x1000u) & 0xffffe000u);
}

// Fetches and splits DEPTH slices of A and B, beginning with slice `first`.
fn fetch(tile: vec2<u32>, first: u32, thread: u32) {
    for (var element = thread; element < TILE_ROWS * DEPTH; element += TILE_THREADS) {
        let at = place_a(element);
        let value = factor(atomicLoad(&largest_a[at.x])) * a_at(tile.x + at.x, first + at.y);
        high_a[at.x * STRIDE_A + at.y] = f16(high_part(value));
        low_a[at.x * STRIDE_A + at.y] = f16(value - high_part(value));
    }
    for (var element = thread; element < DEPTH * TILE_COLUMNS; element += TILE_THREADS) {
        let at = place_b(element);
        let value = factor(atomicLoad(&largest_b[at.x])) * b_at(first + at.y, tile.y + at.x);
        high_b[at.y * STRIDE_B + at.x] = f16(high_part(value));
        low_b[at.y * STRIDE_B + at.x] = f16(value - high_part(value));
    }
}

fn finished(row: u32, column: u32, sum: f32) -> f32 {
    let a = inverse(atomicLoad(&largest_a[row]));
    let b = inverse(atomicLoad(&largest_b[column]));
    // The smaller factor first: if the result is within f32's range, so is the intermediate product.
    return sum * min(a, b) * max(a, b);
}

fn tile_product(tile: vec2<u32>, thread: u32) {
    find_largest(tile, thread);
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
        var part00 = Sums();
        var part01 = Sums();
        var part10 = Sums();
        var part11 = Sums();
        var part20 = Sums();
        var part21 = Sums();
        var part30 = Sums();
        var part31 = Sums();
        for (var k = 0u; k < DEPTH; k += SIDE) {
            let b = k * STRIDE_B + column;
            let h0 = coopLoadT<MatrixB>(&high_b[b], STRIDE_B);
            let l0 = coopLoadT<MatrixB>(&low_b[b], STRIDE_B);
            let h1 = coopLoadT<MatrixB>(&high_b[b + SIDE], STRIDE_B);
            let l1 = coopLoadT<MatrixB>(&low_b[b + SIDE], STRIDE_B);
            let high0 = coopLoadT<MatrixA>(&high_a[row * STRIDE_A + k], STRIDE_A);
            let low0 = coopLoadT<MatrixA>(&low_a[row * STRIDE_A + k], STRIDE_A);
            part00 = coopMultiplyAdd(high0, h0, coopMultiplyAdd(high0, l0, coopMultiplyAdd(low0, h0, part00)));
            part01 = coopMultiplyAdd(high0, h1, coopMultiplyAdd(high0, l1, coopMultiplyAdd(low0, h1, part01)));
            let high1 = coopLoadT<MatrixA>(&high_a[(row + SIDE) * STRIDE_A + k], STRIDE_A);
            let low1 = coopLoadT<MatrixA>(&low_a[(row + SIDE) * STRIDE_A + k], STRIDE_A);
            part10 = coopMultiplyAdd(high1, h0, coopMultiplyAdd(high1, l0, coopMultiplyAdd(low1, h0, part10)));
            part11 = coopMultiplyAdd(high1, h1, coopMultiplyAdd(high1, l1, coopMultiplyAdd(low1, h1, part11)));
            let high2 = coopLoadT<MatrixA>(&high_a[(row + 2u * SIDE) * STRIDE_A + k], STRIDE_A);
            let low2 = coopLoadT<MatrixA>(&low_a[(row + 2u * SIDE) * STRIDE_A + k], STRIDE_A);
            part20 = coopMultiplyAdd(high2, h0, coopMultiplyAdd(high2, l0, coopMultiplyAdd(low2, h0, part20)));
            part21 = coopMultiplyAdd(high2, h1, coopMultiplyAdd(high2, l1, coopMultiplyAdd(low2, h1, part21)));
            let high3 = coopLoadT<MatrixA>(&high_a[(row + 3u * SIDE) * STRIDE_A + k], STRIDE_A);
            let low3 = coopLoadT<MatrixA>(&low_a[(row + 3u * SIDE) * STRIDE_A + k], STRIDE_A);
            part30 = coopMultiplyAdd(high3, h0, coopMultiplyAdd(high3, l0, coopMultiplyAdd(low3, h0, part30)));
            part31 = coopMultiplyAdd(high3, h1, coopMultiplyAdd(high3, l1, coopMultiplyAdd(low3, h1, part31)));
        }
        sums00 = sums00 + part00;
        sums01 = sums01 + part01;
        sums10 = sums10 + part10;
        sums11 = sums11 + part11;
        sums20 = sums20 + part20;
        sums21 = sums21 + part21;
        sums30 = sums30 + part30;
        sums31 = sums31 + part31;
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
