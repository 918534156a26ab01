// A matrix product C = A B, one 64x64 tile of C a workgroup, one 4x4 block of it a thread.
//
// The kernel that uses this part says where the elements are, by any layout, and what becomes of them:
//   fn a_at(m: u32, k: u32) -> f32      A [rows, depth], 0 outside
//   fn b_at(k: u32, n: u32) -> f32      B [depth, columns], 0 outside
//   const A_K_CONTIGUOUS, B_K_CONTIGUOUS: bool, whether neighbours along k are neighbours in memory
// 16 slices of k at a time pass through workgroup memory, so that each element is fetched once a tile.

const TILE: u32 = 64u;
const DEPTH: u32 = 16u;
const BLOCK: u32 = 4u;
const TILE_THREADS: u32 = 256u;
const LOADS: u32 = 4u; // TILE * DEPTH / TILE_THREADS

var<workgroup> tile_a: array<f32, 1024>; // [DEPTH, TILE]
var<workgroup> tile_b: array<f32, 1024>; // [DEPTH, TILE]

// First row and column of this thread's block within the tile.
fn block_origin(thread: u32) -> vec2<u32> {
    return vec2<u32>(thread / 16u, thread % 16u) * BLOCK;
}

// This thread's 4x4 block of the product, a row a vector; `tile` is the first row and column of the workgroup's tile.
fn tile_product(tile: vec2<u32>, depth: u32, thread: u32) -> array<vec4<f32>, 4> {
    let block = block_origin(thread);
    var sum: array<vec4<f32>, 4>;
    for (var first = 0u; first < depth; first += DEPTH) {
        for (var load = 0u; load < LOADS; load++) {
            let element = thread + load * TILE_THREADS;
            // Neighbouring threads fetch neighbouring elements.
            let by_k = vec2<u32>(element % DEPTH, element / DEPTH);
            let by_tile = vec2<u32>(element / TILE, element % TILE);
            let at_a = select(by_tile, by_k, A_K_CONTIGUOUS);
            let at_b = select(by_tile, by_k, B_K_CONTIGUOUS);
            tile_a[at_a.x * TILE + at_a.y] = a_at(tile.x + at_a.y, first + at_a.x);
            tile_b[at_b.x * TILE + at_b.y] = b_at(first + at_b.x, tile.y + at_b.y);
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let row = k * TILE + block.x;
            let column = k * TILE + block.y;
            let b = vec4<f32>(tile_b[column], tile_b[column + 1u], tile_b[column + 2u], tile_b[column + 3u]);
            for (var i = 0u; i < BLOCK; i++) {
                sum[i] += tile_a[row + i] * b;
            }
        }
        workgroupBarrier();
    }
    return sum;
}
