//! Muon.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::AdamW;
use super::adam::{STATE, check_rates};
use super::rule::{Corrections, Rule, Update, bias_correction, check_decay, check_learning_rate};
use crate::kernels::kernel::DType;
use crate::kernels::{self, AdamRates, Gemm, GradientNorm, Normalize, Sgd};
use crate::plan::{Arena, PlanBuilder, Role, Tensor, TensorInfo};
use crate::settings::SettingError;

/// Momentum whose direction is made orthogonal, for parameters that are matrices, which the weights of dense layers are:
/// `b = momentum b + (1 - momentum) g`, `p -= learning_rate * sqrt(max(1, rows / columns)) * O(momentum b + (1 - momentum) g)`, where O takes the
/// singular values of a matrix `[rows, columns]` to about 1: Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein, "Muon: an optimizer for
/// hidden layers in neural networks", 2024, <https://kellerjordan.github.io/posts/muon/>. O is five Newton-Schulz steps
/// `x = 3.4445 x + (-4.775 a + 2.0315 a a) x` with `a = x x^T`, from the matrix over its Frobenius norm, which is no less than 1e-7.
///
/// All other parameters, such as biases and the weights of convolutions, are updated as [`AdamW`] does, at `adam_learning_rate`. A schedule
/// changes both rates by the same factor. Like AdamW it comes with a weight decay of 0.01, at the learning rate of each weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Muon {
    /// Step size of matrices; 0.02.
    pub learning_rate: f64,
    /// What is left of a matrix's momentum after a step; 0.95.
    pub momentum: f64,
    /// Step size of all other parameters; 0.001.
    pub adam_learning_rate: f64,
    /// Decay of their first moment; 0.9.
    pub beta1: f64,
    /// Decay of their second moment; 0.999.
    pub beta2: f64,
    /// Added to the root of their second moment; 1e-8.
    pub epsilon: f64,
}

impl Default for Muon {
    fn default() -> Muon {
        let AdamW { learning_rate: adam_learning_rate, beta1, beta2, epsilon } = AdamW::default();
        Muon { learning_rate: 0.02, momentum: 0.95, adam_learning_rate, beta1, beta2, epsilon }
    }
}

/// Newton-Schulz steps.
const STEPS: usize = 5;

/// Coefficients of `x`, `x x^T x` and `(x x^T)^2 x` in a step: chosen by the authors to bring small singular values up quickly.
const COEFFICIENTS: [f64; 3] = [3.4445, -4.775, 2.0315];

/// A smaller norm of a direction counts as this one: that of a zero gradient is zero.
const LEAST_NORM: f64 = 1e-7;

/// State of matrices.
const MOMENTA: &str = "momenta";

fn is_matrix(info: &TensorInfo) -> bool {
    info.shape.len() == 2
}

/// What the part of a state is called that belongs to these elements of the parameters.
fn name(state: &str, range: &Range<usize>) -> String {
    format!("{state} of parameters[{}..{}]", range.start, range.end)
}

impl Muon {
    /// Whether each part is a matrix, with its elements; neighbours that are none are one part.
    fn shares(plan: &PlanBuilder, parts: &[Tensor]) -> Vec<(Option<Tensor>, Range<usize>)> {
        let mut shares = Vec::new();
        for (is_matrix, range) in plan.neighbours(parts, is_matrix) {
            if is_matrix {
                let inside = parts.iter().filter(|&&part| range.contains(&plan.info(part).offset));
                shares.extend(inside.map(|&part| (Some(part), plan.info(part).range())));
            } else {
                shares.push((None, range));
            }
        }
        shares
    }

