//! Optimizers: how gradients become new parameters. A file each for their settings and defaults.
//!
//! In the formulas, p is a parameter and g its gradient, that of the mean loss of a batch. The kernels of the same names compute
//! them.

mod adagrad;
mod adam;
mod fused;
mod lion;
mod momentum;
mod nesterov;
mod rmsprop;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use fused::FusedUpdate;
pub use lion::Lion;
pub use momentum::Momentum;
pub use nesterov::Nesterov;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use serde::{Deserialize, Serialize};

use crate::kernels::DenseUpdate;
use crate::kernels::kernel::{DType, KernelSpec};
use crate::plan::{Launch, PlanBuilder, Role, Tensor};
use crate::settings::{SettingError, is_positive};

/// An optimizer with its settings; `name` says which in a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum Optimizer {
    /// Gradient descent.
    Sgd(Sgd),
    /// Gradient descent with momentum.
    Momentum(Momentum),
    /// Gradient descent with Nesterov's momentum.
    Nesterov(Nesterov),
    /// RMSprop.
    RmsProp(RmsProp),
    /// Adagrad.
    Adagrad(Adagrad),
    /// Adam.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(Adam),
    /// Lion.
    Lion(Lion),
}

/// What the settings of an optimizer say of it.
trait Rule {
    /// Checks all but the learning rate.
    fn check(&self) -> Result<(), SettingError> {
        Ok(())
    }

    /// See [`Optimizer::bias_corrections`].
    fn bias_corrections(&self, _t: u64) -> [f64; 2] {
        [1.0; 2]
    }

    /// Names of the state it keeps: a tensor each, of a value a parameter, zero at first.
    fn state(&self) -> &'static [&'static str] {
        &[]
    }

    /// Appends the update.
    fn record(&self, update: &mut Update<'_>);

    /// See [`Optimizer::fused`].
    fn fused(&self, _parameters: DenseUpdate) -> Option<Launch> {
        None
    }
}

/// Where a rule records to: parameters, their gradients and state, and the loss scale, which tells whether the update is left out.
struct Update<'a> {
    plan: &'a mut PlanBuilder,
    parameters: Tensor,
    gradients: Tensor,
    state: &'a [Tensor],
    loss_scale: Tensor,
}

impl Update<'_> {
    /// Number of parameters.
    fn length(&self) -> u32 {
        self.plan.info(self.parameters).len() as u32
    }

    /// Appends the launch of a kernel whose slots are parameters, gradients, state and the loss scale.
    fn launch<K: KernelSpec>(&mut self, kernel: K, constants: &[u32]) {
        let args = [&[self.parameters, self.gradients], self.state, &[self.loss_scale]].concat();
        self.plan.launch_update(kernel, constants, &args);
    }
}

impl Optimizer {
    /// Every optimizer as published, or with usual settings where no paper names any.
    pub fn all() -> [Optimizer; 8] {
        [
            Optimizer::Sgd(Sgd::default()),
            Optimizer::Momentum(Momentum::default()),
            Optimizer::Nesterov(Nesterov::default()),
            Optimizer::RmsProp(RmsProp::default()),
            Optimizer::Adagrad(Adagrad::default()),
            Optimizer::Adam(Adam::default()),
            Optimizer::AdamW(Adam::default()),
            Optimizer::Lion(Lion::default()),
        ]
    }

    /// The optimizer of that name, with its defaults.
    pub fn named(name: &str) -> Option<Optimizer> {
        Optimizer::all().into_iter().find(|optimizer| optimizer.name() == name)
    }

    /// Gradient descent at its default rate.
    pub fn sgd() -> Optimizer {
        Optimizer::Sgd(Sgd::default())
    }

    /// Adam as published.
    pub fn adam() -> Optimizer {
        Optimizer::Adam(Adam::default())
    }

