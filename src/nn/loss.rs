//! Losses: what training minimizes, as a mean over the examples of an update.

mod class_weights;
mod scale;

use serde::{Deserialize, Serialize};

pub use class_weights::ClassWeights;
pub(crate) use scale::LossScale;

pub use crate::kernels::HingeVariant;

use crate::kernels::kernel::DType;
use crate::kernels::{Hinge, LogBatch, SoftmaxCrossEntropy, SquaredError};
use crate::nn::layers::{Recorder, Values};
use crate::plan::{LOG_ROWS, Role, Tensor};
use crate::settings::{SettingError, is_positive};

/// A loss with its settings. The kernels' documentation gives the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// `-log softmax(logits)[target]`.
    SoftmaxCrossEntropy {
        /// Share of the target distribution that is spread evenly over all classes (Szegedy et al., CVPR 2016).
        #[serde(default)]
        label_smoothing: f64,
    },
    /// The hinge loss of a multi-class support vector machine.
    Svm {
        /// Which classes count.
        #[serde(default)]
        variant: HingeVariant,
        /// By how much the target's logit must pass the others.
        #[serde(default = "Loss::default_margin")]
        margin: f64,
    },
    /// Mean over the outputs of `(logit - target)^2`, for one-hot targets.
    // With braces, since serde lets a variant without them have any field.
    Mse {},
}

/// Softmax cross-entropy without label smoothing.
impl Default for Loss {
    fn default() -> Loss {
        Loss::ALL[0]
    }
}

impl Loss {
    /// All of them, at their defaults.
    pub const ALL: [Loss; 3] = [
        Loss::SoftmaxCrossEntropy { label_smoothing: 0.0 },
        Loss::Svm { variant: HingeVariant::WestonWatkins, margin: Loss::default_margin() },
        Loss::Mse {},
    ];

    const fn default_margin() -> f64 {
        1.0
    }

    /// The loss of that name, at its defaults.
    pub fn named(name: &str) -> Option<Loss> {
        Loss::ALL.into_iter().find(|loss| loss.name() == name)
    }

    /// Name, as in a recipe.
    pub const fn name(&self) -> &'static str {
        match self {
            Loss::SoftmaxCrossEntropy { .. } => "softmax-cross-entropy",
            Loss::Svm { .. } => "svm",
            Loss::Mse {} => "mse",
        }
    }

    /// What evaluation reports, so that runs compare: the same without label smoothing.
    pub fn plain(self) -> Loss {
        match self {
            Loss::SoftmaxCrossEntropy { .. } => Loss::SoftmaxCrossEntropy { label_smoothing: 0.0 },
            Loss::Svm { .. } | Loss::Mse {} => self,
        }
    }

    /// Checks its settings.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), SettingError> {
        match *self {
            Loss::SoftmaxCrossEntropy { label_smoothing } => {
                let must = "label smoothing lies from 0 up to but below 1";
                let inside = (0.0..1.0).contains(&(label_smoothing as f32));
                SettingError::unless(inside, "loss.label_smoothing", label_smoothing, must)
            }
            Loss::Svm { margin, .. } => {
                let must = "a margin must be a positive f32, such as 1";
                SettingError::unless(is_positive(margin), "loss.margin", format!("{margin:?}"), must)
            }
            Loss::Mse {} => Ok(()),
        }
    }
}

/// What the loss leaves behind.
#[derive(Clone, Copy, Debug)]
pub struct LossTensors {
    /// Gradient of `loss_scale` times the mean loss, `[batch, classes]`.
    pub logits_grad: Tensor,
    /// Loss of each row, `[batch]`.
    pub losses: Tensor,
    /// Predicted class by position in the order, `[examples]`.
    pub predictions: Tensor,
}

/// A loss as a phase is recorded with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objective {
    /// The loss.
    pub loss: Loss,
    /// Factor on each class's losses, `[classes]`.
    pub class_weights: Tensor,
    /// The factor on the mean loss whose gradient is made, `[5]` (`kernels/shared/loss_scale.rs`).
    pub scale: Tensor,
}

impl Objective {
    /// Appends loss, its gradient, predictions and the batch's log row.
    pub(crate) fn record(&self, recorder: &mut Recorder<'_>, logits: Values, targets: Tensor) -> LossTensors {
        let (batch, examples) = (recorder.batch, recorder.plan.step_bounds().positions);
        let classes = recorder.plan.info(logits.tensor).shape[1];
        let logits_grad = recorder.tensor("logits_grad", &[batch, classes], DType::F32, Role::Activation);
        let losses = recorder.tensor("losses", &[batch], DType::F32, Role::Metric);
        let predictions = recorder.tensor("predictions", &[examples], DType::U32, Role::Metric);
        let log = recorder.tensor("batch_log", &[LOG_ROWS, 2], DType::F32, Role::Metric);
        recorder.plan.set_log(log);

        let [batch, classes, examples] = [batch, classes, examples].map(|n| n as u32);
        let args = [logits.tensor, targets, self.class_weights, self.scale, logits_grad, losses, predictions];
        match self.loss {
            Loss::SoftmaxCrossEntropy { label_smoothing } => {
                let label_smoothing = label_smoothing as f32;
                let kernel = SoftmaxCrossEntropy { batch, classes, examples, label_smoothing };
                recorder.launch(kernel, &[], &args);
            }
            Loss::Svm { variant, margin } => {
                let kernel = Hinge { batch, classes, examples, margin: margin as f32 };
                recorder.launch(kernel, &[variant.constant()], &args);
            }
            Loss::Mse {} => recorder.launch(SquaredError { batch, classes, examples }, &[], &args),
        }
        let kernel = LogBatch { batch, examples, log_rows: LOG_ROWS as u32 };
        recorder.launch(kernel, &[], &[losses, targets, predictions, log]);
        LossTensors { logits_grad, losses, predictions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_name_losses_and_have_defaults() {
        for loss in Loss::ALL {
            assert_eq!(toml::from_str::<Loss>(&format!("name = \"{}\"", loss.name())).unwrap(), loss);
            assert_eq!(toml::from_str::<Loss>(&toml::to_string(&loss).unwrap()).unwrap(), loss);
            assert_eq!(Loss::named(loss.name()), Some(loss));
        }
        let text = "name = \"svm\"\nvariant = \"crammer-singer\"\nmargin = 2";
        let loss = Loss::Svm { variant: HingeVariant::CrammerSinger, margin: 2.0 };
        assert_eq!(toml::from_str::<Loss>(text).unwrap(), loss);
        for text in ["name = \"hinge\"", "name = \"mse\"\nmargin = 1", "name = \"svm\"\nlabel_smoothing = 0.1"] {
            assert!(toml::from_str::<Loss>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for smoothing in [-0.1, 1.0, 0.999_999_999_9, f64::NAN] {
            let error = Loss::SoftmaxCrossEntropy { label_smoothing: smoothing }.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`loss.label_smoothing` is {smoothing}; ")), "{error}");
        }
        for margin in [0.0, -1.0, 1e-50, f64::INFINITY, f64::NAN] {
            let error = Loss::Svm { variant: HingeVariant::default(), margin }.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`loss.margin` is {margin:?}; ")), "{error}");
        }
        assert!(Loss::ALL.iter().all(|loss| loss.check().is_ok()));
    }
}
