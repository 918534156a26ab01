//! Parity cases: small launches with made inputs, run by doctor and by the tests on every backend.

use bytemuck::Pod;

use super::KernelSpec;
use crate::kernels::step::Step;
use crate::math::random;

/// How far a result may be from the reference: `|a - b| <= absolute + relative * |b|`, so that NaN fails.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Absolute part.
    pub absolute: f64,
    /// Relative part.
    pub relative: f64,
    /// Where the two numbers come from.
    pub reason: &'static str,
}

impl Tolerance {
    /// For integers and copies.
    pub const EXACT: Tolerance = Tolerance { absolute: 0.0, relative: 0.0, reason: "integers and copies are exact" };

    /// A few roundings of single precision.
    pub const ELEMENTWISE: Tolerance = Tolerance {
        absolute: 1e-6,
        relative: 4e-6,
        reason: "a handful of f32 roundings; division and sqrt may be 2.5 ulp off in WGSL",
    };

    /// For results that are stored in half precision: two that are nearly alike may be rounded apart, by one place of f16.
    pub fn in_half(self) -> Tolerance {
        let (absolute, relative) = (self.absolute + 2f64.powi(-24), self.relative + 2f64.powi(-10));
        Tolerance { absolute, relative, ..self }
    }

    /// For sums of products whose operands are rounded to half precision first: to 2^-11 of themselves, not 2^-24.
    pub fn of_half_operands(self) -> Tolerance {
        Tolerance { absolute: 1024.0 * self.absolute, ..self }
    }

    /// A sum of `terms` products of values around one, in any order.
    pub fn sum_of(terms: usize) -> Tolerance {
        Tolerance {
            absolute: 1e-6 + 3e-7 * terms as f64,
            relative: 1e-5,
            reason: "f32 rounding of a sum grows with its number of terms at worst",
        }
    }
}

/// Contents of one slot before a case runs.
#[derive(Clone, Debug)]
pub enum Input {
    /// Floats uniform in `[low, high)`.
    Uniform {
        /// Least value.
        low: f32,
        /// Bound above.
        high: f32,
    },
    /// These floats.
    F32(Vec<f32>),
    /// These integers.
    U32(Vec<u32>),
    /// These bytes.
    U8(Vec<u8>),
    /// Nothing: the slot is poisoned (NaN, or a bit pattern that is no valid index), so that not writing it shows.
    Poison,
}

/// One launch with its inputs and tolerance.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is special about it, such as its dimensions.
    pub label: String,
    /// Words of the kernel's parameters.
    pub params: Vec<u32>,
    /// Values of its override constants.
    pub constants: Vec<u32>,
    /// Slot contents in order.
    pub inputs: Vec<Input>,
    /// Per-step scalars.
    pub step: Step,
    /// Allowed difference.
    pub tolerance: Tolerance,
}

impl Case {
    /// A case of `kernel` with these inputs, the default step and an exact tolerance.
    pub fn new<K: KernelSpec>(label: impl Into<String>, kernel: K, inputs: Vec<Input>) -> Case {
        Case {
            label: label.into(),
            params: words(&kernel),
            constants: Vec::new(),
            inputs,
            step: Step::default(),
            tolerance: Tolerance::EXACT,
        }
    }

    /// With this in one of the slots.
    pub fn input(mut self, slot: usize, input: Input) -> Case {
        self.inputs[slot] = input;
        self
    }

    /// With values for the override constants.
    pub fn constants(self, constants: Vec<u32>) -> Case {
        Case { constants, ..self }
    }

    /// With these per-step scalars.
    pub fn step(self, step: Step) -> Case {
        Case { step, ..self }
    }

    /// With this tolerance.
    pub fn tolerance(self, tolerance: Tolerance) -> Case {
        Case { tolerance, ..self }
    }
}

impl Input {
    /// Floats uniform in `[-1, 1)`.
    pub const SIGNED: Input = Input::Uniform { low: -1.0, high: 1.0 };

    /// Floats that are all zero.
    pub const ZEROS: Input = Input::Uniform { low: 0.0, high: 0.0 };

    /// `length` floats of this input for slot `slot`, the same on every machine; `None` for integers and bytes.
    pub fn floats(&self, slot: usize, length: usize) -> Option<Vec<f32>> {
        match self {
            Input::Uniform { low, high } => Some(
                (0..length)
                    .map(|i| low + (high - low) * random::unit(random::Stream::ParityCase(slot as u32), 0, i as u64))
                    .collect(),
            ),
            Input::F32(values) => Some(values.clone()),
            Input::Poison => Some(vec![f32::NAN; length]),
            Input::U32(_) | Input::U8(_) => None,
        }
    }

    /// `length` integers of this input; `None` for floats and bytes.
    pub fn integers(&self, length: usize) -> Option<Vec<u32>> {
        match self {
            Input::U32(values) => Some(values.clone()),
            Input::Poison => Some(vec![0xDEAD_BEEF; length]),
            _ => None,
        }
    }
}

/// A parameter struct as the words of its uniform.
pub(crate) fn words<P: Pod>(params: &P) -> Vec<u32> {
    bytemuck::cast_slice(bytemuck::bytes_of(params)).to_vec()
}
