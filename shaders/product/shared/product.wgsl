// `main` of all kernels that are matrix products: C = A B, or several products of one shape. The kernel supplies
// addressing and an epilogue:
//   fn product_rows() -> u32, fn product_depth() -> u32    rows of A and C; columns of A, which are the rows of B
//   fn a_at(m: u32, k: u32) -> f32                         element of A [rows, depth], 0 outside
//   fn b_at(k: u32, n: u32) -> f32                         element of B [depth, columns], 0 outside
//   fn store(m: u32, n: u32, product: f32)                 epilogue for an element of C; must ignore elements outside
//   const A_K_CONTIGUOUS, B_K_CONTIGUOUS: bool             whether neighbours along k are neighbours in memory
// A tile (shaders/product/shared/tile_*.wgsl) computes TILE_ROWS x TILE_COLUMNS elements of C with TILE_THREADS
// threads:
//   fn tile_product(first: vec2<u32>, thread: u32)         the tile that begins at this row and column

// Number of the product.
var<private> slice: u32;

@compute @workgroup_size(TILE_THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    slice = group.z;
    // Consecutive workgroups go down a column of tiles, so that neighbours fetch the same elements of B. A long grid is
    // folded into two axes.
    let index = group.y * groups.x + group.x;
    let row_tiles = (product_rows() + TILE_ROWS - 1u) / TILE_ROWS;
    tile_product(vec2<u32>(index % row_tiles * TILE_ROWS, index / row_tiles * TILE_COLUMNS), thread);
}
