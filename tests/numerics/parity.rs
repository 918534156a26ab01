//! Parity: every kernel, and whole steps, on every backend, compared with the CPU in f64.

use crate::harness::{Small, backends, first_step, gpu, network};
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::backend::parity::{Form, check_kernel, check_kernel_in, compare_step, forms};
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::kernels::kernel::{KernelSpec, Tolerance};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::kernels::tile::TILES;
use gpunet::low_level::kernels::{DenseForward, DenseGrad, DenseInputGrad, Gemm, KERNELS};
use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::network::{Network, PerLayer};
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::plan::Phase;

#[test]
fn every_kernel_agrees_with_its_twin_in_f64() {
    for (name, backend) in backends() {
        for kernel in KERNELS {
            let report = check_kernel(backend.as_ref(), kernel).unwrap();
            assert!(report.cases > 0, "{} has no cases", kernel.name);
            assert!(report.ok, "{name}: {}: {}", kernel.name, report.failure.unwrap_or_default());
        }
    }
}

/// All a tile depends on is which operands are contiguous along the sum: both, one or none. The three kernels cover all
/// cases. Tiles that split operands count as single precision.
#[test]
fn every_tile_agrees_in_products_of_every_layout() {
    let backend = gpu(ShaderChecks::Trusted);
    for kernel in [DenseForward::KERNEL, DenseInputGrad::KERNEL, DenseGrad::KERNEL, Gemm::KERNEL] {
        let in_single = |form: &Form| form.tile.is_some() && !form.precision.is_half();
        let forms: Vec<Form> = forms(backend.as_ref(), kernel).into_iter().filter(in_single).collect();
        assert!(forms.len() > 1);
        for form in forms {
            let report = check_kernel_in(backend.as_ref(), kernel, form).unwrap();
            assert!(report.cases > 0 && report.ok, "{}: {}", kernel.name, report.failure.unwrap_or_default());
        }
    }
}

/// Matrix tiles, on adapters that have them. Without this test, a bug in such a tile would only make the backend fall
/// back to plain tiles.
#[test]
fn bugs_in_matrix_tiles_are_caught() {
    let backend = gpu(ShaderChecks::Trusted);
    let tiles = |precision| backend.tiles(precision).into_iter().filter(|tile| tile.uses_matrices());
    assert!(backend.kind() != "vulkan" || tiles(Precision::F16).count() == 0 || tiles(Precision::F32Split).count() > 0);
    for (precision, from, to) in [
        (Precision::F16, "row + 2u * SIDE, column, thread", "row + SIDE, column, thread"),
        (Precision::F16, "sums31 = coopMultiplyAdd(a3, b1, sums31)", "sums31 = coopMultiplyAdd(a3, b0, sums31)"),
        (Precision::F32Split, "f16(value - high_part(value))", "f16(0.0)"),
        (Precision::F32Split, "coopMultiplyAdd(low2, h1, part21)", "part21"),
        (Precision::F32Split, "exponent(largest) - 14u", "exponent(largest) - 13u"),
        (Precision::F32Split, "sums10 = sums10 + part10", "sums10 = part10"),
    ] {
        // The text of each bug stands in every such tile, whether or not this adapter can run the tile.
        let all = TILES.into_iter().filter(|tile| tile.uses_matrices() && tile.takes(precision));
        let planted: Vec<_> = all.map(|tile| tile.planted(from, to)).collect();
        assert!(!planted.is_empty(), "no matrix tile takes {precision:?}");
        for tile in tiles(precision) {
            let planted = planted.iter().find(|planted| planted.name == tile.name);
            let form = Form { tile: planted.copied(), precision };
            assert!(form.tile.is_some(), "{} is a tile that is not listed", tile.name);
            let report = check_kernel_in(backend.as_ref(), DenseForward::KERNEL, form).unwrap();
            assert!(!report.ok, "{}: `{to}` for `{from}` was not caught", tile.name);
        }
    }
}

