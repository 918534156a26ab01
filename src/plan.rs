//! A training step as data: tensors, and for each phase the list of kernel launches on them.
//!
//! A plan is recorded once with [`PlanBuilder`], checked once, and replayed by a backend for every step. There are no
//! unchecked [`Plan`]s. A plan does not depend on a device. Memory, FLOP counts, parity tests and printing all walk
//! over it.

mod builder;
mod check;
mod cost;
mod data;
mod lifetimes;
mod precision;
mod render;

pub use builder::{Arena, PlanBuilder};
pub use check::PlanError;
pub use cost::{LOG_ROWS, Memory, SUBMISSIONS_IN_FLIGHT, UNIFORM_STRIDE};
pub use data::Data;

use serde::Serialize;

use crate::kernels::kernel::{DType, Kernel, KernelSpec};
use crate::kernels::precision::Precision;
use crate::kernels::step::Step;

/// Handle of a tensor within a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Tensor(pub(crate) usize);

/// Purpose of a tensor. It decides how memory is reported and what a checkpoint contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The data set, the order of its examples and the class weights.
    Data,
    /// The network's input batch and its labels.
    Input,
    /// Parameters and running statistics.
    Param,
    /// Gradients of parameters.
    Grad,
    /// Optimizer state.
    State,
    /// Layer outputs and the gradients with respect to them.
    Activation,
    /// Losses and predictions to be read by the host.
    Metric,
}

impl Role {
    /// All roles, in the order of reports.
    pub const ALL: [Role; 7] =
        [Role::Data, Role::Input, Role::Param, Role::Grad, Role::State, Role::Activation, Role::Metric];

    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Data => "data",
            Role::Input => "input",
            Role::Param => "parameters",
            Role::Grad => "gradients",
            Role::State => "optimizer state",
            Role::Activation => "activations",
            Role::Metric => "metrics",
        }
    }
}

/// Description of a tensor.
#[derive(Clone, Debug, Serialize)]
pub struct TensorInfo {
    /// Name, unique in the plan. Parameters have their names in the model file.
    pub name: String,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: DType,
    /// Purpose.
    pub role: Role,
    /// Index of the buffer that holds the tensor.
    pub buffer: usize,
    /// Index of its first element in the buffer.
    pub offset: usize,
    /// Exclusive upper bound for values that kernels use as indices; only for integer tensors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<usize>,
}

impl TensorInfo {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no elements; always false in a checked plan.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tensor's element range within its buffer.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// A piece of device memory: one tensor, or an arena of several.
#[derive(Clone, Debug, Serialize)]
pub struct BufferInfo {
    /// Name for reports and debuggers.
    pub name: String,
    /// Number of elements.
    pub len: usize,
    /// Element type.
    pub dtype: DType,
    /// Purpose.
    pub role: Role,
}

/// A part of a plan that is replayed on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Draws the order of an epoch's examples; runs once per epoch.
    Shuffle,
    /// Forward pass, backward pass and optimizer on one batch.
    Train,
    /// Forward pass on one batch: losses and predictions.
    Eval,
}

impl Phase {
    /// All phases.
    pub const ALL: [Phase; 3] = [Phase::Shuffle, Phase::Train, Phase::Eval];

    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Shuffle => "shuffle",
            Phase::Train => "train",
            Phase::Eval => "eval",
        }
    }
}

/// One kernel with its parameters and the tensors it runs on.
#[derive(Clone, Debug, Serialize)]
pub struct Launch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Words of the parameter struct.
    pub params: Vec<u32>,
    /// Values of the override constants.
    pub constants: Vec<u32>,
    /// One tensor per slot.
    pub args: Vec<Tensor>,
    /// The steps in which the launch runs.
    pub when: When,
}

/// In which steps of its phase a launch runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// In every step.
    #[default]
    Always,
    /// Only in steps that end with an update ([`Step::updates`]): the last batch of an accumulation.
    Update,
}

impl Launch {
    /// A launch that runs in every step.
    pub fn of<K: KernelSpec>(kernel: K, constants: &[u32], args: &[Tensor]) -> Launch {
        let (constants, args) = (constants.to_vec(), args.to_vec());
        Launch {
            kernel: K::KERNEL,
            params: crate::kernels::kernel::words(&kernel),
            constants,
            args,
            when: When::Always,
        }
    }

