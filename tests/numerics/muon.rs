//! Muon: which parameters it updates how, what it keeps of them, and what it makes of gradients that are zero. That matrices become what
//! PyTorch makes of them is in `golden_optimizers.rs`.

use gpunet::low_level::backend::Program;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::{AdamW, Muon, Optimizer};
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::plan::{Data, Phase, When};

use crate::harness::{Small, backends, first_step, run_one};

/// A convolution, whose weights are no matrix, with biases, and two matrices.
const ARCH: &str = "2x6x5-4C3p1-BN-MP2-9-3";

fn small(optimizer: Optimizer, regularization: Regularization) -> Small {
    Small::with(ARCH, &TrainingOptions { batch: 4, optimizer, regularization, ..TrainingOptions::default() })
}

fn muon() -> Optimizer {
    Muon { adam_learning_rate: 0.003, ..Muon::default() }.into()
}

/// Names and values of the parameters.
fn parameters(small: &Small, program: &mut dyn Program) -> Vec<(String, Vec<f32>)> {
    let tensors = small.recording.parameters.iter();
    tensors
        .map(|&tensor| (small.recording.plan.tensor(tensor).name.clone(), program.slow_read_f32(tensor).unwrap()))
        .collect()
}

/// Makes the first update from the gradients that are there.
fn update(small: &Small, program: &mut dyn Program, optimizer: &Optimizer) {
    for (index, launch) in small.recording.plan.launches(Phase::Train).iter().enumerate() {
        if launch.when == When::Update {
            program.run_launch(Phase::Train, index, &first_step(0, 1, optimizer)).unwrap();
        }
    }
}

/// Weight decay, too, is at their own rate; a schedule changes both rates alike.
#[test]
fn parameters_that_are_no_matrices_become_what_adamw_makes_of_them() {
    let decay = Regularization { weight_decay: Some(0.3), ..Regularization::default() };
    let adamw = AdamW { learning_rate: 0.003, ..AdamW::default() }.into();
    let outcomes = [muon(), adamw].map(|optimizer: Optimizer| {
        let small = small(optimizer, decay);
        let mut program = small.reference();
        let mut step = first_step(0, 4, &optimizer);
        optimizer.set_scalars(&mut step, 1, 0.5);
        run_one(&mut program, Phase::Train, &step);
        parameters(&small, &mut program)
    });
    let [by_muon, by_adamw] = outcomes;
    for ((name, values), (_, expected)) in by_muon.iter().zip(&by_adamw) {
        let differ = values.iter().zip(expected).any(|(value, expected)| (value - expected).abs() > 1e-7);
        let is_matrix = ["layers.2.weight", "layers.3.weight"].contains(&name.as_str());
        assert_eq!(differ, is_matrix, "{name}");
    }
}

/// A momentum for each weight of a dense layer, two moments for each other parameter; what lies between keeps to 64 elements.
#[test]
fn its_state_is_no_larger_than_it_must_be() {
    let small = small(muon(), Regularization::default());
    let state = small.recording.state.iter().map(|&tensor| small.recording.plan.tensor(tensor));
    let found: Vec<(&str, usize)> = state.map(|info| (info.name.as_str(), info.len())).collect();
    // Weights of 24 x 9 and 9 x 3; a convolution's of 4 x 2 x 3 x 3, then biases and batch normalization, of at most 9 each.
    let matrices = 24_usize * 9;
    let momenta = matrices.next_multiple_of(64) + 64;
    assert_eq!(found[0], ("momenta", momenta));
    let [first, second] = [found[1], found[2]];
    assert_eq!((first.0, second.0, found.len()), ("first_moments", "second_moments", 3));
    assert!(first.1 == second.1 && first.1 < 72_usize.next_multiple_of(64) + 6 * 64, "{found:?}");
}

/// Also in a single row, which leaves its matrix with a rank of one less.
#[test]
fn zero_gradients_move_nothing() {
    let none = Regularization { weight_decay: Some(0.0), ..Regularization::default() };
    let small = small(muon(), none);
    for (name, backend) in backends() {
        let mut program = backend.load(&small.recording.plan).unwrap();
        small.fill(program.as_mut());
        let before = parameters(&small, program.as_mut());
        let plan = &small.recording.plan;
        for &gradient in &small.recording.gradients {
            let info = plan.tensor(gradient);
            let rest = if info.name == "layers.2.weight.grad" { 0.25 } else { 0.0 };
            let mut values: Vec<f32> = (0..info.len()).map(|i| rest * ((i * i) % 7) as f32).collect();
            values[..info.shape[info.shape.len() - 1]].fill(0.0);
            program.write(gradient, Data::F32(&values)).unwrap();
        }
        update(&small, program.as_mut(), &muon());
        for ((parameter, before), (_, after)) in before.iter().zip(parameters(&small, program.as_mut())) {
            let zero = if parameter == "layers.2.weight" { 24 } else { before.len() };
            assert!(before[..zero] == after[..zero], "{name}: {parameter}");
            assert!(after.iter().all(|value| value.is_finite()), "{name}: {parameter}");
            assert!(zero == before.len() || before[zero..] != after[zero..], "{name}: {parameter}");
        }
    }
}

/// Of a diagonal gradient, whose singular values are on the diagonal: each becomes what the polynomial `3.4445 s - 4.775 s^3 + 2.0315 s^5` makes of
/// it in five steps, in a wide matrix, a square one and a tall one.
#[test]
fn singular_values_become_what_the_polynomial_makes_of_them() {
    const DIAGONAL: [f32; 4] = [1.5, -0.5, 0.125, 2.0];
    let rate = 0.5;
    let optimizer = Muon { learning_rate: rate, ..Muon::default() }.into();
    let regularization = Regularization { weight_decay: Some(0.0), ..Regularization::default() };
    let small =
        Small::with("7-4-4-9", &TrainingOptions { batch: 2, optimizer, regularization, ..TrainingOptions::default() });
    let norm = DIAGONAL.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let expected = DIAGONAL.map(|value| {
        let polynomial = |s: f64| 3.4445 * s - 4.775 * s.powi(3) + 2.0315 * s.powi(5);
        (0..5).fold(f64::from(value) / norm, |s, _| polynomial(s))
    });
    for (layer, [rows, columns]) in [[4, 7], [4, 4], [9, 4]].into_iter().enumerate() {
        for (name, backend) in backends() {
            let plan = &small.recording.plan;
            let [weight, gradient] =
                ["weight", "weight.grad"].map(|of| plan.find(&format!("layers.{layer}.{of}")).unwrap());
            let mut values = vec![0.0; rows * columns];
            DIAGONAL.iter().enumerate().for_each(|(i, &value)| values[i * columns + i] = value);
            let mut program = backend.load(plan).unwrap();
            program.write(gradient, Data::F32(&values)).unwrap();
            update(&small, program.as_mut(), &optimizer);
            // The weights were zero.
            for (at, change) in program.slow_read_f32(weight).unwrap().into_iter().enumerate() {
                let (i, j) = (at / columns, at % columns);
                let factor = rate * (rows as f64 / columns as f64).max(1.0).sqrt();
                let expected = if i == j { -factor * expected[i] } else { 0.0 };
                let right = (f64::from(change) - expected).abs() < 1e-5;
                assert!(right, "{name}: {rows} x {columns}, row {i}, column {j}: {change}, not {expected}");
            }
        }
    }
}
