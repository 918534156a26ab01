//! Parity cases: small launches with generated inputs. `gpunet doctor` and the tests run them on every backend.

use bytemuck::Pod;

use super::KernelSpec;
use crate::kernels::step::Step;
use crate::math::random;

/// How far a result `a` may be from the reference `b`: `|a - b| <= absolute + relative * |b|`. A NaN fails.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Absolute part.
    pub absolute: f64,
    /// Relative part.
    pub relative: f64,
    /// Why the two bounds are as they are.
    pub reason: &'static str,
}

impl Tolerance {
    /// For integers and copies.
    pub const EXACT: Tolerance = Tolerance { absolute: 0.0, relative: 0.0, reason: "integers and copies are exact" };

    /// For a few f32 operations per element.
    pub const ELEMENTWISE: Tolerance = Tolerance {
        absolute: 1e-6,
        relative: 4e-6,
        reason: "a handful of f32 roundings; division and sqrt may be 2.5 ulp off in WGSL",
    };

    /// The same for results stored in half precision: two nearly equal values may round to neighbouring f16 numbers.
    pub fn in_half(self) -> Tolerance {
        let (absolute, relative) = (self.absolute + 2f64.powi(-24), self.relative + 2f64.powi(-10));
        Tolerance { absolute, relative, ..self }
    }

    /// The same for sums of products whose operands are rounded to f16 first. That rounding has a relative error of
    /// 2^-11; f32 has 2^-24.
    pub fn of_half_operands(self) -> Tolerance {
        Tolerance { absolute: 1024.0 * self.absolute, ..self }
    }

    /// For a sum of `terms` products of values around one, added in any order.
    pub fn sum_of(terms: usize) -> Tolerance {
        Tolerance {
            absolute: 1e-6 + 3e-7 * terms as f64,
            relative: 1e-5,
            reason: "at worst, the f32 rounding error of a sum grows with its number of terms",
        }
    }
}

/// Contents of one slot before a case runs.
#[derive(Clone, Debug)]
pub enum Input {
    /// Floats uniform in `[low, high)`.
    Uniform {
        /// Lower bound, inclusive.
        low: f32,
        /// Upper bound, exclusive.
        high: f32,
    },
    /// These floats.
    F32(Vec<f32>),
    /// These integers.
    U32(Vec<u32>),
    /// These bytes.
    U8(Vec<u8>),
    /// Poison (NaN, or a bit pattern that is no valid index): an element that the kernel fails to write shows.
    Poison,
}

/// One launch with its inputs and tolerance.
#[derive(Clone, Debug)]
pub struct Case {
    /// What distinguishes the case, such as its dimensions.
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
    /// A case of `kernel` with these inputs, the default step and tolerance zero.
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

    /// Replaces the input of one slot.
    pub fn input(mut self, slot: usize, input: Input) -> Case {
        self.inputs[slot] = input;
        self
    }

    /// Sets the override constants.
    pub fn constants(self, constants: Vec<u32>) -> Case {
        Case { constants, ..self }
    }

    /// Sets the per-step scalars.
    pub fn step(self, step: Step) -> Case {
        Case { step, ..self }
    }

    /// Sets the tolerance.
    pub fn tolerance(self, tolerance: Tolerance) -> Case {
        Case { tolerance, ..self }
    }
}

impl Input {
    /// Floats uniform in `[-1, 1)`.
    pub const SIGNED: Input = Input::Uniform { low: -1.0, high: 1.0 };

    /// Floats that are all zero.
    pub const ZEROS: Input = Input::Uniform { low: 0.0, high: 0.0 };

    /// This input's `length` floats for slot `slot`, the same on every machine. `None` for integers and bytes.
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

    /// This input's `length` integers. `None` for floats and bytes.
    pub fn integers(&self, length: usize) -> Option<Vec<u32>> {
        match self {
            Input::U32(values) => Some(values.clone()),
            Input::Poison => Some(vec![0xDEAD_BEEF; length]),
            _ => None,
        }
    }
}

/// A parameter struct as the 32-bit words of its uniform buffer.
pub(crate) fn words<P: Pod>(params: &P) -> Vec<u32> {
    bytemuck::cast_slice(bytemuck::bytes_of(params)).to_vec()
}
