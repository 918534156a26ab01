//! Which tile suits a product, and which tiles an adapter can run.

use super::*;

const WEBGPU: TileLimits = TileLimits { threads: 256, memory: 16_384, subgroup: None, matrix: None };

#[test]
fn tiles_suit_adapter_and_shape_and_cover_the_result() {
    for (rows, columns, subgroup, name) in [
        (4, 10, Some(8), "lanes 8x32"),
        (9, 10, Some(8), "lanes 24x32"),
        (256, 10, Some(32), "quad 64x16"),
        (4, 784, None, "quad 16x64"),
        (256, 500, None, "quad 32x32"),
        (256, 3000, None, "block 64x64"),
    ] {
        let tile = Product::new(rows, columns).tile(&TileLimits { subgroup, ..WEBGPU }, Precision::F32);
        assert_eq!(tile.name, name, "{rows} x {columns}, subgroups of {subgroup:?}");
    }
    // In f16 on tensor cores: the largest tile that gives 64 workgroups, else the smallest. In f32 never.
    let tensor_cores = TileLimits { threads: 1024, memory: 49_152, subgroup: Some(32), matrix: Some((16, 32)) };
    for (rows, columns, name) in
        [(256, 10, "matrix 64x64"), (256, 3000, "matrix 128x64"), (2048, 3000, "matrix 128x128")]
    {
        assert_eq!(Product::new(rows, columns).tile(&tensor_cores, Precision::F16).name, name, "{rows} x {columns}");
        assert!(!Product::new(rows, columns).tile(&tensor_cores, Precision::F32).uses_matrices());
    }
    for tile in TILES {
        let [tile_rows, tile_columns] = tile.size();
        for (rows, columns) in [(1, 1), (tile_rows, tile_columns as usize + 1), (67, 9_000_000)] {
            let product = Product { rows, columns, count: 3 };
            let [x, y, z] = product.grid(tile);
            let covered = x as usize * y as usize * tile_rows as usize * tile_columns as usize;
            assert!(covered >= rows as usize * columns && z == 3, "{} of {rows} x {columns}", tile.name);
        }
    }
}

#[test]
fn tiles_beyond_the_limits_of_an_adapter_do_not_fit() {
    let fitting = |limits: TileLimits| TILES.iter().filter(|tile| tile.fits(&limits, Precision::F32)).count();
    assert_eq!(fitting(TileLimits { memory: 32_768, subgroup: Some(8), ..WEBGPU }), 10);
    assert_eq!(fitting(TileLimits { memory: 32_768, subgroup: Some(32), ..WEBGPU }), 8);
    // 128x128 needs 16 * (32 + 1) vectors of 16 bytes, twice.
    assert_eq!((fitting(TileLimits { memory: 16_896, ..WEBGPU }), fitting(WEBGPU)), (8, 7));
    assert_eq!(fitting(TileLimits { threads: 128, ..WEBGPU }), 6);

    let of_matrices_in = |precision: Precision, limits: TileLimits| {
        TILES.iter().filter(|tile| tile.uses_matrices() && tile.fits(&limits, precision)).count()
    };
    let of_matrices = |limits: TileLimits| of_matrices_in(Precision::F16, limits);
    // 128x128 needs 128 rows of 40 f16, 32 rows of 136 f16, and 8 matrices of 256 f32.
    let memory = 2 * (128 * 40 + 32 * 136) + 8 * 256 * 4;
    let most = TileLimits { threads: 256, memory, subgroup: None, matrix: Some((16, 32)) };
    assert_eq!(of_matrices(most), 3);
    assert_eq!(of_matrices(TileLimits { memory: memory - 1, ..most }), 2);
    assert_eq!(of_matrices(TileLimits { threads: 64, ..most }), 1);
    assert_eq!(of_matrices(TileLimits { matrix: Some((8, 32)), ..most }), 1);
    assert_eq!(of_matrices(TileLimits { matrix: Some((16, 64)), ..most }), 0);
    assert_eq!(of_matrices(TileLimits { matrix: None, ..most }), 0);
    // Split 128x64 needs 128 rows of 40 f16 and 32 rows of 72 f16, both twice, 4 matrices of 256 f32, and a word per
    // row and per column.
    let memory = 4 * (128 * 40 + 32 * 72) + 4 * 256 * 4 + 4 * (128 + 64);
    let most = TileLimits { memory, ..most };
    assert_eq!(of_matrices_in(Precision::F32Split, most), 2);
    assert_eq!(of_matrices_in(Precision::F32Split, TileLimits { memory: memory - 1, ..most }), 1);
    assert_eq!(of_matrices_in(Precision::F32, most), 0);
}
