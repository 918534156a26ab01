//! Activation functions, applied elementwise and fused into the layers before and after them.

use crate::math::real::Real;
use crate::math::simd::simd;

/// Declares the activations, an entry each. The order is that of the numbers in `shaders/shared/activation.wgsl`.
macro_rules! activations {
    ($(
        $(#[$doc:meta])*
        $variant:ident {
            name: $name:literal,
            apply: |$z:ident| $apply:expr,
            derivative: $kept_kind:ident |$kept:ident| $derivative:expr,
            kinks: $kinks:expr,
        }
    )+) => {
        /// An activation function `y = f(z)` of a pre-activation z.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum Activation {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl Activation {
            /// All of them; a position here is the number in `shaders/shared/activation.wgsl`.
            pub const ALL: [Activation; [$($name),+].len()] = [$(Activation::$variant),+];

            /// Name, as on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Activation::$variant => $name,)+
                }
            }

            /// Whether its derivative takes the pre-activation z; that of the others follows from the output y alone,
            /// so that z need not be kept.
            pub const fn keeps_pre_activation(self) -> bool {
                match self {
                    $(Activation::$variant => matches!(Kept::$kept_kind, Kept::z),)+
                }
            }

            /// The pre-activations at which its derivative jumps, where a central difference says nothing.
            pub const fn kinks(self) -> &'static [f64] {
                match self {
                    $(Activation::$variant => &$kinks,)+
                }
            }

            /// `f(z)`. A NaN stays one: what has diverged must show.
            #[inline(always)]
            pub fn apply<T: Real>(self, z: T) -> T {
                match self {
                    $(Activation::$variant => { let $z = z; $apply })+
                }
            }

            /// `f'(z)` from what is kept: z where [`Activation::keeps_pre_activation`], else `y = f(z)`.
            #[inline(always)]
            pub fn derivative<T: Real>(self, kept: T) -> T {
                match self {
                    $(Activation::$variant => { let $kept = kept; $derivative })+
                }
            }
        }
    };
}

/// What a derivative is made from: the pre-activation or the output.
#[allow(non_camel_case_types, reason = "the names of formulas")]
enum Kept {
    z,
    y,
}

activations! {
    /// `f(z) = z`: logits and inputs.
    Identity {
        name: "identity",
        apply: |z| z,
        derivative: y |_y| T::one(),
        kinks: [],
    }
    /// `f(z) = max(z, 0)`, with derivative 0 at 0 (Nair and Hinton, ICML 2010).
    Relu {
        name: "relu",
        apply: |z| if z < T::zero() { T::zero() } else { z },
        derivative: y |y| if y <= T::zero() { T::zero() } else { T::one() },
        kinks: [0.0],
    }
    /// `f(z) = z` above 0, else `0.01 z` (Maas et al., ICML 2013).
    LeakyRelu {
        name: "leaky-relu",
        apply: |z| if z < T::zero() { T::from_f64(LEAK) * z } else { z },
        derivative: y |y| if y <= T::zero() { T::from_f64(LEAK) } else { T::one() },
        kinks: [0.0],
    }
    /// `f(z) = z` above 0, else `exp(z) - 1` (Clevert et al., ICLR 2016, with alpha 1).
    Elu {
        name: "elu",
        apply: |z| if z < T::zero() { z.exp_m1() } else { z },
        derivative: y |y| if y <= T::zero() { y + T::one() } else { T::one() },
        kinks: [],
    }
    /// `f(z) = z Phi(z)`, with Phi the normal distribution's function (Hendrycks and Gimpel, 2016), not its tanh
    /// approximation.
    Gelu {
        name: "gelu",
        apply: |z| z * normal_distribution(z),
        derivative: z |z| normal_distribution(z) + z * normal_density(z),
        kinks: [],
    }
    /// `f(z) = z sigmoid(z)` (Elfwing et al., 2018; Ramachandran et al., 2017, as "swish").
    Silu {
        name: "silu",
        apply: |z| z * sigmoid(z),
        derivative: z |z| {
            let s = sigmoid(z);
            s * (T::one() + z * (T::one() - s))
        },
        kinks: [],
    }
    /// `f(z) = tanh(z)`.
    Tanh {
        name: "tanh",
        apply: |z| z.tanh(),
        derivative: y |y| T::one() - y * y,
        kinks: [],
    }
    /// `f(z) = 1 / (1 + exp(-z))`.
    Sigmoid {
        name: "sigmoid",
        apply: |z| sigmoid(z),
        derivative: y |y| y * (T::one() - y),
        kinks: [],
    }
    /// `f(z) = z tanh(softplus(z))`, with `softplus(z) = ln(1 + exp(z))` (Misra, BMVC 2020).
    Mish {
        name: "mish",
        apply: |z| z * tanh_of_softplus(z)[0],
        derivative: z |z| {
            let [value, slope] = tanh_of_softplus(z);
            if z > T::from_f64(MISH_IS_LINEAR) { T::one() } else { value + z * slope }
        },
        kinks: [],
    }
    /// `f(z) = z min(max(z + 3, 0), 6) / 6` (Howard et al., "Searching for MobileNetV3", ICCV 2019), with derivative 0
    /// at -3 and 1 at 3.
    HardSwish {
        name: "hard-swish",
        apply: |z| {
            if z <= T::from_f64(-3.0) {
                T::zero()
            } else if z >= T::from_f64(3.0) {
                z
            } else {
                z * (z + T::from_f64(3.0)) / T::from_f64(6.0)
            }
        },
        derivative: z |z| {
            if z <= T::from_f64(-3.0) {
                T::zero()
            } else if z >= T::from_f64(3.0) {
                T::one()
            } else {
                z / T::from_f64(3.0) + T::from_f64(0.5)
            }
        },
        kinks: [-3.0, 3.0],
    }
}

