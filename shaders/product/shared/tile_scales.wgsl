// Scales for tiles that split operands (shaders/product/shared/tile_split.wgsl). Each row of A and each column of B is
// multiplied by a power of two that brings its largest element near the top of f16's range, so that small elements keep
// their bits.

var<workgroup> largest_a: array<atomic<u32>, TILE_ROWS>; // largest absolute value of each row of A, as bits
var<workgroup> largest_b: array<atomic<u32>, TILE_COLUMNS>; // largest absolute value of each column of B, as bits

// The exponent bits of the largest element, clamped so that the factor and its inverse are normal numbers.
fn exponent(largest: u32) -> u32 {
    return clamp(largest >> 23u, 15u, 254u);
}

// The power of two that brings the largest element to between 2^14 and 2^15.
fn factor(largest: u32) -> f32 {
    return bitcast<f32>((268u - exponent(largest)) << 23u);
}

fn inverse(largest: u32) -> f32 {
    return bitcast<f32>((exponent(largest) - 14u) << 23u);
}

fn find_largest(tile: vec2<u32>, thread: u32) {
    for (var row = thread; row < TILE_ROWS; row += TILE_THREADS) {
        atomicStore(&largest_a[row], 0u);
    }
    for (var column = thread; column < TILE_COLUMNS; column += TILE_THREADS) {
        atomicStore(&largest_b[column], 0u);
    }
    workgroupBarrier();
    let depth = product_depth();
    // Number of threads that share a row of A, and a column of B.
    let lanes_a = select(TILE_THREADS / min(TILE_THREADS, TILE_ROWS), SUBGROUP, A_K_CONTIGUOUS);
    let lanes_b = select(TILE_THREADS / min(TILE_THREADS, TILE_COLUMNS), SUBGROUP, B_K_CONTIGUOUS);
    let rows = TILE_THREADS / lanes_a;
    let columns = TILE_THREADS / lanes_b;
    for (var row = select(thread % rows, thread / lanes_a, A_K_CONTIGUOUS); row < TILE_ROWS; row += rows) {
        var largest = 0.0;
        for (var k = select(thread / rows, thread % lanes_a, A_K_CONTIGUOUS); k < depth; k += lanes_a) {
            largest = max(largest, abs(a_at(tile.x + row, k)));
        }
        atomicMax(&largest_a[row], bitcast<u32>(largest));
    }
    for (var column = select(thread % columns, thread / lanes_b, B_K_CONTIGUOUS); column < TILE_COLUMNS; column += columns) {
        var largest = 0.0;
        for (var k = select(thread / columns, thread % lanes_b, B_K_CONTIGUOUS); k < depth; k += lanes_b) {
            largest = max(largest, abs(b_at(k, tile.y + column)));
        }
        atomicMax(&largest_b[column], bitcast<u32>(largest));
    }
    workgroupBarrier();
}
