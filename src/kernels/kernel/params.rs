//! Launch parameters: plain data with named fields.

use bytemuck::Pod;

/// Scalar type of a launch parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `u32` on both sides.
    U32,
    /// `f32` on both sides.
    F32,
}

/// A field of a kernel's `Params`. All fields are four bytes wide.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name, the same in Rust and in WGSL.
    pub name: &'static str,
    /// Type.
    pub scalar: Scalar,
}

/// The launch parameters of a kernel as 32-bit words, with their names.
pub trait Params: Pod + Send + Sync {
    /// The fields in order.
    const FIELDS: &'static [Field];
}

/// Declares a kernel's parameter struct: `#[repr(C)]` plain data, with its field names for printing and checks.
#[doc(hidden)]
#[macro_export]
macro_rules! params {
    (@scalar u32) => { $crate::kernels::kernel::Scalar::U32 };
    (@scalar f32) => { $crate::kernels::kernel::Scalar::F32 };
    (@field $field:ident: $ty:ident) => {
        $crate::kernels::kernel::Field { name: stringify!($field), scalar: $crate::params!(@scalar $ty) }
    };
    // The fields of another struct.
    ($(#[$meta:meta])* pub struct $name:ident($base:ty);) => {
        $(#[$meta])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, $crate::low_level::bytemuck::Pod, $crate::low_level::bytemuck::Zeroable)]
        #[bytemuck(crate = "gpunet::low_level::bytemuck")]
        pub struct $name(pub $base);

        impl $crate::kernels::kernel::Params for $name {
            const FIELDS: &'static [$crate::kernels::kernel::Field] = <$base as $crate::kernels::kernel::Params>::FIELDS;
        }
    };
    // The fields of another struct, then further ones.
    ($(#[$meta:meta])* pub struct $name:ident {
        $(#[$base_meta:meta])* pub $field_of_base:ident: ..$base:ident,
        $($(#[$field_meta:meta])* pub $field:ident: $ty:ident,)*
    }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, $crate::low_level::bytemuck::Pod, $crate::low_level::bytemuck::Zeroable)]
        #[bytemuck(crate = "gpunet::low_level::bytemuck")]
        pub struct $name { $(#[$base_meta])* pub $field_of_base: $base, $($(#[$field_meta])* pub $field: $ty,)* }

        impl $crate::kernels::kernel::Params for $name {
            const FIELDS: &'static [$crate::kernels::kernel::Field] = {
                const BASE: &[$crate::kernels::kernel::Field] = <$base as $crate::kernels::kernel::Params>::FIELDS;
                const MORE: &[$crate::kernels::kernel::Field] = &[$($crate::params!(@field $field: $ty),)*];
                &$crate::kernels::kernel::joined::<{ BASE.len() + MORE.len() }>(BASE, MORE)
            };
        }
    };
    // The fields of two other structs.
    ($(#[$meta:meta])* pub struct $name:ident {
        $(#[$first_meta:meta])* pub $first_field:ident: ..$first:ident,
        $(#[$second_meta:meta])* pub $second_field:ident: ..$second:ident,
    }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, $crate::low_level::bytemuck::Pod, $crate::low_level::bytemuck::Zeroable)]
        #[bytemuck(crate = "gpunet::low_level::bytemuck")]
        pub struct $name { $(#[$first_meta])* pub $first_field: $first, $(#[$second_meta])* pub $second_field: $second, }

        impl $crate::kernels::kernel::Params for $name {
            const FIELDS: &'static [$crate::kernels::kernel::Field] = {
                const FIRST: &[$crate::kernels::kernel::Field] = <$first as $crate::kernels::kernel::Params>::FIELDS;
                const SECOND: &[$crate::kernels::kernel::Field] = <$second as $crate::kernels::kernel::Params>::FIELDS;
                &$crate::kernels::kernel::joined::<{ FIRST.len() + SECOND.len() }>(FIRST, SECOND)
            };
        }
    };
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $ty:ident,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, $crate::low_level::bytemuck::Pod, $crate::low_level::bytemuck::Zeroable)]
        #[bytemuck(crate = "gpunet::low_level::bytemuck")]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        impl $crate::kernels::kernel::Params for $name {
            const FIELDS: &'static [$crate::kernels::kernel::Field] = &[
                $($crate::params!(@field $field: $ty),)*
            ];
        }
    };
}
pub use params;

/// The fields of `base`, then those of `more`.
#[doc(hidden)]
pub const fn joined<const N: usize>(base: &[Field], more: &[Field]) -> [Field; N] {
    let mut fields = [Field { name: "", scalar: Scalar::U32 }; N];
    let mut at = 0;
    while at < N {
        fields[at] = if at < base.len() { base[at] } else { more[at - base.len()] };
        at += 1;
    }
    fields
}
