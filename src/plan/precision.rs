//! Plans with half-precision activations or products.

use super::{Launch, Plan, PlanError, Role, Tensor, check};
use crate::kernels::kernel::DType;
use crate::kernels::precision::Precision;

impl Plan {
    /// The same plan in another precision. [`Precision::F16`] stores activations, their gradients and the input batch
    /// in half precision, except tensors that some kernel takes in single precision only.
    ///
    /// # Errors
    /// A kernel with some of its activations in half precision and others not.
    pub fn in_precision(mut self, precision: Precision) -> Result<Plan, PlanError> {
        self.precision = precision;
        if precision.is_half() { self.with_half_activations() } else { Ok(self) }
    }

    fn with_half_activations(mut self) -> Result<Plan, PlanError> {
        let slots: Vec<(Tensor, bool)> = self
            .phases
            .iter()
            .flatten()
            .flat_map(|launch| launch.args.iter().copied().zip(launch.kernel.slots.iter().map(|slot| slot.or_half)))
            .collect();
        let may_be_half = |tensor: Tensor, dtype: DType, role: Role| {
            let mut uses = slots.iter().filter(|(used, _)| *used == tensor).peekable();
            let has_role = matches!(role, Role::Activation | Role::Input);
            has_role && dtype == DType::F32 && uses.peek().is_some() && uses.all(|(_, or_half)| *or_half)
        };
        for (number, info) in self.tensors.iter_mut().enumerate() {
            if may_be_half(Tensor(number), info.dtype, info.role) {
                info.dtype = DType::F16;
                self.buffers[info.buffer].dtype = DType::F16;
            }
        }
        check::check(&self)?;
        Ok(self)
    }

    /// The plan's precision.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The precision of a launch. In a half-precision plan, launches without half-precision tensors are in single
    /// precision.
    pub fn precision_of(&self, launch: &Launch) -> Precision {
        let is_half = |&arg: &Tensor| self.tensor(arg).dtype == DType::F16;
        match self.precision {
            Precision::F16 if !launch.args.iter().any(is_half) => Precision::F32,
            precision => precision,
        }
    }

    /// Bytes that a launch must move to and from memory if each value is read or written once.
    pub fn bytes(&self, launch: &Launch) -> u64 {
        let slots = launch.kernel.slots.iter().zip(&launch.args).zip((launch.kernel.lengths)(&launch.params));
        let in_half = slots.filter(|((_, arg), _)| self.tensor(**arg).dtype == DType::F16);
        let saved = in_half.map(|((slot, _), length)| slot.access.transfers() * 2 * length as u64);
        (launch.kernel.bytes)(&launch.params) - saved.sum::<u64>()
    }

    /// Whether any tensor is in half precision.
    pub fn has_half(&self) -> bool {
        self.tensors.iter().any(|info| info.dtype == DType::F16)
    }
}
