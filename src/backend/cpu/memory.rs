//! The CPU backend's buffers, lent to a launch as slices.

use crate::kernel::{Argument, DType, Elements, ElementsMut};
use crate::plan::{BufferInfo, Data, TensorInfo};
use crate::real::Real;

/// One buffer.
#[derive(Debug)]
pub(super) enum Memory<T> {
    Real(Vec<T>),
    U32(Vec<u32>),
    U8(Vec<u8>),
}

impl<T: Real> Memory<T> {
    /// A buffer of zeros, or `None` where the operating system has no memory for it.
    pub(super) fn zeroed(info: &BufferInfo) -> Option<Memory<T>> {
        Some(match info.dtype {
            DType::F32 => Memory::Real(zeros(info.len)?),
            DType::U32 => Memory::U32(zeros(info.len)?),
            DType::U8 => Memory::U8(zeros(info.len)?),
        })
    }

    /// What stands in for a buffer while a launch that writes it has it.
    pub(super) fn lent() -> Memory<T> {
        Memory::U8(Vec::new())
    }

    pub(super) fn bytes(&self) -> u64 {
        match self {
            Memory::Real(values) => std::mem::size_of_val(&values[..]) as u64,
            Memory::U32(values) => std::mem::size_of_val(&values[..]) as u64,
            Memory::U8(values) => values.len() as u64,
        }
    }

    pub(super) fn write(&mut self, info: &TensorInfo, data: Data<'_>) {
        match (self, data) {
            (Memory::Real(values), Data::F32(data)) => {
                for (value, &datum) in values[info.range()].iter_mut().zip(data) {
                    *value = T::from_f32(datum);
                }
            }
            (Memory::U32(values), Data::U32(data)) => values[info.range()].copy_from_slice(data),
            (Memory::U8(values), Data::U8(data)) => values[info.range()].copy_from_slice(data),
            _ => unreachable!("a tensor has the type of its buffer"),
        }
    }

    pub(super) fn reals(&self, info: &TensorInfo) -> &[T] {
        match self {
            Memory::Real(values) => &values[info.range()],
            _ => panic!("tensor {} does not hold floats", info.name),
        }
    }

    pub(super) fn reals_mut(&mut self, info: &TensorInfo) -> &mut [T] {
        match self {
            Memory::Real(values) => &mut values[info.range()],
            _ => panic!("tensor {} does not hold floats", info.name),
        }
    }

    pub(super) fn integers(&self, info: &TensorInfo) -> &[u32] {
        match self {
            Memory::U32(values) => &values[info.range()],
            _ => panic!("tensor {} does not hold 32-bit integers", info.name),
        }
    }

    pub(super) fn lend(&self, info: &TensorInfo) -> Argument<'_, T> {
        Argument::Read(match self {
            Memory::Real(values) => Elements::Real(&values[info.range()]),
            Memory::U32(values) => Elements::U32(&values[info.range()]),
            Memory::U8(values) => Elements::U8(&values[info.range()]),
        })
    }

    pub(super) fn lend_mut(&mut self, info: &TensorInfo) -> Argument<'_, T> {
        Argument::Write(match self {
            Memory::Real(values) => ElementsMut::Real(&mut values[info.range()]),
            Memory::U32(values) => ElementsMut::U32(&mut values[info.range()]),
            Memory::U8(values) => ElementsMut::U8(&mut values[info.range()]),
        })
    }
}

fn zeros<T: Clone + Default>(len: usize) -> Option<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(len).ok()?;
    values.resize(len, T::default());
    Some(values)
}