    /// Whether the launch runs in `step`.
    pub fn runs_in(&self, step: &Step) -> bool {
        self.when == When::Always || step.updates != 0
    }
}

/// A checked recording; see the module's description.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    tensors: Vec<TensorInfo>,
    buffers: Vec<BufferInfo>,
    phases: [Vec<Launch>; 3],
    constants: Vec<(Tensor, Vec<f32>)>,
    log: Option<Tensor>,
    bounds: StepBounds,
    precision: Precision,
}

/// Largest values in the steps of a plan. Shaders use a step's fields as indices without checks.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StepBounds {
    /// Rows of a full batch.
    pub batch: usize,
    /// Length of the order of examples.
    pub positions: usize,
    /// Whether gradient accumulation is forbidden, because fused kernels update parameters from the gradients of a
    /// single batch.
    pub alone: bool,
}

impl Plan {
    /// Description of `tensor`.
    pub fn tensor(&self, tensor: Tensor) -> &TensorInfo {
        &self.tensors[tensor.0]
    }

    /// All tensors with their handles.
    pub fn tensors(&self) -> impl Iterator<Item = (Tensor, &TensorInfo)> {
        self.tensors.iter().enumerate().map(|(i, info)| (Tensor(i), info))
    }

    /// The tensor with this name.
    pub fn find(&self, name: &str) -> Option<Tensor> {
        self.tensors().find(|(_, info)| info.name == name).map(|(tensor, _)| tensor)
    }

    /// All buffers.
    pub fn buffers(&self) -> &[BufferInfo] {
        &self.buffers
    }

    /// The launches of a phase, in order.
    pub fn launches(&self, phase: Phase) -> &[Launch] {
        &self.phases[phase as usize]
    }

    /// Tensors with fixed values, each with its values. Backends write them when they load the plan.
    pub fn constants(&self) -> &[(Tensor, Vec<f32>)] {
        &self.constants
    }

    /// The tensor `[LOG_ROWS, 2]` for the metrics of `phase`: one row per batch, with the sum of losses and the number
    /// of correct predictions. `None` if the phase writes no metrics.
    pub fn log(&self, phase: Phase) -> Option<Tensor> {
        self.log.filter(|log| self.launches(phase).iter().any(|launch| launch.args.contains(log)))
    }

    /// Panics if a step exceeds the batch or the order. Backends call this before shaders rely on it.
    pub fn assert_steps(&self, steps: &[Step]) {
        for step in steps {
            let (start, rows) = (step.start as usize, step.rows as usize);
            let inside = rows <= self.bounds.batch && start + rows <= self.bounds.positions;
            let adds_up = step.accumulated == 0 || !self.bounds.alone;
            assert!(inside && adds_up && (step.log_row as usize) < LOG_ROWS, "{step:?} exceeds {:?}", self.bounds);
        }
    }

    /// Panics if `data` has another type or length than the tensor, or contains an index out of bounds.
    pub(crate) fn assert_data(&self, tensor: Tensor, data: &Data<'_>) {
        let info = self.tensor(tensor);
        let fits = data.dtype() == info.dtype || data.dtype().is_float() && info.dtype.is_float();
        assert!(fits && data.len() == info.len(), "{:?} [{}] for tensor {}", data.dtype(), data.len(), info.name);
        if let (Data::U32(values), Some(below)) = (data, info.below) {
            let inside = values.iter().all(|&value| (value as usize) < below);
            assert!(inside, "data for tensor {} must stay below {below}", info.name);
        }
    }

    /// The plan with one launch changed, checked again. For tests that plant a bug.
    ///
    /// # Errors
    /// The changed launch does not fit its tensors.
    pub fn with_launch(
        mut self,
        phase: Phase,
        index: usize,
        change: impl FnOnce(&mut Launch),
    ) -> Result<Plan, PlanError> {
        change(&mut self.phases[phase as usize][index]);
        check::check(&self)?;
        Ok(self)
    }
}
