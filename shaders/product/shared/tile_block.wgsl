// A tile of a matrix product through workgroup memory (shaders/product/shared/tile_memory.wgsl): 8x8 elements per
// thread. They are four 4x4 blocks, half a tile apart, so that neighbouring threads read neighbouring vectors.

const SIDE: u32 = 8u;

fn tile_product(tile: vec2<u32>, thread: u32) {
    let depth = product_depth();
    // The thread's first group of four rows, and of four columns.
    let quad = vec2<u32>(thread / THREAD_COLUMNS, thread % THREAD_COLUMNS);
    // One variable per row and half: an array with variable indices may not stay in registers.
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
        fetch(tile, first, thread);
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let rows = k * STRIDE_A + quad.x;
            let columns = k * STRIDE_B + quad.y;
            let a0 = tile_a[rows];
            let a1 = tile_a[rows + THREAD_ROWS];
            let b0 = tile_b[columns];
            let b1 = tile_b[columns + THREAD_COLUMNS];
            sum00 = fma(vec4<f32>(a0.x), b0, sum00);
            sum01 = fma(vec4<f32>(a0.x), b1, sum01);
            sum10 = fma(vec4<f32>(a0.y), b0, sum10);
            sum11 = fma(vec4<f32>(a0.y), b1, sum11);
            sum20 = fma(vec4<f32>(a0.z), b0, sum20);
            sum21 = fma(vec4<f32>(a0.z), b1, sum21);
            sum30 = fma(vec4<f32>(a0.w), b0, sum30);
            sum31 = fma(vec4<f32>(a0.w), b1, sum31);
            sum40 = fma(vec4<f32>(a1.x), b0, sum40);
            sum41 = fma(vec4<f32>(a1.x), b1, sum41);
            sum50 = fma(vec4<f32>(a1.y), b0, sum50);
            sum51 = fma(vec4<f32>(a1.y), b1, sum51);
            sum60 = fma(vec4<f32>(a1.z), b0, sum60);
            sum61 = fma(vec4<f32>(a1.z), b1, sum61);
            sum70 = fma(vec4<f32>(a1.w), b0, sum70);
            sum71 = fma(vec4<f32>(a1.w), b1, sum71);
        }
        workgroupBarrier();
    }
    let m = tile.x + 4u * quad.x;
    let n = tile.y + 4u * quad.y;
    let below = m + TILE_ROWS / 2u;
    let beside = n + TILE_COLUMNS / 2u;
    store_quad(m, n, sum00);
    store_quad(m, beside, sum01);
    store_quad(m + 1u, n, sum10);
    store_quad(m + 1u, beside, sum11);
    store_quad(m + 2u, n, sum20);
    store_quad(m + 2u, beside, sum21);
    store_quad(m + 3u, n, sum30);
    store_quad(m + 3u, beside, sum31);
    store_quad(below, n, sum40);
    store_quad(below, beside, sum41);
    store_quad(below + 1u, n, sum50);
    store_quad(below + 1u, beside, sum51);
    store_quad(below + 2u, n, sum60);
    store_quad(below + 2u, beside, sum61);
    store_quad(below + 3u, n, sum70);
    store_quad(below + 3u, beside, sum71);
}
