//! Mean and deviation of values, summed one after another.

/// Deviations that are a smaller share of the mean than this are the rounding of f32, not a difference between examples.
const LEAST_DEVIATION: f64 = 1e-6;

/// Mean and standard deviation of a population.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    pub mean: f64,
    /// 0 where the values do not differ.
    pub deviation: f64,
    /// Factor on values that do not differ.
    unit: f64,
}

impl Moments {
    /// Factor and offset that give these values mean 0 and deviation 1. Values that do not differ become 0.
    pub fn standardizing(&self) -> (f32, f32) {
        let factor = if self.deviation > 0.0 { self.deviation.recip() } else { self.unit };
        (factor as f32, (-self.mean * factor) as f32)
    }
}

/// What mean and deviation are made from.
pub trait Sums<T>: Copy + Default {
    fn with(self, value: T) -> Self;

    fn moments(&self) -> Moments;
}

/// Sums of bytes and of their squares, exact in integers.
#[derive(Clone, Copy, Default)]
pub struct ByteSums {
    count: u64,
    sum: u64,
    squares: u64,
}

impl Sums<u8> for ByteSums {
    fn with(self, byte: u8) -> ByteSums {
        let value = u64::from(byte);
        ByteSums { count: self.count + 1, sum: self.sum + value, squares: self.squares + value * value }
    }

    fn moments(&self) -> Moments {
        let (n, sum, squares) = (u128::from(self.count), u128::from(self.sum), u128::from(self.squares));
        let variance = (n * squares - sum * sum) as f64 / (n * n).max(1) as f64;
        let mean = self.sum as f64 / self.count.max(1) as f64;
        Moments { mean, deviation: variance.sqrt(), unit: 1.0 / 255.0 }
    }
}

/// Running mean of floats and sum of squared distances from it (Welford, "Note on a method for calculating corrected sums of
/// squares and products", Technometrics 1962), in f64.
#[derive(Clone, Copy, Default)]
pub struct RealSums {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sums<f32> for RealSums {
    fn with(self, value: f32) -> RealSums {
        let value = f64::from(value);
        let count = self.count + 1.0;
        let distance = value - self.mean;
        let mean = self.mean + distance / count;
        RealSums { count, mean, squares: self.squares + distance * (value - mean) }
    }

    fn moments(&self) -> Moments {
        let deviation = (self.squares / self.count.max(1.0)).sqrt();
        // Smaller deviations have no reciprocal in f32, or are noise beside the mean.
        let differs = deviation > f64::from(f32::MIN_POSITIVE) && deviation > LEAST_DEVIATION * self.mean.abs();
        Moments { mean: self.mean, deviation: if differs { deviation } else { 0.0 }, unit: 1.0 }
    }
}
