//! The buffers of the CPU backend. A launch borrows them as slices.

use std::marker::PhantomData;

use bytemuck::Pod;
use memmap2::MmapMut;

use crate::kernels::kernel::{Argument, DType, Elements, ElementsMut};
use crate::math::real::Real;
use crate::plan::{BufferInfo, Data, TensorInfo};

/// One buffer.
#[derive(Debug)]
pub(super) enum Memory<T> {
    Real(Zeros<T>),
    U32(Zeros<u32>),
    U8(Zeros<u8>),
}

impl<T: Real> Memory<T> {
    /// A buffer of zeros; `None` if the operating system has no memory for it.
    pub(super) fn zeroed(info: &BufferInfo) -> Option<Memory<T>> {
        Some(match info.dtype {
            DType::F32 | DType::F16 => Memory::Real(Zeros::new(info.len)?),
            DType::U32 => Memory::U32(Zeros::new(info.len)?),
            DType::U8 => Memory::U8(Zeros::new(info.len)?),
        })
    }

    /// A placeholder for a buffer while a launch writes it.
    pub(super) fn placeholder() -> Memory<T> {
        Memory::U8(Zeros::EMPTY)
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
                let values = &mut values[info.range()];
                for (value, &datum) in values.iter_mut().zip(data) {
                    *value = T::from_f32(datum);
                }
                if info.dtype == DType::F16 {
                    T::round_to_half(values);
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

/// Values in separate memory pages, initially zero. Linux is asked for huge pages: a processor's TLB covers a few
/// thousand pages, and convolutions touch more small ones than that.
#[derive(Debug)]
pub(super) struct Zeros<T> {
    pages: Option<MmapMut>,
    of: PhantomData<T>,
}

impl<T: Pod> Zeros<T> {
    const EMPTY: Zeros<T> = Zeros { pages: None, of: PhantomData };

    fn new(len: usize) -> Option<Zeros<T>> {
        if len == 0 {
            return Some(Zeros::EMPTY);
        }
        let pages = MmapMut::map_anon(len.checked_mul(size_of::<T>())?).ok()?;
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage); // optional: small pages only are slower
        Some(Zeros { pages: Some(pages), of: PhantomData })
    }
}

impl<T: Pod> std::ops::Deref for Zeros<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.pages.as_ref().map_or(&[], |pages| bytemuck::cast_slice(pages))
    }
}

impl<T: Pod> std::ops::DerefMut for Zeros<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.pages.as_mut().map_or(&mut [], |pages| bytemuck::cast_slice_mut(pages))
    }
}
