// A tile of a matrix product (shaders/lib/product.wgsl): 64x64, an 8x8 block of it a thread, which is four 4x4 ones, half a tile apart,
// so that neighbouring threads read neighbouring vectors. 16 slices of k at a time pass through workgroup memory, so that each element is
// fetched once a tile, in vectors of four neighbours along the tile.

const TILE_ROWS: u32 = 64u;
const TILE_COLUMNS: u32 = 64u;
const TILE_THREADS: u32 = 64u;
const DEPTH: u32 = 16u;
const QUADS: u32 = 16u; // a quarter of 64
const LOADS: u32 = 4u; // DEPTH * QUADS / TILE_THREADS

var<workgroup> tile_a: array<vec4<f32>, 256>; // [DEPTH, QUADS]
var<workgroup> tile_b: array<vec4<f32>, 256>; // [DEPTH, QUADS]

// Writes four neighbours of a row of C.
fn store_quad(m: u32, n: u32, products: vec4<f32>) {
    store(m, n, products.x);
    store(m, n + 1u, products.y);
    store(m, n + 2u, products.z);
    store(m, n + 3u, products.w);
}

fn tile_product(tile: vec2<u32>, thread: u32) {
    let depth = product_depth();
    let quad = vec2<u32>(thread / 8u, thread % 8u); // this thread's first, of rows and of columns; the second is 8 further
    // By name, row and half: an array that is indexed by a variable may leave the registers.
    var sum00 = vec4<f32>();
    var sum01 = vec4<f32>();
    var sum10 = vec4<f32>();
    var sum11 = vec4<f32>();
    var sum20 = vec4<f32>();
    var sum21 = vec4<f32>();
    var sum30 = vec4<f32>();
    var sum31 = vec4<f32>();
    var sum40 = vec4<f32>();
    var sum41 = vec4<f32>();
    var sum50 = vec4<f32>();
    var sum51 = vec4<f32>();
    var sum60 = vec4<f32>();
    var sum61 = vec4<f32>();
    var sum70 = vec4<f32>();
    var sum71 = vec4<f32>();
    for (var first = 0u; first < depth; first += DEPTH) {
        for (var load = 0u; load < LOADS; load++) {
            let element = thread + load * TILE_THREADS;
            // Neighbouring threads fetch neighbouring elements.
            let by_k = vec2<u32>(element % DEPTH, element / DEPTH);
            let by_tile = vec2<u32>(element / QUADS, element % QUADS);
            let at_a = select(by_tile, by_k, A_K_CONTIGUOUS);
            let at_b = select(by_tile, by_k, B_K_CONTIGUOUS);
            let m = tile.x + 4u * at_a.y;
            let n = tile.y + 4u * at_b.y;
            let ka = first + at_a.x;
            let kb = first + at_b.x;
            tile_a[at_a.x * QUADS + at_a.y] = vec4(a_at(m, ka), a_at(m + 1u, ka), a_at(m + 2u, ka), a_at(m + 3u, ka));
            tile_b[at_b.x * QUADS + at_b.y] = vec4(b_at(kb, n), b_at(kb, n + 1u), b_at(kb, n + 2u), b_at(kb, n + 3u));
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let rows = k * QUADS + quad.x;
            let columns = k * QUADS + quad.y;
            let a0 = tile_a[rows];
            let a1 = tile_a[rows + 8u];
            let b0 = tile_b[columns];
            let b1 = tile_b[columns + 8u];
            sum00 += a0.x * b0;
            sum01 += a0.x * b1;
            sum10 += a0.y * b0;
            sum11 += a0.y * b1;
            sum20 += a0.z * b0;
            sum21 += a0.z * b1;
            sum30 += a0.w * b0;
            sum31 += a0.w * b1;
            sum40 += a1.x * b0;
            sum41 += a1.x * b1;
            sum50 += a1.y * b0;
            sum51 += a1.y * b1;
            sum60 += a1.z * b0;
            sum61 += a1.z * b1;
            sum70 += a1.w * b0;
            sum71 += a1.w * b1;
        }
        workgroupBarrier();
    }
    let m = tile.x + 4u * quad.x;
    let n = tile.y + 4u * quad.y;
    store_quad(m, n, sum00);
    store_quad(m, n + 32u, sum01);
    store_quad(m + 1u, n, sum10);
    store_quad(m + 1u, n + 32u, sum11);
    store_quad(m + 2u, n, sum20);
    store_quad(m + 2u, n + 32u, sum21);
    store_quad(m + 3u, n, sum30);
    store_quad(m + 3u, n + 32u, sum31);
    store_quad(m + 32u, n, sum40);
    store_quad(m + 32u, n + 32u, sum41);
    store_quad(m + 33u, n, sum50);
    store_quad(m + 33u, n + 32u, sum51);
    store_quad(m + 34u, n, sum60);
    store_quad(m + 34u, n + 32u, sum61);
    store_quad(m + 35u, n, sum70);
    store_quad(m + 35u, n + 32u, sum71);
}
