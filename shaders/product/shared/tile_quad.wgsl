// A tile of a matrix product through workgroup memory (shaders/product/shared/tile_memory.wgsl): 4x4 elements per
// thread. It is for small results, where larger tiles would be too few or mostly outside.

const SIDE: u32 = 4u;

fn tile_product(tile: vec2<u32>, thread: u32) {
    let depth = product_depth();
    let quad = vec2<u32>(thread / THREAD_COLUMNS, thread % THREAD_COLUMNS);
    // One variable per row: an array with variable indices may not stay in registers.
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var first = 0u; first < depth; first += DEPTH) {
        fetch(tile, first, thread);
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let a = tile_a[k * STRIDE_A + quad.x];
            let b = tile_b[k * STRIDE_B + quad.y];
            sum0 = fma(vec4<f32>(a.x), b, sum0);
            sum1 = fma(vec4<f32>(a.y), b, sum1);
            sum2 = fma(vec4<f32>(a.z), b, sum2);
            sum3 = fma(vec4<f32>(a.w), b, sum3);
        }
        workgroupBarrier();
    }
    let m = tile.x + 4u * quad.x;
    let n = tile.y + 4u * quad.y;
    store_quad(m, n, sum0);
    store_quad(m + 1u, n, sum1);
    store_quad(m + 2u, n, sum2);
    store_quad(m + 3u, n, sum3);
}
