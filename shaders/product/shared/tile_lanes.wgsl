// A 24x32 tile of a matrix product (shaders/product/shared/product.wgsl) for one subgroup of 8 threads. Each thread
// fetches three rows of A and broadcasts them, and keeps four columns of B. This needs far fewer loads than
// multiplications and no workgroup memory. It is for adapters that compute on a CPU, where loads are expensive and
// subgroups are SIMD vectors.

const TILE_ROWS: u32 = 24u;
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
    var sum8 = vec4<f32>();
    var sum9 = vec4<f32>();
    var sum10 = vec4<f32>();
    var sum11 = vec4<f32>();
    var sum12 = vec4<f32>();
    var sum13 = vec4<f32>();
    var sum14 = vec4<f32>();
    var sum15 = vec4<f32>();
    var sum16 = vec4<f32>();
    var sum17 = vec4<f32>();
    var sum18 = vec4<f32>();
    var sum19 = vec4<f32>();
    var sum20 = vec4<f32>();
    var sum21 = vec4<f32>();
    var sum22 = vec4<f32>();
    var sum23 = vec4<f32>();
    for (var k = 0u; k < product_depth(); k++) {
        let a0 = a_at(m, k);
        let a1 = a_at(m + 8u, k);
        let a2 = a_at(m + 16u, k);
        let b = vec4<f32>(b_at(k, n), b_at(k, n + 8u), b_at(k, n + 16u), b_at(k, n + 24u));
        sum0 = fma(vec4<f32>(subgroupBroadcast(a0, 0u)), b, sum0);
        sum1 = fma(vec4<f32>(subgroupBroadcast(a0, 1u)), b, sum1);
        sum2 = fma(vec4<f32>(subgroupBroadcast(a0, 2u)), b, sum2);
        sum3 = fma(vec4<f32>(subgroupBroadcast(a0, 3u)), b, sum3);
        sum4 = fma(vec4<f32>(subgroupBroadcast(a0, 4u)), b, sum4);
        sum5 = fma(vec4<f32>(subgroupBroadcast(a0, 5u)), b, sum5);
        sum6 = fma(vec4<f32>(subgroupBroadcast(a0, 6u)), b, sum6);
        sum7 = fma(vec4<f32>(subgroupBroadcast(a0, 7u)), b, sum7);
        sum8 = fma(vec4<f32>(subgroupBroadcast(a1, 0u)), b, sum8);
        sum9 = fma(vec4<f32>(subgroupBroadcast(a1, 1u)), b, sum9);
        sum10 = fma(vec4<f32>(subgroupBroadcast(a1, 2u)), b, sum10);
        sum11 = fma(vec4<f32>(subgroupBroadcast(a1, 3u)), b, sum11);
        sum12 = fma(vec4<f32>(subgroupBroadcast(a1, 4u)), b, sum12);
        sum13 = fma(vec4<f32>(subgroupBroadcast(a1, 5u)), b, sum13);
        sum14 = fma(vec4<f32>(subgroupBroadcast(a1, 6u)), b, sum14);
        sum15 = fma(vec4<f32>(subgroupBroadcast(a1, 7u)), b, sum15);
        sum16 = fma(vec4<f32>(subgroupBroadcast(a2, 0u)), b, sum16);
        sum17 = fma(vec4<f32>(subgroupBroadcast(a2, 1u)), b, sum17);
        sum18 = fma(vec4<f32>(subgroupBroadcast(a2, 2u)), b, sum18);
        sum19 = fma(vec4<f32>(subgroupBroadcast(a2, 3u)), b, sum19);
        sum20 = fma(vec4<f32>(subgroupBroadcast(a2, 4u)), b, sum20);
        sum21 = fma(vec4<f32>(subgroupBroadcast(a2, 5u)), b, sum21);
        sum22 = fma(vec4<f32>(subgroupBroadcast(a2, 6u)), b, sum22);
        sum23 = fma(vec4<f32>(subgroupBroadcast(a2, 7u)), b, sum23);
    }
    // A loop, so that the program contains the epilogue once: drivers take long to compile one activation per element.
    var sums = array<vec4<f32>, TILE_ROWS>(
        sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
        sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15,
        sum16, sum17, sum18, sum19, sum20, sum21, sum22, sum23,
    );
    for (var row = 0u; row < TILE_ROWS; row++) {
        for (var column = 0u; column < 4u; column++) {
            store(tile.x + row, n + 8u * column, sums[row][column]);
        }
    }
}
