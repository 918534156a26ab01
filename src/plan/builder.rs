//! Recording a plan.

use std::ops::Range;

use super::{BufferInfo, Launch, Phase, Plan, PlanError, Role, StepBounds, Tensor, TensorInfo, When, check};
use crate::kernels::kernel::{DType, KernelSpec};
use crate::kernels::precision::Precision;

/// Tensors of an arena start at multiples of this many elements. That is 256 bytes, the strictest alignment that WebGPU
/// allows a device to require for storage bindings.
const ARENA_ALIGNMENT: usize = 64;

/// Several tensors in one buffer, so that one launch can process all of them.
#[derive(Clone, Debug)]
pub struct Arena {
    /// All elements, with the gaps between tensors.
    pub whole: Tensor,
    /// The tensors, in the order in which they were given.
    pub parts: Vec<Tensor>,
}

impl Arena {
    /// The tensors in the order in which they lie.
    pub fn in_order(&self, plan: &PlanBuilder) -> Vec<Tensor> {
        let mut parts = self.parts.clone();
        parts.sort_by_key(|&part| plan.info(part).offset);
        parts
    }
}

/// Records tensors and launches; [`PlanBuilder::finish`] checks them.
#[derive(Debug, Default)]
pub struct PlanBuilder {
    tensors: Vec<TensorInfo>,
    buffers: Vec<BufferInfo>,
    phases: [Vec<Launch>; 3],
    constants: Vec<(Tensor, Vec<f32>)>,
    log: Option<Tensor>,
    bounds: StepBounds,
}

impl PlanBuilder {
    /// An empty plan.
    pub fn new() -> PlanBuilder {
        PlanBuilder::default()
    }

    /// Adds a tensor with its own buffer.
    pub fn tensor(&mut self, name: impl Into<String>, shape: &[usize], dtype: DType, role: Role) -> Tensor {
        let name = name.into();
        let len = shape.iter().product();
        self.buffers.push(BufferInfo { name: name.clone(), len, dtype, role });
        self.push(TensorInfo {
            name,
            shape: shape.to_vec(),
            dtype,
            role,
            buffer: self.buffers.len() - 1,
            offset: 0,
            below: None,
        })
    }

    /// Adds an integer tensor that kernels use as indices: every value written to it must be below `below`.
    pub fn index_tensor(&mut self, name: impl Into<String>, shape: &[usize], below: usize, role: Role) -> Tensor {
        let tensor = self.tensor(name, shape, DType::U32, role);
        self.tensors[tensor.0].below = Some(below);
        tensor
    }

    /// Adds a float tensor `[values]` with fixed contents, written on loading. No launch may write it.
    pub fn constant(&mut self, name: impl Into<String>, values: Vec<f32>, role: Role) -> Tensor {
        let tensor = self.tensor(name, &[values.len()], DType::F32, role);
        self.constants.push((tensor, values));
        tensor
    }

    /// Adds a float buffer with one tensor for each `(name, shape)`. The gaps between aligned tensors are zeros.
    pub fn arena(&mut self, name: &str, role: Role, parts: &[(String, Vec<usize>)]) -> Arena {
        let buffer = self.buffers.len();
        let dtype = DType::F32;
        let mut offset = 0;
        let mut handles = Vec::new();
        for (part, shape) in parts {
            let info =
                TensorInfo { name: part.clone(), shape: shape.clone(), dtype, role, buffer, offset, below: None };
            offset = info.range().end.next_multiple_of(ARENA_ALIGNMENT);
            handles.push(self.push(info));
        }
        self.buffers.push(BufferInfo { name: name.to_string(), len: offset, dtype, role });
        let whole = self.push(TensorInfo {
            name: name.to_string(),
            shape: vec![offset],
            dtype,
            role,
            buffer,
            offset: 0,
            below: None,
        });
        Arena { whole, parts: handles }
    }

    /// Adds a tensor over elements `range` of the tensor `whole`, in the same buffer.
    pub fn part(&mut self, name: String, whole: Tensor, range: Range<usize>) -> Tensor {
        let TensorInfo { dtype, role, buffer, offset, .. } = *self.info(whole);
        let (shape, offset) = (vec![range.len()], offset + range.start);
        self.push(TensorInfo { name, shape, dtype, role, buffer, offset, below: None })
    }

