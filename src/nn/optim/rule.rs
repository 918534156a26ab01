//! What the settings of an optimizer say of it, and where it records to.

use crate::kernels::DenseUpdate;
use crate::kernels::kernel::{DType, KernelSpec};
use crate::plan::{Arena, Launch, PlanBuilder, Role, Tensor};
use crate::settings::{SettingError, is_positive};

/// An optimizer, as its settings: what its file says of it.
pub(super) trait Rule {
    /// What reports call it.
    fn title(&self) -> &'static str;

    /// See [`super::Optimizer::default_weight_decay`].
    fn default_weight_decay(&self) -> f64 {
        0.0
    }

    /// Checks all settings but the learning rate.
    fn check(&self) -> Result<(), SettingError> {
        Ok(())
    }

    /// See [`super::Optimizer::corrections`].
    fn corrections(&self, _t: u64) -> Corrections {
        Corrections::default()
    }

    /// See [`super::Optimizer::rate_factor`].
    fn rate_factor(&self, _shape: &[usize]) -> f64 {
        1.0
    }

    /// Names of the state that it keeps of each parameter: a tensor each, of one value per parameter.
    fn state_of_each(&self) -> &'static [&'static str] {
        &[]
    }

    /// Tensors for the state that it keeps of an arena of parameters, all zero at first.
    fn state(&self, plan: &mut PlanBuilder, parameters: &Arena) -> Vec<Tensor> {
        let length = plan.info(parameters.whole).len();
        self.state_of_each().iter().map(|&name| plan.tensor(name, &[length], DType::F32, Role::State)).collect()
    }

    /// Appends the update.
    fn record(&self, update: &mut Update<'_>);

    /// See [`super::Optimizer::fused`].
    fn fused(&self, _parameters: DenseUpdate) -> Option<Launch> {
        None
    }
}

/// What an update multiplies gradient and moments by, which changes from one update to the next; 1 where there is nothing to correct. Made in
/// f64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrections {
    /// Factor on the gradient itself, where it stands beside its first moment.
    pub gradient: f64,
    /// Factor on the first moment, or on the velocity.
    pub first_moment: f64,
    /// Factor on the second moment.
    pub second_moment: f64,
}

impl Default for Corrections {
    fn default() -> Corrections {
        Corrections { gradient: 1.0, first_moment: 1.0, second_moment: 1.0 }
    }
}

/// Where a rule records to.
pub(crate) struct Update<'a> {
    /// The plan.
    pub plan: &'a mut PlanBuilder,
    /// The parameters that are updated, one after the other.
    pub parameters: Tensor,
    /// Their gradients, laid out alike.
    pub gradients: Tensor,
    /// The parameters as tensors of their own, in the order in which they lie; the gradient of each is called as it is, with `.grad` behind.
    pub parts: Vec<Tensor>,
    /// The state that the rule keeps of them.
    pub state: &'a [Tensor],
    /// The loss scale, which tells whether the update is left out.
    pub loss_scale: Tensor,
}

impl Update<'_> {
    /// Number of parameters.
    pub fn length(&self) -> u32 {
        self.plan.info(self.parameters).len() as u32
    }

    /// Appends the launch of a kernel whose slots are parameters, gradients, state and the loss scale.
    pub fn launch<K: KernelSpec>(&mut self, kernel: K, constants: &[u32]) {
        let args = [&[self.parameters, self.gradients], self.state, &[self.loss_scale]].concat();
        self.plan.launch_update(kernel, constants, &args);
    }
}

/// Checks a learning rate.
pub(super) fn check_learning_rate(key: &'static str, value: f64) -> Result<(), SettingError> {
    let must = "a learning rate must be a positive f32, such as 0.001";
    SettingError::unless(is_positive(value), key, format!("{value:?}"), must)
}

/// Checks what stays of an average from step to step; `what` names it.
pub(super) fn check_decay(key: &'static str, what: &str, value: f64) -> Result<(), SettingError> {
    // As an f32, the nearest of which may be 1.
    let ok = (0.0..1.0).contains(&(value as f32));
    SettingError::unless(ok, key, format!("{value:?}"), format!("{what} lies from 0 up to but below 1"))
}

/// Checks what keeps quotients finite.
pub(super) fn check_epsilon(value: f64) -> Result<(), SettingError> {
    let must = "what is added to a root must be a positive f32, such as 1e-8";
    SettingError::unless(is_positive(value), "optimizer.epsilon", format!("{value:?}"), must)
}

/// The bias correction of an average with decay `beta` that began at zero, after `t` steps.
pub(super) fn bias_correction(beta: f64, t: u64) -> f64 {
    1.0 / (1.0 - beta.powf(t as f64))
}
