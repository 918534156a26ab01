// A tile of a matrix product (shaders/lib/product.wgsl) of a subgroup of 8 threads: 8x32. A thread fetches a row of A, which all get by
// broadcasting, and keeps four columns of B: fewer loads than multiplications by far, and no workgroup memory. For adapters that compute
// on a CPU, where loads are dear and subgroups are its vectors.

const TILE_ROWS: u32 = 8u;
const TILE_COLUMNS: u32 = 32u;
const TILE_THREADS: u32 = 8u;

// Writes a thread's columns of a row of C.
fn store_columns(m: u32, n: u32, products: vec4<f32>) {
    store(m, n, products.x);
    store(m, n + 8u, products.y);
    store(m, n + 16u, products.z);
    store(m, n + 24u, products.w);
}

fn tile_product(tile: vec2<u32>, thread: u32) {
    let m = tile.x + thread;
    let n = tile.y + thread;
    // By name: an array that is indexed by a variable may leave the registers.
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
    store_columns(tile.x, n, sum0);
    store_columns(tile.x + 1u, n, sum1);
    store_columns(tile.x + 2u, n, sum2);
    store_columns(tile.x + 3u, n, sum3);
    store_columns(tile.x + 4u, n, sum4);
    store_columns(tile.x + 5u, n, sum5);
    store_columns(tile.x + 6u, n, sum6);
    store_columns(tile.x + 7u, n, sum7);
}
