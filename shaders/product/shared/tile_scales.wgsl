// Rows of A and columns of B, multiplied by powers of two that bring the largest element of each to where half precision has room below: what a tile
// needs that splits operands (shaders/product/shared/tile_split.wgsl).

var<workgroup> largest_a: array<atomic<u32>, TILE_ROWS>; // of the absolute values of each row, as bits
var<workgroup> largest_b: array<atomic<u32>, TILE_COLUMNS>; // of each column

// The exponent of the largest element, as f32 has it in its bits; kept where the factor and its inverse are normal numbers.
fn exponent(largest: u32) -> u32 {
    return clamp(largest >> 23u, 15u, 254u);
}

// The power of two that brings it to between 2^14 and 2^15.
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
    // Threads that go through a row together, and through a column.
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