    /// The same under a name that says which elements they are.
    pub fn range(&mut self, whole: Tensor, range: Range<usize>) -> Tensor {
        let name = format!("{}[{}..{}]", self.info(whole).name, range.start, range.end);
        self.part(name, whole, range)
    }

    /// Where parts of an arena lie, given in their order: the elements of neighbours that are alike in `property` are one range.
    pub fn neighbours<P: PartialEq>(
        &self,
        parts: &[Tensor],
        property: impl Fn(&TensorInfo) -> P,
    ) -> Vec<(P, Range<usize>)> {
        let infos: Vec<&TensorInfo> = parts.iter().map(|&part| self.info(part)).collect();
        let alike = infos.chunk_by(|one, next| property(one) == property(next));
        alike.map(|run| (property(run[0]), run[0].offset..run[run.len() - 1].range().end)).collect()
    }

    /// Adds one tensor that spans several tensors of an arena, with the gaps between them.
    pub fn span(&mut self, name: String, parts: &[Tensor]) -> Tensor {
        let ranges: Vec<_> = parts.iter().map(|&part| self.info(part).range()).collect();
        let start = ranges.iter().map(|range| range.start).min().expect("a span has parts");
        let end = ranges.iter().map(|range| range.end).max().expect("a span has parts");
        let TensorInfo { dtype, role, buffer, .. } = *self.info(parts[0]);
        self.push(TensorInfo { name, shape: vec![end - start], dtype, role, buffer, offset: start, below: None })
    }

    /// Appends a launch without override constants to a phase.
    pub fn launch<K: KernelSpec>(&mut self, phase: Phase, kernel: K, args: &[Tensor]) {
        self.launch_specialised(phase, kernel, &[], args);
    }

    /// Appends a launch with values for the kernel's override constants.
    pub fn launch_specialised<K: KernelSpec>(&mut self, phase: Phase, kernel: K, constants: &[u32], args: &[Tensor]) {
        self.launch_erased(phase, Launch::of(kernel, constants, args));
    }

    /// Appends a training launch that runs only in steps that end with an update.
    pub fn launch_update<K: KernelSpec>(&mut self, kernel: K, constants: &[u32], args: &[Tensor]) {
        self.launch_erased(Phase::Train, Launch { when: When::Update, ..Launch::of(kernel, constants, args) });
    }

    /// Appends a launch.
    pub fn launch_erased(&mut self, phase: Phase, launch: Launch) {
        self.phases[phase as usize].push(launch);
    }

    /// Sets the tensor `[LOG_ROWS, 2]` that receives the metrics of batches.
    pub fn set_log(&mut self, log: Tensor) {
        self.log = Some(log);
    }

    /// Sets the largest batch and the length of the order. The default allows no rows.
    pub fn set_step_bounds(&mut self, batch: usize, positions: usize) {
        self.bounds = StepBounds { batch, positions, ..self.bounds };
    }

    /// Forbids gradient accumulation.
    pub fn update_alone(&mut self) {
        self.bounds.alone = true;
    }

    /// The largest values that steps may have.
    pub fn step_bounds(&self) -> StepBounds {
        self.bounds
    }

    /// The tensor with this name.
    pub fn find(&self, name: &str) -> Option<Tensor> {
        self.tensors.iter().position(|info| info.name == name).map(Tensor)
    }

    /// Description of `tensor`.
    pub fn info(&self, tensor: Tensor) -> &TensorInfo {
        &self.tensors[tensor.0]
    }

    /// Checks the recording and returns the plan.
    ///
    /// # Errors
    /// A launch whose arguments do not fit its kernel.
    pub fn finish(self) -> Result<Plan, PlanError> {
        let PlanBuilder { tensors, buffers, phases, constants, log, bounds } = self;
        let precision = Precision::F32;
        let plan = Plan { tensors, buffers, phases, constants, log, bounds, precision };
        check::check(&plan)?;
        Ok(plan)
    }

    fn push(&mut self, info: TensorInfo) -> Tensor {
        self.tensors.push(info);
        Tensor(self.tensors.len() - 1)
    }
}