    /// Name, as in recipes.
    pub const fn name(&self) -> &'static str {
        match self {
            Optimizer::Sgd(_) => "sgd",
            Optimizer::Momentum(_) => "momentum",
            Optimizer::Nesterov(_) => "nesterov",
            Optimizer::RmsProp(_) => "rmsprop",
            Optimizer::Adagrad(_) => "adagrad",
            Optimizer::Adam(_) => "adam",
            Optimizer::AdamW(_) => "adamw",
            Optimizer::Lion(_) => "lion",
        }
    }

    /// The learning rate.
    pub const fn learning_rate(&self) -> f64 {
        match *self {
            Optimizer::Sgd(Sgd { learning_rate })
            | Optimizer::Momentum(Momentum { learning_rate, .. })
            | Optimizer::Nesterov(Nesterov { learning_rate, .. })
            | Optimizer::RmsProp(RmsProp { learning_rate, .. })
            | Optimizer::Adagrad(Adagrad { learning_rate, .. })
            | Optimizer::Adam(Adam { learning_rate, .. })
            | Optimizer::AdamW(Adam { learning_rate, .. })
            | Optimizer::Lion(Lion { learning_rate, .. }) => learning_rate,
        }
    }

    /// The same optimizer at another learning rate.
    pub const fn with_learning_rate(mut self, rate: f64) -> Optimizer {
        match &mut self {
            Optimizer::Sgd(Sgd { learning_rate })
            | Optimizer::Momentum(Momentum { learning_rate, .. })
            | Optimizer::Nesterov(Nesterov { learning_rate, .. })
            | Optimizer::RmsProp(RmsProp { learning_rate, .. })
            | Optimizer::Adagrad(Adagrad { learning_rate, .. })
            | Optimizer::Adam(Adam { learning_rate, .. })
            | Optimizer::AdamW(Adam { learning_rate, .. })
            | Optimizer::Lion(Lion { learning_rate, .. }) => *learning_rate = rate,
        }
        self
    }

    /// The weight decay where a configuration names none: AdamW is Adam but for it.
    pub const fn default_weight_decay(&self) -> f64 {
        if matches!(self, Optimizer::AdamW(_)) { 0.01 } else { 0.0 }
    }

    /// Checks its settings.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), SettingError> {
        let rate = self.learning_rate();
        let must = "a learning rate must be a positive f32, such as 0.001";
        SettingError::unless(is_positive(rate), "optimizer.learning_rate", format!("{rate:?}"), must)?;
        self.rule().check()
    }

    /// The bias corrections `1 / (1 - beta^t)` of update `t`, counted from 1: first and second moment. 1 where there is none.
    pub fn bias_corrections(&self, t: u64) -> [f64; 2] {
        self.rule().bias_corrections(t)
    }

    /// Tensors for the state that it keeps of an arena of parameters.
    pub(crate) fn state(&self, plan: &mut PlanBuilder, parameters: Tensor) -> Vec<Tensor> {
        let length = plan.info(parameters).len();
        self.rule().state().iter().map(|&name| plan.tensor(name, &[length], DType::F32, Role::State)).collect()
    }

    /// Appends the update of parameters by their gradients, all of one length, to the training phase.
    pub(crate) fn record(
        &self,
        plan: &mut PlanBuilder,
        [parameters, gradients]: [Tensor; 2],
        state: &[Tensor],
        loss_scale: Tensor,
    ) {
        self.rule().record(&mut Update { plan, parameters, gradients, state, loss_scale });
    }

    /// The launch that makes the gradient of a dense layer's parameters and updates them by it, where there is one for this rule. Its
    /// arguments, which it is without, are the product's operands, the parameters and their state.
    pub(crate) fn fused(&self, parameters: DenseUpdate) -> Option<Launch> {
        self.rule().fused(parameters)
    }

    fn rule(&self) -> &dyn Rule {
        match self {
            Optimizer::Sgd(rule) => rule,
            Optimizer::Momentum(rule) => rule,
            Optimizer::Nesterov(rule) => rule,
            Optimizer::RmsProp(rule) => rule,
            Optimizer::Adagrad(rule) => rule,
            Optimizer::Adam(rule) | Optimizer::AdamW(rule) => rule,
            Optimizer::Lion(rule) => rule,
        }
    }
}

impl std::fmt::Display for Optimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Optimizer::Sgd(_) => "gradient descent",
            Optimizer::Momentum(_) => "momentum",
            Optimizer::Nesterov(_) => "Nesterov momentum",
            Optimizer::RmsProp(_) => "RMSprop",
            Optimizer::Adagrad(_) => "Adagrad",
            Optimizer::Adam(_) => "Adam",
            Optimizer::AdamW(_) => "AdamW",
            Optimizer::Lion(_) => "Lion",
        };
        write!(f, "{name} at {}", self.learning_rate())
    }
}

/// Checks what stays of an average from step to step; `what` names it.
fn check_decay(key: &'static str, what: &str, value: f64) -> Result<(), SettingError> {
    // As an f32, the nearest of which may be 1.
    let ok = (0.0..1.0).contains(&(value as f32));
    SettingError::unless(ok, key, format!("{value:?}"), format!("{what} lies from 0 up to but below 1"))
}

/// Checks what keeps quotients finite.
fn check_epsilon(value: f64) -> Result<(), SettingError> {
    let must = "what is added to a root must be a positive f32, such as 1e-8";
    SettingError::unless(is_positive(value), "optimizer.epsilon", format!("{value:?}"), must)
}

/// The bias correction of an average with decay `beta` that began at zero, after `t` steps.
fn bias_correction(beta: f64, t: u64) -> f64 {
    1.0 / (1.0 - beta.powf(t as f64))
}
