//! Activation functions, applied elementwise and fused into the layers before and after them.

use crate::math::real::Real;
use crate::math::simd::simd;

/// An activation function `y = f(z)` of a pre-activation z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `f(z) = z`: logits and inputs.
    Identity,
    /// `f(z) = max(z, 0)`, with derivative 0 at 0 (Nair and Hinton, ICML 2010).
    Relu,
    /// `f(z) = z` above 0, else `0.01 z` (Maas et al., ICML 2013).
    LeakyRelu,
    /// `f(z) = z` above 0, else `exp(z) - 1` (Clevert et al., ICLR 2016, with alpha 1).
    Elu,
    /// `f(z) = z Phi(z)`, with Phi the normal distribution's function (Hendrycks and Gimpel, 2016), not its tanh approximation.
    Gelu,
    /// `f(z) = z sigmoid(z)` (Elfwing et al., 2018; Ramachandran et al., 2017, as "swish").
    Silu,
    /// `f(z) = tanh(z)`.
    Tanh,
    /// `f(z) = 1 / (1 + exp(-z))`.
    Sigmoid,
}

/// Slope of the leaky ReLU below 0, as in its paper.
const LEAK: f64 = 0.01;

impl Activation {
    /// All of them; a position here is the number in `shaders/shared/activation.wgsl`.
    pub const ALL: [Activation; 8] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::Silu,
        Activation::Tanh,
        Activation::Sigmoid,
    ];

    /// Its number in `shaders/shared/activation.wgsl`.
    pub const fn constant(self) -> u32 {
        self as u32
    }

    /// The activation with that number. Panics where there is none: plans hold only numbers from [`Activation::constant`].
    pub fn from_constant(constant: u32) -> Activation {
        Activation::ALL[constant as usize]
    }

    /// Name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Elu => "elu",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
        }
    }

    /// Whether its derivative takes the pre-activation z; that of the others follows from the output y alone, so that z need
    /// not be kept.
    pub const fn keeps_pre_activation(self) -> bool {
        matches!(self, Activation::Gelu | Activation::Silu)
    }

    /// Whether it has a kink at 0, where its derivative jumps.
    pub const fn has_kink(self) -> bool {
        matches!(self, Activation::Relu | Activation::LeakyRelu)
    }

    /// `f(z)`. A NaN stays one: what has diverged must show.
    #[inline(always)]
    pub fn apply<T: Real>(self, z: T) -> T {
        match self {
            Activation::Identity => z,
            Activation::Relu if z < T::zero() => T::zero(),
            Activation::LeakyRelu if z < T::zero() => T::from_f64(LEAK) * z,
            Activation::Elu if z < T::zero() => z.exp_m1(),
            Activation::Relu | Activation::LeakyRelu | Activation::Elu => z,
            Activation::Gelu => z * normal_distribution(z),
            Activation::Silu => z * sigmoid(z),
            Activation::Tanh => z.tanh(),
            Activation::Sigmoid => sigmoid(z),
        }
    }

    /// `f'(z)` from what is kept: z where [`Activation::keeps_pre_activation`], else `y = f(z)`.
    #[inline(always)]
    pub fn derivative<T: Real>(self, kept: T) -> T {
        match self {
            Activation::Relu if kept <= T::zero() => T::zero(),
            Activation::LeakyRelu if kept <= T::zero() => T::from_f64(LEAK),
            Activation::Elu if kept <= T::zero() => kept + T::one(),
            Activation::Identity | Activation::Relu | Activation::LeakyRelu | Activation::Elu => T::one(),
            Activation::Gelu => normal_distribution(kept) + kept * normal_density(kept),
            Activation::Silu => {
                let s = sigmoid(kept);
                s * (T::one() + kept * (T::one() - s))
            }
            Activation::Tanh => T::one() - kept * kept,
            Activation::Sigmoid => kept * (T::one() - kept),
        }
    }
}

/// What kernels do to many values at once: loops of their own for the activations in which a choice for each value would take longer
/// than all else.
impl Activation {
    /// `f` of all pre-activations, each plus `bias`.
    pub(crate) fn apply_to<T: Real>(self, values: &mut [T], bias: T) {
        match self {
            Activation::Identity => simd!(values.iter_mut().for_each(|value| *value += bias)),
            Activation::Relu => {
                simd!(values.iter_mut().for_each(|value| *value = Activation::Relu.apply(*value + bias)))
            }
            _ => simd!(values.iter_mut().for_each(|value| *value = self.apply(*value + bias))),
        }
    }

    /// Multiplies gradients by the derivatives that go with what is kept.
    pub(crate) fn differentiate<T: Real>(self, gradients: &mut [T], kept: &[T]) {
        let pairs = gradients.iter_mut().zip(kept);
        match self {
            Activation::Identity => {}
            Activation::Relu => {
                simd!(pairs.for_each(|(gradient, &kept)| *gradient *= Activation::Relu.derivative(kept)))
            }
            _ => simd!(pairs.for_each(|(gradient, &kept)| *gradient *= self.derivative(kept))),
        }
    }
}

#[inline(always)]
fn sigmoid<T: Real>(z: T) -> T {
    T::one() / (T::one() + (-z).exp())
}

/// `Phi(z) = erfc(-z / sqrt(2)) / 2`.
#[inline(always)]
fn normal_distribution<T: Real>(z: T) -> T {
    T::from_f64(0.5) * (-z * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erfc()
}

/// `Phi'(z) = exp(-z^2 / 2) / sqrt(2 pi)`.
#[inline(always)]
fn normal_density<T: Real>(z: T) -> T {
    T::from_f64(0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2)
        * (T::from_f64(-0.5) * z * z).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for activation in Activation::ALL {
            assert_eq!(Activation::from_constant(activation.constant()), activation);
            assert_eq!(serde_json::to_value(activation).unwrap(), activation.name());
        }
    }

    /// In f64, away from kinks: a derivative is the slope of the function.
    #[test]
    fn derivatives_are_slopes() {
        for activation in Activation::ALL {
            for z in [-6.5, -2.0, -0.7, -1e-3, 1e-3, 0.3, 1.9, 5.5f64] {
                let y = activation.apply(z);
                let slope = (activation.apply(z + 1e-6) - activation.apply(z - 1e-6)) / 2e-6;
                let derivative = activation.derivative(if activation.keeps_pre_activation() { z } else { y });
                assert!((slope - derivative).abs() <= 1e-8, "{activation:?} at {z}: {slope}, {derivative}");
            }
        }
    }
}
