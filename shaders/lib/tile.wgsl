// A matrix product C = A B, one 64x64 tile of C a workgroup, one 4x4 block of it a thread.
//
// The kernel that uses this part says where the elements are, by any layout, and what becomes of them:
//   fn a_at(m: u32, k: u32) -> f32                A [rows, depth], 0 outside
//   fn b_at(k: u32, n: u32) -> f32                B [depth, columns], 0 outside
//   fn store(m: u32, n: u32, product: f32)        takes an element of C, and must ignore those outside
//   const A_K_CONTIGUOUS, B_K_CONTIGUOUS: bool    whether neighbours along k are neighbours in memory
// 16 slices of k at a time pass through workgroup memory, so that each element is fetched once a tile.

const TILE: u32 = 64u;
const DEPTH: u32 = 16u;
const BLOCK: u32 = 4u;
const TILE_THREADS: u32 = 256u;
const LOADS: u32 = 4u; // TILE * DEPTH / TILE_THREADS

var<workgroup> tile_a: array<f32, 1024>; // [DEPTH, TILE]
var<workgroup> tile_b: array<f32, 1024>; // [DEPTH, TILE]

fn store_row(m: u32, n: u32, products: vec4<f32>) {
    store(m, n, products.x);
    store(m, n + 1u, products.y);
    store(m, n + 2u, products.z);
    store(m, n + 3u, products.w);
}

// Computes and stores the workgroup's tile of the product.
fn tile_product(group: vec3<u32>, thread: u32, depth: u32) {
    let tile = group.yx * TILE; // its first row and column
    let block = vec2<u32>(thread / 16u, thread % 16u) * BLOCK; // this thread's, within the tile
    // Four rows by name: an array that is indexed by a variable may leave the registers.
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
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
            sum0 += tile_a[row] * b;
            sum1 += tile_a[row + 1u] * b;
            sum2 += tile_a[row + 2u] * b;
            sum3 += tile_a[row + 3u] * b;
        }
        workgroupBarrier();
    }
    let origin = tile + block;
    store_row(origin.x, origin.y, sum0);
    store_row(origin.x + 1u, origin.y, sum1);
    store_row(origin.x + 2u, origin.y, sum2);
    store_row(origin.x + 3u, origin.y, sum3);
}