    /// Appends the update of a matrix `[rows, columns]`.
    fn update_matrix(&self, update: &mut Update<'_>, matrix: Tensor, momenta: Tensor) {
        let Update { plan, loss_scale, .. } = update;
        let TensorInfo { name, shape, .. } = plan.info(matrix).clone();
        let (length, [rows, columns]) = (shape[0] * shape[1], [shape[0], shape[1]].map(|n| n as u32));
        let mut scratch =
            |what: &str, shape: &[usize]| plan.tensor(format!("{name}.{what}"), shape, DType::F32, Role::Grad);
        // The smaller side's: x x^T, or x^T x of a tall matrix.
        let (side, is_tall) = (rows.min(columns), rows > columns);
        let square = [side as usize; 2];
        let [mut x, mut next] = ["direction", "next_direction"].map(|what| scratch(what, &shape));
        let [gram, polynomial] = ["gram", "gram_polynomial"].map(|what| scratch(what, &square));
        let norm = GradientNorm::new(length as u32);
        let partials = scratch("norm_partials", &[norm.pieces()]);
        let gradient = plan.find(&format!("{name}.grad")).expect("a parameter that is updated has a gradient");

        plan.launch_update(kernels::Muon::new(length as u32, self.momentum), &[], &[gradient, momenta, x, *loss_scale]);
        plan.launch_update(norm, &[], &[x, partials]);
        plan.launch_update(Normalize::new(norm, LEAST_NORM), &[], &[partials, x]);
        let of_gram = Gemm { rows: side, columns: side, depth: rows.max(columns), alpha: 0.0, beta: 1.0 };
        for step in 1..=STEPS {
            // The last step's result is scaled by what else there is to the learning rate.
            let last = (f64::from(rows) / f64::from(columns)).max(1.0).sqrt();
            let [a, b, c] = COEFFICIENTS.map(|factor| (if step == STEPS { factor * last } else { factor }) as f32);
            let constants = if is_tall { [1, 0] } else { [0, 1] };
            plan.launch_update(of_gram, &constants, &[x, x, x, gram]);
            let of_polynomial = Gemm { rows: side, columns: side, depth: side, alpha: b, beta: c };
            // It is symmetric: either layout will do.
            plan.launch_update(of_polynomial, &[0, 0], &[gram, gram, gram, polynomial]);
            let of_next = Gemm { rows, columns, depth: side, alpha: a, beta: 1.0 };
            let [left, right] = if is_tall { [x, polynomial] } else { [polynomial, x] };
            plan.launch_update(of_next, &[0, 0], &[left, right, x, next]);
            (x, next) = (next, x);
        }
        plan.launch_update(Sgd { length: length as u32 }, &[], &[matrix, x, *loss_scale]);
    }

    /// Appends the update of a range of other parameters.
    fn update_rest(&self, update: &mut Update<'_>, range: &Range<usize>, moments: [Tensor; 2]) {
        let Update { plan, parameters, gradients, loss_scale, .. } = update;
        let start = plan.info(*parameters).offset;
        let [of_parameters, of_gradients] =
            [*parameters, *gradients].map(|whole| plan.range(whole, range.start - start..range.end - start));
        let rate_factor = self.rate_factor(&[]) as f32;
        let rates = AdamRates { rate_factor, ..AdamRates::new(self.beta1, self.beta2, self.epsilon) };
        let kernel = kernels::Adam { rates, length: range.len() as u32 };
        let [first, second] = moments;
        plan.launch_update(kernel, &[], &[of_parameters, of_gradients, first, second, *loss_scale]);
    }
}

impl Rule for Muon {
    fn title(&self) -> &'static str {
        "Muon"
    }

    fn default_weight_decay(&self) -> f64 {
        AdamW::default().default_weight_decay()
    }

    fn check(&self) -> Result<(), SettingError> {
        check_decay("optimizer.momentum", "a momentum", self.momentum)?;
        check_learning_rate("optimizer.adam_learning_rate", self.adam_learning_rate)?;
        check_rates(self.beta1, self.beta2, self.epsilon)
    }

    fn corrections(&self, t: u64) -> Corrections {
        let [first_moment, second_moment] = [self.beta1, self.beta2].map(|beta| bias_correction(beta, t));
        Corrections { first_moment, second_moment, ..Corrections::default() }
    }

    fn rate_factor(&self, shape: &[usize]) -> f64 {
        if shape.len() == 2 { 1.0 } else { self.adam_learning_rate / self.learning_rate }
    }

    /// A momentum for each element of a matrix, and two moments for each other parameter.
    fn state(&self, plan: &mut PlanBuilder, parameters: &Arena) -> Vec<Tensor> {
        let shares = Muon::shares(plan, &parameters.in_order(plan));
        let (matrices, rest): (Vec<_>, Vec<_>) = shares.into_iter().partition(|(matrix, _)| matrix.is_some());
        let mut arenas = Vec::new();
        for (state, of) in [(MOMENTA, matrices), (STATE[0], rest.clone()), (STATE[1], rest)] {
            let parts: Vec<_> = of.iter().map(|(_, range)| (name(state, range), vec![range.len()])).collect();
            if !parts.is_empty() {
                arenas.push(plan.arena(state, Role::State, &parts).whole);
            }
        }
        arenas
    }

    fn record(&self, update: &mut Update<'_>) {
        for (matrix, range) in Muon::shares(update.plan, &update.parts) {
            let state = |state| update.plan.find(&name(state, &range)).expect("every part has its state");
            match matrix {
                Some(matrix) => self.update_matrix(update, matrix, state(MOMENTA)),
                None => self.update_rest(update, &range, [STATE[0], STATE[1]].map(state)),
            }
        }
    }
}
