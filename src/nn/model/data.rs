//! The data set in a plan: where its examples lie, and how a batch of them comes out.

use crate::data::{DataShape, FeatureType};
use crate::kernels::kernel::DType;
use crate::kernels::{Gather, GatherF32, Shuffle};
use crate::nn::layers::Recorder;
use crate::plan::{Phase, PlanBuilder, Role, Tensor};

/// Tensors of the resident data set, and of the batch that is taken from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataTensors {
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
    /// The batch: `[batch, features]`.
    pub inputs: Tensor,
    /// Its classes: `[batch]`.
    pub targets: Tensor,
    gather: Gather,
    values: FeatureType,
}

impl DataTensors {
    /// Declares them for a data set of that shape, in batches of `batch` rows.
    pub fn declare(plan: &mut PlanBuilder, data: &DataShape, batch: usize, classes: usize) -> DataTensors {
        let dtype = data.values.dtype();
        let values = plan.tensor("features", &[data.examples, data.features], dtype, Role::Data);
        let labels = plan.index_tensor("labels", &[data.examples], classes, Role::Data);
        let order = plan.index_tensor("order", &[data.examples], data.examples, Role::Data);
        let inputs = plan.tensor("inputs", &[batch, data.features], DType::F32, Role::Input);
        let targets = plan.index_tensor("targets", &[batch], classes, Role::Input);
        let by_example = data.normalization.is_per_image();
        let constants = if by_example { data.examples } else { data.features };
        let [factors, offsets] =
            ["input_factors", "input_offsets"].map(|name| plan.tensor(name, &[constants], DType::F32, Role::Data));
        let [rows, features, examples] = [batch, data.features, data.examples].map(|n| n as u32);
        let gather = Gather { batch: rows, features, examples, by_example: u32::from(by_example) };
        DataTensors { features: values, labels, order, factors, offsets, inputs, targets, gather, values: data.values }
    }

    /// Appends the launch that takes a batch out of the data set.
    pub fn record_gather(&self, recorder: &mut Recorder<'_>) {
        let DataTensors { features, labels, order, factors, offsets, inputs, targets, gather, values } = *self;
        let arguments = [features, labels, order, factors, offsets, inputs, targets];
        match values {
            FeatureType::Bytes => recorder.launch(gather, &[], &arguments),
            FeatureType::F32 => recorder.launch(GatherF32(gather), &[], &arguments),
        }
    }

    /// Appends the launch that draws an epoch's order of the training examples.
    pub fn record_shuffle(&self, plan: &mut PlanBuilder, data: &DataShape) {
        plan.launch(Phase::Shuffle, Shuffle::new(data.train as u32), &[self.order]);
    }
}