/// Slope of the leaky ReLU below 0, as in its paper.
const LEAK: f64 = 0.01;

impl Activation {
    /// Its number in `shaders/shared/activation.wgsl`.
    pub const fn constant(self) -> u32 {
        self as u32
    }

    /// The activation with that number. Panics where there is none: plans hold only numbers from
    /// [`Activation::constant`].
    pub fn from_constant(constant: u32) -> Activation {
        Activation::ALL[constant as usize]
    }
}

/// What kernels do to many values at once: loops of their own for the activations in which a choice for each value
/// would take longer than all else.
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

/// From here on Mish is z itself, even in f64: `1 - tanh(softplus(20))` is below 1e-17.
const MISH_IS_LINEAR: f64 = 20.0;

/// `tanh(softplus(z))` and its slope. With `n = exp(z)` and `w = n (n + 2)` they are `w / (w + 2)` and `4 n (n + 1) /
/// (w + 2)^2`, neither of which loses digits where n is small. Larger z are taken for [`MISH_IS_LINEAR`], so that
/// nothing overflows.
#[inline(always)]
fn tanh_of_softplus<T: Real>(z: T) -> [T; 2] {
    let [one, two, four] = [1.0, 2.0, 4.0].map(T::from_f64);
    let n = z.min(T::from_f64(MISH_IS_LINEAR)).exp();
    let w = n * (n + two);
    [w / (w + two), four * n * (n + one) / ((w + two) * (w + two))]
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

    /// In both precisions: nothing overflows far out, and what has diverged shows.
    #[test]
    fn far_out_they_are_finite_and_a_nan_stays_one() {
        for activation in Activation::ALL {
            for z in [-1e30, -200.0, -90.0, 90.0, 200.0, 1e30] {
                let of_f32 = activation.apply(z as f32);
                let kept = if activation.keeps_pre_activation() { z } else { activation.apply(z) };
                let slopes = [activation.derivative(kept), f64::from(activation.derivative(kept as f32))];
                assert!(activation.apply(z).is_finite() && of_f32.is_finite(), "{activation:?} of {z}");
                assert!(slopes.iter().all(|slope| slope.is_finite()), "{activation:?} at {z}: {slopes:?}");
            }
            assert!(activation.apply(f64::NAN).is_nan() && activation.apply(f32::NAN).is_nan(), "{activation:?}");
            if activation.keeps_pre_activation() {
                assert!(activation.derivative(f64::NAN).is_nan(), "{activation:?}");
            }
        }
        assert_eq!(Activation::Mish.derivative(1e30f32), 1.0);
        assert_eq!(Activation::HardSwish.apply(f32::NEG_INFINITY), 0.0);
    }

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
                assert!(activation.kinks().iter().all(|kink| (z - kink).abs() > 1e-4), "{activation:?} at {z}");
                let y = activation.apply(z);
                let slope = (activation.apply(z + 1e-6) - activation.apply(z - 1e-6)) / 2e-6;
                let derivative = activation.derivative(if activation.keeps_pre_activation() { z } else { y });
                assert!((slope - derivative).abs() <= 1e-8, "{activation:?} at {z}: {slope}, {derivative}");
            }
        }
    }
}
