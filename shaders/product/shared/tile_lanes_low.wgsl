// An 8x32 tile of a matrix product (shaders/product/shared/product.wgsl) for one subgroup of 8 threads. Each thread
// fetches one row of A and broadcasts it, and keeps four columns of B. This needs far fewer loads than multiplications
// and no workgroup memory. It is for adapters that compute on a CPU, where loads are expensive and subgroups are SIMD
// vectors.

const TILE_ROWS: u32 = 8u;
const TILE_COLUMNS: u32 = 32u;
const TILE_THREADS: u32 = 8u;

fn tile_product(tile: vec2<u32>, thread: u32) {
    let m = tile.x + thread;
    let n = tile.y + thread;
    // One variable per row: an array with variable indices may not stay in registers.
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var sum4 = vec4<f32>();
    var sum5 = vec4<f32>();
    var sum6 = vec4<f32>();
    var sum7 = vec4<f32>();
    for (var k = 0u; k < product_depth(); k++) {
        let a0 = a_at(m, k);
        let b = vec4<f32>(b_at(k, n), b_at(k, n + 8u), b_at(k, n + 16u), b_at(k, n + 24u));
        sum0 = fma(vec4<f32>(subgroupBroadcast(a0, 0u)), b, sum0);
        sum1 = fma(vec4<f32>(subgroupBroadcast(a0, 1u)), b, sum1);
        sum2 = fma(vec4<f32>(subgroupBroadcast(a0, 2u)), b, sum2);
        sum3 = fma(vec4<f32>(subgroupBroadcast(a0, 3u)), b, sum3);
        sum4 = fma(vec4<f32>(subgroupBroadcast(a0, 4u)), b, sum4);
        sum5 = fma(vec4<f32>(subgroupBroadcast(a0, 5u)), b, sum5);
        sum6 = fma(vec4<f32>(subgroupBroadcast(a0, 6u)), b, sum6);
        sum7 = fma(vec4<f32>(subgroupBroadcast(a0, 7u)), b, sum7);
    }
    // A loop, so that the program contains the epilogue once: drivers take long to compile one activation per element.
    var sums = array<vec4<f32>, TILE_ROWS>(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7);
    for (var row = 0u; row < TILE_ROWS; row++) {
        for (var column = 0u; column < 4u; column++) {
            store(tile.x + row, n + 8u * column, sums[row][column]);
        }
    }
}