/// Every kernel with activations in half precision, on the CPU too. Matrix tiles are tested with the products of a
/// dense layer, which have every layout. All other tiles are tested with `DenseForward`.
#[test]
fn every_kernel_agrees_in_half_precision() {
    for (name, backend) in backends() {
        let mut checked = Vec::new();
        for kernel in KERNELS {
            let in_half = |form: &Form| form.precision == Precision::F16;
            let is_wanted = |form: &Form| match form.tile {
                None => true,
                Some(tile) if tile.uses_matrices() => kernel.name.starts_with("dense"),
                Some(_) => kernel.name == DenseForward::NAME,
            };
            for form in forms(backend.as_ref(), kernel).into_iter().filter(in_half).filter(is_wanted) {
                checked.extend(form.tile.is_none().then_some(kernel.name));
                let report = check_kernel_in(backend.as_ref(), kernel, form).unwrap();
                let failure = report.failure.unwrap_or_default();
                assert!(report.cases > 0 && report.ok, "{name}: {}: {failure}", kernel.name);
            }
        }
        let through_activations = KERNELS.iter().filter(|kernel| kernel.wgsl.contains("array<stored>"));
        assert_eq!(checked, through_activations.map(|kernel| kernel.name).collect::<Vec<_>>(), "{name}");
        assert!(!checked.is_empty());
    }
}

/// Compares one step of each phase launch by launch, with full and short batches. A failure names the first tensor that
/// differs.
fn check_every_launch(small: &Small, optimizer: &Optimizer) {
    let tolerance = Tolerance { absolute: 2e-6, relative: 1e-4, reason: "f32 sums through a few layers" };
    for (name, backend) in backends() {
        let mut program = backend.load(&small.recording.plan).unwrap();
        small.fill(program.as_mut());
        let mut reference = small.reference();
        for (phase, rows) in [(Phase::Shuffle, 7), (Phase::Train, 7), (Phase::Eval, 3)] {
            let step = first_step(5, rows, optimizer);
            let comparison = compare_step(program.as_mut(), &mut reference, phase, &step, tolerance).unwrap();
            assert_eq!(comparison.failure, None, "{name}, {}, {optimizer}, {phase:?}", small.model.arch());
        }
    }
}

/// Dropout on inputs and hidden layers, and activations whose derivatives need outputs or pre-activations.
#[test]
fn every_launch_of_a_step_with_dropout_agrees() {
    let activation = PerLayer::Each(vec![Activation::Gelu, Activation::Tanh, Activation::Elu]);
    let dropout = PerLayer::Each(vec![0.2, 0.5, 0.0, 0.3]);
    let network = Network { activation, dropout, ..network("20-65-33-9-4") };
    let options = TrainingOptions { batch: 7, ..TrainingOptions::default() };
    check_every_launch(&Small::of(&network, &options), &options.optimizer);
}

/// Convolutions, both poolings, both normalizations of channels and of features, with and without dropout.
#[test]
fn every_launch_of_a_step_of_convolutional_networks_agrees() {
    for arch in [
        "1x8x9-5C3p1-MP2-7C3-AP2s1-9-4",
        "2x7x6-6C3s2p2-BN-MP3s2p1-5C1-GAP-4",
        "3x5x5-4C2-BN-8-BN-3",
        "3x5x5-4C2-LN-8-LN-3",
    ] {
        for dropout in [0.0, 0.3] {
            let network = Network { dropout: PerLayer::All(dropout), ..network(arch) };
            let options = TrainingOptions { batch: 7, optimizer: Optimizer::adam(), ..TrainingOptions::default() };
            check_every_launch(&Small::of(&network, &options), &options.optimizer);
        }
    }
}

#[test]
fn every_launch_of_a_step_agrees() {
    for optimizer in [Optimizer::sgd(), Optimizer::adam()] {
        for arch in ["11-7", "13-67-5", "20-65-33-9-4"] {
            check_every_launch(&Small::new(arch, 7, optimizer, 1.0), &optimizer);
        }
    }
}

/// All optimizers with regularization, weight decay, clipping and max-norm.
#[test]
fn every_launch_of_an_update_agrees() {
    let regularization = Regularization { l1: 1e-3, l2: 1e-2, weight_decay: Some(0.1), max_norm: Some(1.0) };
    let clipping = Clipping { norm: Some(0.5), value: Some(0.1) };
    for optimizer in Optimizer::all() {
        let options = TrainingOptions { batch: 7, optimizer, regularization, clipping, ..TrainingOptions::default() };
        check_every_launch(&Small::of(&network("13-67-5"), &options), &optimizer);
    }
}
