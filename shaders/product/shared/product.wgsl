// A matrix product C = A B, or several of one shape: what the kernels that are products share. The kernel says
//   fn product_rows() -> u32, fn product_depth() -> u32    rows of A and C; columns of A, rows of B
//   fn a_at(m: u32, k: u32) -> f32                         A [rows, depth], by any layout, 0 outside
//   fn b_at(k: u32, n: u32) -> f32                         B [depth, columns], likewise
//   fn store(m: u32, n: u32, product: f32)                 takes an element of C, and must ignore those outside
//   const A_K_CONTIGUOUS, B_K_CONTIGUOUS: bool             whether neighbours along k are neighbours in memory
// A tile (shaders/product/shared/tile_*.wgsl) computes TILE_ROWS x TILE_COLUMNS of C with TILE_THREADS threads:
//   fn tile_product(first: vec2<u32>, thread: u32)         the tile with that first row and column

// Which of the products it is.
var<private> slice: u32;

@compute @workgroup_size(TILE_THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    slice = group.z;
    // Tiles of a column of tiles run fastest, so that neighbours share what they fetch of B; the grid is folded where there are many.
    let index = group.y * groups.x + group.x;
    let row_tiles = (product_rows() + TILE_ROWS - 1u) / TILE_ROWS;
    tile_product(vec2<u32>(index % row_tiles * TILE_ROWS, index / row_tiles * TILE_COLUMNS), thread);
}
