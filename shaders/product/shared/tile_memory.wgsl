// Code that tiles of matrix products (shaders/product/shared/product.wgsl) share if they go through workgroup memory.
// They load 16 slices along k at a time, so that each element is fetched once per tile, in vectors of four neighbours
// along the tile. The part after this one defines
//   const SIDE: u32    a thread computes SIDE x SIDE elements
// It sums each element along k in order with fused multiply-adds. All tiles without matrix units do, so they give the
// same bits.

// Threads along the rows of the tile, and along its columns. The backend may change both numbers.
const THREAD_ROWS: u32 = 8u;
const THREAD_COLUMNS: u32 = 8u;

const TILE_ROWS: u32 = SIDE * THREAD_ROWS;
const TILE_COLUMNS: u32 = SIDE * THREAD_COLUMNS;
const TILE_THREADS: u32 = THREAD_ROWS * THREAD_COLUMNS;
const DEPTH: u32 = 16u;
const QUADS_A: u32 = TILE_ROWS / 4u;
const QUADS_B: u32 = TILE_COLUMNS / 4u;
// Each slice is padded by one vector, so that threads that write to different slices use different memory banks.
const STRIDE_A: u32 = QUADS_A + 1u;
const STRIDE_B: u32 = QUADS_B + 1u;

var<workgroup> tile_a: array<vec4<f32>, DEPTH * STRIDE_A>;
var<workgroup> tile_b: array<vec4<f32>, DEPTH * STRIDE_B>;

// Fetches DEPTH slices of A and B, beginning with slice `first`. Neighbouring threads fetch neighbouring elements.
fn fetch(tile: vec2<u32>, first: u32, thread: u32) {
    for (var element = thread; element < DEPTH * QUADS_A; element += TILE_THREADS) {
        let at = select(vec2(element / QUADS_A, element % QUADS_A), vec2(element % DEPTH, element / DEPTH), A_K_CONTIGUOUS);
        let m = tile.x + 4u * at.y;
        let k = first + at.x;
        tile_a[at.x * STRIDE_A + at.y] = vec4(a_at(m, k), a_at(m + 1u, k), a_at(m + 2u, k), a_at(m + 3u, k));
    }
    for (var element = thread; element < DEPTH * QUADS_B; element += TILE_THREADS) {
        let at = select(vec2(element / QUADS_B, element % QUADS_B), vec2(element % DEPTH, element / DEPTH), B_K_CONTIGUOUS);
        let n = tile.y + 4u * at.y;
        let k = first + at.x;
        tile_b[at.x * STRIDE_B + at.y] = vec4(b_at(k, n), b_at(k, n + 1u), b_at(k, n + 2u), b_at(k, n + 3u));
    }
}

// Writes four neighbours of a row of C.
fn store_quad(m: u32, n: u32, products: vec4<f32>) {
    store(m, n, products.x);
    store(m, n + 1u, products.y);
    store(m, n + 2u, products.z);
    store(m, n + 3u, products.w);
}
