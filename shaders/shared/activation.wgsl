// Activations, chosen when the pipeline is made. src/kernels/activation.rs has the same numbers, and the papers.

override activation: u32;

const RELU: u32 = 1u;
const LEAKY_RELU: u32 = 2u;
const ELU: u32 = 3u;
const GELU: u32 = 4u;
const SILU: u32 = 5u;
const TANH: u32 = 6u;
const SIGMOID: u32 = 7u;
const MISH: u32 = 8u;
const HARD_SWISH: u32 = 9u;

const LEAK: f32 = 0.01;

// z within bounds past which exp and tanh say nothing new, and might overflow. Unlike clamp, lets a NaN through.
fn bounded(z: f32, bound: f32) -> f32 {
    return select(select(z, -bound, z < -bound), bound, z > bound);
}

fn sigmoid(z: f32) -> f32 {
    return 1.0 / (1.0 + exp(-bounded(z, 80.0)));
}

// The normal distribution's function: erfc of Abramowitz and Stegun, 7.1.26, off by at most 1.5e-7.
fn normal_distribution(z: f32) -> f32 {
    let x = abs(bounded(z, 20.0)) * 0.70710678;
    let t = 1.0 / (1.0 + 0.3275911 * x);
    let polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let tail = 0.5 * polynomial * exp(-x * x);
    return select(tail, 1.0 - tail, z >= 0.0);
}

fn normal_density(z: f32) -> f32 {
    let x = bounded(z, 20.0);
    return 0.39894228 * exp(-0.5 * x * x);
}

// From here on Mish is z itself.
const MISH_IS_LINEAR: f32 = 20.0;

// tanh(softplus(z)) and its slope, from n = exp(z) and w = n (n + 2), without overflow and without losing digits where
// n is small.
fn tanh_of_softplus(z: f32) -> vec2<f32> {
    let n = exp(select(z, MISH_IS_LINEAR, z > MISH_IS_LINEAR));
    let w = n * (n + 2.0);
    return vec2<f32>(w, 4.0 * n * (n + 1.0) / (w + 2.0)) / (w + 2.0);
}

// The activation of a pre-activation z. A NaN stays one: what has diverged must show.
fn activate(z: f32) -> f32 {
    switch activation {
        case RELU: { return select(z, 0.0, z < 0.0); }
        case LEAKY_RELU: { return select(z, LEAK * z, z < 0.0); }
        case ELU: { return select(z, exp(min(z, 0.0)) - 1.0, z < 0.0); }
        case GELU: { return z * normal_distribution(z); }
        case SILU: { return z * sigmoid(z); }
        case TANH: { return tanh(bounded(z, 15.0)); }
        case SIGMOID: { return sigmoid(z); }
        case MISH: { return z * tanh_of_softplus(z).x; }
        case HARD_SWISH: { return select(select(z * (z + 3.0) / 6.0, z, z >= 3.0), 0.0, z <= -3.0); }
        default: { return z; }
    }
}

// Its derivative from what is kept: z for GELU, SiLU, Mish and hard-swish, else the activated value y.
fn derivative(kept: f32) -> f32 {
    switch activation {
        case RELU: { return select(1.0, 0.0, kept <= 0.0); }
        case LEAKY_RELU: { return select(1.0, LEAK, kept <= 0.0); }
        case ELU: { return select(1.0, kept + 1.0, kept <= 0.0); }
        case GELU: { return normal_distribution(kept) + kept * normal_density(kept); }
        case SILU: { let s = sigmoid(kept); return s * (1.0 + kept * (1.0 - s)); }
        case TANH: { return 1.0 - kept * kept; }
        case SIGMOID: { return kept * (1.0 - kept); }
        case MISH: { let t = tanh_of_softplus(kept); return select(t.x + kept * t.y, 1.0, kept > MISH_IS_LINEAR); }
        case HARD_SWISH: { return select(select(kept / 3.0 + 0.5, 1.0, kept >= 3.0), 0.0, kept <= -3.0); }
        default: { return 1.0; }
    }
}
