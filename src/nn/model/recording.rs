//! What a model is recorded for, and what comes of it.

use crate::backend::DeviceError;
use crate::backend::Program;
use crate::data::{Dataset, Features, Normalization};
use crate::kernels::precision::Precision;
use crate::kernels::{DenseGrad, DenseUpdate, Penalties, loss_scale};
use crate::nn::clipping::Clipping;
use crate::nn::loss::{Loss, LossTensors};
use crate::nn::optim::Optimizer;
use crate::nn::regularization::Regularization;
use crate::plan::{Data, Plan, PlanError, Tensor};
use crate::settings::SettingError;
use thiserror::Error;

/// A network that cannot be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A size that shaders cannot count.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A plan that does not hold together: a mistake in a layer or kernel, not the user's.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// How a training plan is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingOptions {
    /// Rows of a full batch.
    pub batch: usize,
    /// The update.
    pub optimizer: Optimizer,
    /// What the update makes smaller.
    pub loss: Loss,
    /// Factor on the loss of each class's examples, `[classes]`; all 1 where there is none.
    pub class_weights: Option<Vec<f32>>,
    /// What keeps weights small.
    pub regularization: Regularization,
    /// What keeps gradients small.
    pub clipping: Clipping,
    /// What activations are stored as, and how products are made.
    pub precision: Precision,
    /// Whether every update is made from one batch and nobody asks for the gradients: then parameters may be updated where their gradients
    /// are made, which are in no memory.
    pub fuse_updates: bool,
    /// Factor on the mean loss whose gradient is made; 1 but in gradient checks. In half precision there is one that changes instead.
    pub loss_scale: f32,
}

impl Default for TrainingOptions {
    fn default() -> TrainingOptions {
        TrainingOptions {
            batch: 100,
            optimizer: Optimizer::sgd(),
            loss: Loss::default(),
            class_weights: None,
            regularization: Regularization::default(),
            clipping: Clipping::default(),
            precision: Precision::F32,
            fuse_updates: false,
            loss_scale: 1.0,
        }
    }
}

impl TrainingOptions {
    /// Whether there are such parameters: where the optimizer has a launch for that, and nothing between gradients and update looks at all of them.
    pub(crate) fn fuses(&self) -> bool {
        let gradient = DenseGrad { rows: 1, inputs: 1, outputs: 1, bias_at: 0 };
        let any = DenseUpdate { gradient, penalties: Penalties::default() };
        let is_direct = self.clipping == Clipping::default() && !self.precision.is_half();
        self.fuse_updates && is_direct && self.optimizer.fused(any).is_some()
    }
}

/// A recorded plan and the tensors that a host writes or reads.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The plan.
    pub plan: Plan,
    /// Rows of a full batch.
    pub batch: usize,
    /// `[examples, features]`, bytes or floats.
    pub features: Tensor,
    /// `[examples]`.
    pub labels: Tensor,
    /// `[examples]`: which example stands at a position.
    pub order: Tensor,
    /// Factors on features: `[features]`, or `[examples]` where each example has its own.
    pub factors: Tensor,
    /// Offsets after scaling, likewise.
    pub offsets: Tensor,
    /// What factors and offsets are made from.
    pub normalization: Normalization,
    /// Values of the parameters, in the order of [`super::Model::parameters`].
    pub parameters: Vec<Tensor>,
    /// Gradients of the trainable ones that have one in memory; empty in a plan that only evaluates.
    pub gradients: Vec<Tensor>,
    /// The optimizer's state, an arena each, and a loss scale that changes; empty in a plan that only evaluates.
    pub state: Vec<Tensor>,
    /// The loss scale, where it changes.
    pub loss_scale: Option<Tensor>,
    /// `[batch, classes]`.
    pub logits: Tensor,
    /// What the loss leaves behind.
    pub loss: LossTensors,
}

impl Recording {
    /// The same with activations that share buffers: after a step, only logits, losses and predictions can be read.
    pub fn with_shared_buffers(mut self) -> Recording {
        let LossTensors { losses, predictions, .. } = self.loss;
        self.plan = self.plan.with_shared_buffers(&[self.logits, losses, predictions]);
        self
    }

    /// How many updates were left out so far, because gradients passed what half precision holds.
    ///
    /// # Errors
    /// A device that was lost.
    pub fn updates_left_out(&self, program: &mut dyn Program) -> Result<u64, DeviceError> {
        let scale = self.loss_scale.map(|tensor| program.slow_read_f32(tensor)).transpose()?;
        Ok(scale.map_or(0, |values| values[loss_scale::LEFT_OUT] as u64))
    }

    /// Writes the data set into a loaded recording, in its own order.
    ///
    /// # Errors
    /// A device that was lost.
    pub fn upload(&self, program: &mut dyn Program, dataset: &Dataset) -> Result<(), DeviceError> {
        let order: Vec<u32> = (0..dataset.len() as u32).collect();
        program.write(self.labels, Data::U32(&dataset.labels))?;
        program.write(self.order, Data::U32(&order))?;
        self.upload_features(program, &dataset.values)
    }

    /// Writes features alone, with the constants that normalize them.
    ///
    /// # Errors
    /// A device that was lost.
    pub fn upload_features(&self, program: &mut dyn Program, values: &Features) -> Result<(), DeviceError> {
        let examples = self.plan.tensor(self.labels).len();
        program.write(self.features, values.data())?;
        let (factors, offsets) = self.normalization.constants(values, values.len() / examples);
        program.write(self.factors, Data::F32(&factors))?;
        program.write(self.offsets, Data::F32(&offsets))
    }
}
