//! Optimizers: how gradients become new parameters.

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, is_positive};
use crate::kernels::{Adam, Sgd};
use crate::plan::{PlanBuilder, Role, Tensor};

/// An optimizer with its settings. The kernels' documentation gives the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// Gradient descent.
    Sgd {
        /// Step size on the mean gradient of a batch.
        #[serde(default = "Optimizer::default_sgd_learning_rate")]
        learning_rate: f64,
    },
    /// Adam (Kingma and Ba, ICLR 2015), bias-corrected.
    Adam {
        /// Step size.
        #[serde(default = "Optimizer::default_adam_learning_rate")]
        learning_rate: f64,
        /// Decay of the first moment.
        #[serde(default = "Optimizer::default_beta1")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "Optimizer::default_beta2")]
        beta2: f64,
        /// Added to the root of the second moment.
        #[serde(default = "Optimizer::default_epsilon")]
        epsilon: f64,
    },
}

impl Optimizer {
    const fn default_sgd_learning_rate() -> f64 {
        0.3
    }
    const fn default_adam_learning_rate() -> f64 {
        0.001
    }
    const fn default_beta1() -> f64 {
        0.9
    }
    const fn default_beta2() -> f64 {
        0.999
    }
    const fn default_epsilon() -> f64 {
        1e-8
    }

    /// Gradient descent at its default rate.
    pub const fn sgd() -> Optimizer {
        Optimizer::Sgd { learning_rate: Optimizer::default_sgd_learning_rate() }
    }

    /// Adam as published.
    pub const fn adam() -> Optimizer {
        Optimizer::Adam {
            learning_rate: Optimizer::default_adam_learning_rate(),
            beta1: Optimizer::default_beta1(),
            beta2: Optimizer::default_beta2(),
            epsilon: Optimizer::default_epsilon(),
        }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f64 {
        match *self {
            Optimizer::Sgd { learning_rate } | Optimizer::Adam { learning_rate, .. } => learning_rate,
        }
    }

    /// The same optimizer at another learning rate.
    pub fn with_learning_rate(mut self, rate: f64) -> Optimizer {
        match &mut self {
            Optimizer::Sgd { learning_rate } | Optimizer::Adam { learning_rate, .. } => *learning_rate = rate,
        }
        self
    }

    /// Checks its settings.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rate = self.learning_rate();
        let must = "a learning rate must be a positive f32, such as 0.001";
        ConfigError::unless(is_positive(rate), "optimizer.learning_rate", format!("{rate:?}"), must)?;
        if let Optimizer::Adam { beta1, beta2, epsilon, .. } = *self {
            let must = "a decay of Adam's moments lies from 0 up to but below 1";
            ConfigError::unless((0.0..1.0).contains(&beta1), "optimizer.beta1", beta1, must)?;
            ConfigError::unless((0.0..1.0).contains(&beta2), "optimizer.beta2", beta2, must)?;
            let must = "Adam's epsilon must be a positive f32, such as 1e-8";
            ConfigError::unless(is_positive(epsilon), "optimizer.epsilon", epsilon, must)?;
        }
        Ok(())
    }

    /// The bias corrections `1 / (1 - beta^t)` of step `t`, counted from 1: first and second moment.
    pub fn bias_corrections(&self, t: u64) -> [f64; 2] {
        match *self {
            Optimizer::Sgd { .. } => [1.0, 1.0],
            Optimizer::Adam { beta1, beta2, .. } => [beta1, beta2].map(|beta| 1.0 / (1.0 - beta.powf(t as f64))),
        }
    }

    /// Appends the update of a whole arena, and the state it keeps, to the training phase. Returns the state's tensors.
    pub(crate) fn record(&self, plan: &mut PlanBuilder, parameters: Tensor, gradients: Tensor) -> Vec<Tensor> {
        let length = plan.info(parameters).len();
        match *self {
            Optimizer::Sgd { .. } => {
                plan.launch_update(Sgd { length: length as u32 }, &[], &[parameters, gradients]);
                Vec::new()
            }
            Optimizer::Adam { beta1, beta2, epsilon, .. } => {
                let mut state = |name| plan.tensor(name, &[length], crate::kernel::DType::F32, Role::State);
                let moments = vec![state("first_moments"), state("second_moments")];
                let kernel = Adam::new(length as u32, beta1, beta2, epsilon);
                plan.launch_update(kernel, &[], &[parameters, gradients, moments[0], moments[1]]);
                moments
            }
        }
    }
}

impl std::fmt::Display for Optimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Optimizer::Sgd { learning_rate } => write!(f, "gradient descent at {learning_rate}"),
            Optimizer::Adam { learning_rate, .. } => write!(f, "Adam at {learning_rate}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_corrections_follow_the_paper() {
        let [first, second] = Optimizer::adam().bias_corrections(1);
        assert!((first - 10.0).abs() < 1e-12 && (second - 1000.0).abs() < 1e-9);
        let [first, second] = Optimizer::adam().bias_corrections(1_000_000);
        assert!(first == 1.0 && (second - 1.0).abs() < 1e-12);
    }
}
