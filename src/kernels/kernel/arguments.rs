//! The arguments of a CPU twin.

use crate::kernels::step::Step;
use crate::math::real::Real;

/// Maximum number of slots of a kernel. WebGPU guarantees eight storage buffers per shader.
pub const MAX_SLOTS: usize = 8;

/// Elements of a tensor that is only read.
#[derive(Clone, Copy, Debug)]
pub enum Elements<'a, T> {
    /// Floats, in the precision of the backend.
    Real(&'a [T]),
    /// 32-bit integers.
    U32(&'a [u32]),
    /// Bytes.
    U8(&'a [u8]),
}

/// Elements of a tensor that is written.
#[derive(Debug)]
pub enum ElementsMut<'a, T> {
    /// Floats, in the precision of the backend.
    Real(&'a mut [T]),
    /// 32-bit integers.
    U32(&'a mut [u32]),
    /// Bytes.
    U8(&'a mut [u8]),
}

/// One slot's tensor.
#[derive(Debug)]
pub enum Argument<'a, T> {
    /// For [`super::Access::Read`].
    Read(Elements<'a, T>),
    /// For [`super::Access::Write`] and [`super::Access::ReadWrite`].
    Write(ElementsMut<'a, T>),
}

/// The tensors of a launch in slot order, with its constants and step.
///
/// Each argument is taken once. Before a twin runs, the plan was checked against the kernel's slots. A request for
/// another kind than the slot declares is therefore a bug in the twin, and panics.
pub struct Arguments<'a, T> {
    slots: [Option<Argument<'a, T>>; MAX_SLOTS],
    constants: &'a [u32],
    step: &'a Step,
}

impl<'a, T: Real> Arguments<'a, T> {
    /// Arguments in slot order.
    pub fn new(slots: [Option<Argument<'a, T>>; MAX_SLOTS], constants: &'a [u32], step: &'a Step) -> Self {
        Arguments { slots, constants, step }
    }

    /// The value of override constant `index`.
    pub fn constant(&self, index: usize) -> u32 {
        self.constants[index]
    }

    /// The per-step scalars.
    pub fn step(&self) -> &'a Step {
        self.step
    }

    fn elements(&mut self, slot: usize) -> Elements<'a, T> {
        match self.slots[slot].take() {
            Some(Argument::Read(elements)) => elements,
            other => panic!("slot {slot} cannot be read: it is {}", kind(&other)),
        }
    }

    fn elements_mut(&mut self, slot: usize) -> ElementsMut<'a, T> {
        match self.slots[slot].take() {
            Some(Argument::Write(elements)) => elements,
            other => panic!("slot {slot} cannot be written: it is {}", kind(&other)),
        }
    }

    /// Takes the floats of a slot that is read.
    pub fn reals(&mut self, slot: usize) -> &'a [T] {
        match self.elements(slot) {
            Elements::Real(values) => values,
            _ => panic!("slot {slot} does not hold floats"),
        }
    }

    /// Takes the integers of a slot that is read.
    pub fn integers(&mut self, slot: usize) -> &'a [u32] {
        match self.elements(slot) {
            Elements::U32(values) => values,
            _ => panic!("slot {slot} does not hold 32-bit integers"),
        }
    }

    /// Takes the bytes of a slot that is read.
    pub fn bytes(&mut self, slot: usize) -> &'a [u8] {
        match self.elements(slot) {
            Elements::U8(values) => values,
            _ => panic!("slot {slot} does not hold bytes"),
        }
    }

    /// Takes the floats of a slot that is written.
    pub fn reals_mut(&mut self, slot: usize) -> &'a mut [T] {
        match self.elements_mut(slot) {
            ElementsMut::Real(values) => values,
            _ => panic!("slot {slot} does not hold floats"),
        }
    }

    /// Takes the integers of a slot that is written.
    pub fn integers_mut(&mut self, slot: usize) -> &'a mut [u32] {
        match self.elements_mut(slot) {
            ElementsMut::U32(values) => values,
            _ => panic!("slot {slot} does not hold 32-bit integers"),
        }
    }
}

fn kind<T>(argument: &Option<Argument<'_, T>>) -> &'static str {
    match argument {
        None => "absent or already taken",
        Some(Argument::Read(_)) => "declared as read-only",
        Some(Argument::Write(_)) => "declared as written",
    }
}
