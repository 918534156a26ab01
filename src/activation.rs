//! Activation functions, applied elementwise and fused into the layers before and after them.

use crate::real::Real;

/// An activation whose derivative can be had from its output alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `f(z) = z`: logits and inputs.
    Identity,
    /// `f(z) = max(z, 0)`, with derivative 0 at 0 (Nair and Hinton, ICML 2010).
    Relu,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 2] = [Activation::Identity, Activation::Relu];

    /// Its number in `shaders/lib/activation.wgsl`.
    pub const fn constant(self) -> u32 {
        match self {
            Activation::Identity => 0,
            Activation::Relu => 1,
        }
    }

    /// The activation with that number. Panics where there is none: plans hold only numbers from [`Activation::constant`].
    pub fn from_constant(constant: u32) -> Activation {
        let found = Activation::ALL.into_iter().find(|activation| activation.constant() == constant);
        found.unwrap_or_else(|| panic!("no activation has the number {constant}"))
    }

    /// Name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
        }
    }

    /// `f(z)`.
    #[inline(always)]
    pub fn apply<T: Real>(self, z: T) -> T {
        match self {
            Activation::Identity => z,
            // Unlike a maximum, lets a NaN through: what has diverged must show.
            Activation::Relu if z < T::zero() => T::zero(),
            Activation::Relu => z,
        }
    }

    /// `f'(z)` from `y = f(z)`.
    #[inline(always)]
    pub fn derivative<T: Real>(self, y: T) -> T {
        match self {
            Activation::Relu if y <= T::zero() => T::zero(),
            _ => T::one(),
        }
    }
}
