//! The values of examples: bytes or 32-bit floats.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::DataError;
use super::moments::{ByteSums, Moments, RealSums, Sums};
use crate::kernels::kernel::DType;
use crate::plan::Data;

/// What the values of examples are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureType {
    /// Bytes, such as the pixels of an image.
    #[default]
    Bytes,
    /// 32-bit floats.
    F32,
}

impl FeatureType {
    /// The element type of the data set's tensor in a plan.
    pub const fn dtype(self) -> DType {
        match self {
            FeatureType::Bytes => DType::U8,
            FeatureType::F32 => DType::F32,
        }
    }

    /// Name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            FeatureType::Bytes => "bytes",
            FeatureType::F32 => "f32",
        }
    }
}

/// Values of examples, row by row: `[examples, features]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Floats.
    F32(Vec<f32>),
}

impl Features {
    /// What they are.
    pub const fn kind(&self) -> FeatureType {
        match self {
            Features::Bytes(_) => FeatureType::Bytes,
            Features::F32(_) => FeatureType::F32,
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.data().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values on their way to a device.
    pub fn data(&self) -> Data<'_> {
        match self {
            Features::Bytes(values) => Data::U8(values),
            Features::F32(values) => Data::F32(values),
        }
    }

    /// Puts those of `other`, which are of the same type, behind.
    pub(super) fn append(&mut self, other: &mut Features) {
        match (self, other) {
            (Features::Bytes(values), Features::Bytes(more)) => values.append(more),
            (Features::F32(values), Features::F32(more)) => values.append(more),
            _ => unreachable!("both parts of a data set have one type"),
        }
    }

    /// Rows of `width` values, of one type, by where they lie.
    pub(super) fn from_rows(rows: &[(&Features, usize)], width: usize) -> Features {
        fn copied<T: Feature + Default>(
            rows: &[(&Features, usize)],
            width: usize,
            of: fn(&Features) -> &[T],
        ) -> Vec<T> {
            let mut values = vec![T::default(); rows.len() * width];
            values.par_chunks_exact_mut(width).zip(rows).for_each(|(row, (from, number))| {
                row.copy_from_slice(&of(from)[number * width..][..width]);
            });
            values
        }
        match rows.first().map(|(from, _)| from.kind()) {
            Some(FeatureType::F32) => Features::F32(copied(rows, width, |from| match from {
                Features::F32(values) => values,
                Features::Bytes(_) => &[],
            })),
            _ => Features::Bytes(copied(rows, width, |from| match from {
                Features::Bytes(values) => values,
                Features::F32(_) => &[],
            })),
        }
    }

    /// The memory that holds them.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Features::Bytes(values) => values,
            Features::F32(values) => bytemuck::cast_slice(values),
        }
    }
}

impl From<Vec<u8>> for Features {
    fn from(values: Vec<u8>) -> Features {
        Features::Bytes(values)
    }
}

impl From<Vec<f32>> for Features {
    fn from(values: Vec<f32>) -> Features {
        Features::F32(values)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for f32 {}
}

/// A type that the values of examples may have: `u8` or `f32`.
pub trait Feature: sealed::Sealed + Copy + Default + Send + Sync + 'static {
    /// Its name at run time.
    const TYPE: FeatureType;

    #[doc(hidden)]
    type Sums: Sums<Self>;

    /// The values as a data set holds them.
    fn own(values: Vec<Self>) -> Features;

    /// Checks rows of `width` values.
    ///
    /// # Errors
    /// The first value that is not finite, by its row and column.
    fn check(values: &[Self], width: usize) -> Result<(), DataError>;

    /// The least value and the distance to the greatest: of bytes those of the type, of floats those of `values`.
    #[doc(hidden)]
    fn range(values: &[Self]) -> (f64, f64);

    /// Mean and deviation of some values.
    #[doc(hidden)]
    fn moments(values: &[Self]) -> Moments {
        values.iter().fold(Self::Sums::default(), |sums, &value| sums.with(value)).moments()
    }

    /// Mean and deviation of each column of rows of `width` values.
    #[doc(hidden)]
    fn moments_by_column(values: &[Self], width: usize) -> Vec<Moments> {
        let mut columns = vec![Self::Sums::default(); width];
        for row in values.chunks_exact(width) {
            for (column, &value) in columns.iter_mut().zip(row) {
                *column = column.with(value);
            }
        }
        columns.iter().map(Sums::moments).collect()
    }
}

impl Feature for u8 {
    const TYPE: FeatureType = FeatureType::Bytes;
    type Sums = ByteSums;

    fn own(values: Vec<u8>) -> Features {
        Features::Bytes(values)
    }

    fn check(_values: &[u8], _width: usize) -> Result<(), DataError> {
        Ok(())
    }

    fn range(_values: &[u8]) -> (f64, f64) {
        (0.0, 255.0)
    }
}

impl Feature for f32 {
    const TYPE: FeatureType = FeatureType::F32;
    type Sums = RealSums;

    fn own(values: Vec<f32>) -> Features {
        Features::F32(values)
    }

    fn check(values: &[f32], width: usize) -> Result<(), DataError> {
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(DataError::NotFinite { row: at / width, column: at % width, value: values[at] }),
            None => Ok(()),
        }
    }

    fn range(values: &[f32]) -> (f64, f64) {
        let bounds = (f64::INFINITY, f64::NEG_INFINITY);
        let (least, greatest) = values.iter().fold(bounds, |(least, greatest), &value| {
            let value = f64::from(value);
            (least.min(value), greatest.max(value))
        });
        let distance = greatest - least;
        // Values that are all alike keep their unit.
        if distance > f64::from(f32::MIN_POSITIVE) { (least, distance) } else { (least.min(greatest), 1.0) }
    }
}
