//! A training step as data: tensors, and for each phase the list of kernel launches over them.
//!
//! A plan is recorded once ([`PlanBuilder`]), checked once ([`Plan`] cannot be had unchecked) and then replayed by a backend for
//! every step. It knows no device. Memory, FLOP counts, parity and printing are walks over it.

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

/// Handle of a tensor of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Tensor(pub(crate) usize);

/// What a tensor is for; decides how memory is reported and what a checkpoint holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The data set, the order it is visited in and the weights of its classes.
    Data,
    /// The batch that the network reads, and its labels.
    Input,
    /// Parameters, running statistics among them.
    Param,
    /// Gradients of parameters.
    Grad,
    /// Optimizer state.
    State,
    /// Layer outputs and the gradients that flow back through them.
    Activation,
    /// Losses and predictions on their way to the host.
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

/// What a plan knows of a tensor.
#[derive(Clone, Debug, Serialize)]
pub struct TensorInfo {
    /// Name, unique in the plan; parameters carry the names of the model file.
    pub name: String,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: DType,
    /// Purpose.
    pub role: Role,
    /// The buffer that holds it.
    pub buffer: usize,
    /// First element within the buffer.
    pub offset: usize,
    /// What the values of an integer tensor must stay below, where kernels use them as indices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<usize>,
}

impl TensorInfo {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no element; checked plans have no such tensor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements' range within the buffer.
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

/// A replayable part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Draws the order of an epoch's examples; run once an epoch.
    Shuffle,
    /// Forward, backward and optimizer on one batch.
    Train,
    /// Forward on one batch: loss and predictions.
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

/// One kernel, its parameters and the tensors it runs on.
#[derive(Clone, Debug, Serialize)]
pub struct Launch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Words of its parameter struct.
    pub params: Vec<u32>,
    /// Values of its override constants.
    pub constants: Vec<u32>,
    /// A tensor a slot.
    pub args: Vec<Tensor>,
    /// The steps that it runs in.
    pub when: When,
}

/// In which steps of its phase a launch runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// In all.
    #[default]
    Always,
    /// In those that end in an update ([`Step::updates`]): the last batch of those whose gradients add up.
    Update,
}

impl Launch {
    /// A launch in all steps, of a kernel with values for its override constants.
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

    /// Whether it runs in `step`.
    pub fn runs_in(&self, step: &Step) -> bool {
        self.when == When::Always || step.updates != 0
    }
}

/// A checked recording. See the module.
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

/// What the steps of a plan may ask for; shaders index by a step's fields without checking them.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StepBounds {
    /// Rows of a full batch.
    pub batch: usize,
    /// Length of the order.
    pub positions: usize,
    /// Whether updates are made from one batch each: some parameters are updated by what that batch says.
    pub alone: bool,
}

impl Plan {
    /// What is known of `tensor`.
    pub fn tensor(&self, tensor: Tensor) -> &TensorInfo {
        &self.tensors[tensor.0]
    }

    /// All tensors with their handles.
    pub fn tensors(&self) -> impl Iterator<Item = (Tensor, &TensorInfo)> {
        self.tensors.iter().enumerate().map(|(i, info)| (Tensor(i), info))
    }

    /// The tensor of that name.
    pub fn find(&self, name: &str) -> Option<Tensor> {
        self.tensors().find(|(_, info)| info.name == name).map(|(tensor, _)| tensor)
    }

    /// All buffers.
    pub fn buffers(&self) -> &[BufferInfo] {
        &self.buffers
    }

    /// The launches of a phase in order.
    pub fn launches(&self, phase: Phase) -> &[Launch] {
        &self.phases[phase as usize]
    }

    /// The tensors whose values are part of the plan, with those values: backends write them when they load it.
    pub fn constants(&self) -> &[(Tensor, Vec<f32>)] {
        &self.constants
    }

    /// The tensor `[LOG_ROWS, 2]` that a batch of `phase` writes its metrics to, a row each: sum of losses, number correct.
    /// `None` for a phase that writes none.
    pub fn log(&self, phase: Phase) -> Option<Tensor> {
        self.log.filter(|log| self.launches(phase).iter().any(|launch| launch.args.contains(log)))
    }

    /// Panics where a step reaches past the batch or the order: backends call it before shaders rely on it.
    pub fn assert_steps(&self, steps: &[Step]) {
        for step in steps {
            let (start, rows) = (step.start as usize, step.rows as usize);
            let inside = rows <= self.bounds.batch && start + rows <= self.bounds.positions;
            let adds_up = step.accumulated == 0 || !self.bounds.alone;
            assert!(inside && adds_up && (step.log_row as usize) < LOG_ROWS, "{step:?} passes {:?}", self.bounds);
        }
    }

    /// Panics where `data` is not of the tensor's type and length, or is an index that passes its bound.
    pub(crate) fn assert_data(&self, tensor: Tensor, data: &Data<'_>) {
        let info = self.tensor(tensor);
        let fits = data.dtype() == info.dtype || data.dtype().is_float() && info.dtype.is_float();
        assert!(fits && data.len() == info.len(), "{:?} [{}] for tensor {}", data.dtype(), data.len(), info.name);
        if let (Data::U32(values), Some(below)) = (data, info.below) {
            let inside = values.iter().all(|&value| (value as usize) < below);
            assert!(inside, "data for tensor {} must stay below {below}", info.name);
        }
    }

    /// The same plan with one launch changed, checked again. For tests that plant a bug.
    ///
    /// # Errors
    /// Where the changed launch does not fit its tensors.
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
