//! Random permutations with direct access to any element.

use rayon::prelude::*;

use super::{Stream, key, philox, philox_lanes};
use crate::math::simd::simd;

/// Rounds of the Feistel network. Fewer than about six are visible in the statistics of small domains.
pub(crate) const FEISTEL_ROUNDS: u32 = 12;

/// The image of `index` under a random permutation of `0..length`. It needs no table and no state.
///
/// A balanced Feistel network over the next power of four, applied again until the image lies in range (cycle walking;
/// Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). The round function is Philox, as in
/// Mitchell et al., "Bandwidth-optimal random shuffling for GPUs", ACM TOPC 2022. `shaders/data/shuffle.wgsl` computes
/// the same permutation.
pub fn permute(index: u32, length: u32, stream: Stream, seed: u64) -> u32 {
    let [image] = permute_lanes([index], length, stream, seed);
    image
}

/// [`permute`] for `N` indices at once.
#[inline(always)]
fn permute_lanes<const N: usize>(indices: [u32; N], length: u32, stream: Stream, seed: u64) -> [u32; N] {
    debug_assert!(indices.iter().all(|&index| index < length) && length <= 1 << 30);
    let half = half_bits(length);
    let mask = (1u32 << half) - 1;
    let ([low, high], key) = (stream.words(), key(seed));
    // Feistel networks of four or more bits produce even permutations only. A coin that swaps 0 and 1 adds the odd
    // ones.
    let coin = philox([0, FEISTEL_ROUNDS, low, high], key)[0] & 1;
    let mut images = indices;
    let mut arrived = [false; N];
    while arrived != [true; N] {
        let (mut left, mut right) = (images.map(|image| image >> half), images.map(|image| image & mask));
        for round in 0..FEISTEL_ROUNDS {
            let [scrambled, ..] = philox_lanes([right, [round; N], [low; N], [high; N]], key);
            let mixed = std::array::from_fn(|lane| (left[lane] ^ scrambled[lane]) & mask);
            (left, right) = (right, mixed);
        }
        for lane in 0..N {
            let image = left[lane] << half | right[lane];
            let image = if image < 2 { image ^ coin } else { image };
            images[lane] = if arrived[lane] { images[lane] } else { image };
            arrived[lane] = images[lane] < length;
        }
    }
    images
}

/// Writes the whole permutation of `0..order.len()`.
pub(crate) fn permute_all(order: &mut [u32], stream: Stream, seed: u64) {
    // A few vectors of any CPU.
    const LANES: usize = 16;
    let length = order.len() as u32;
    order.par_chunks_mut(LANES).enumerate().with_min_len(64).for_each(|(piece, places)| {
        simd!({
            let indices = std::array::from_fn(|lane| ((piece * LANES + lane) as u32).min(length - 1));
            let images = permute_lanes::<LANES>(indices, length, stream, seed);
            places.copy_from_slice(&images[..places.len()]);
        });
    });
}

/// Half the bits of the smallest domain with an even number of bits that holds `0..length`; at least one.
pub fn half_bits(length: u32) -> u32 {
    let bits = u32::BITS - length.saturating_sub(1).leading_zeros();
    bits.div_ceil(2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths give whole pieces and a partial one, and some images that take many walks.
    #[test]
    fn whole_permutations_match_single_indices() {
        let (stream, seed) = (Stream::Shuffle { epoch: 2 }, 11);
        for length in [1, 7, 16, 257, 1000] {
            let mut order = vec![u32::MAX; length as usize];
            permute_all(&mut order, stream, seed);
            let alone: Vec<u32> = (0..length).map(|index| permute(index, length, stream, seed)).collect();
            assert_eq!(order, alone, "{length}");
        }
    }

    #[test]
    fn permutations_are_permutations() {
        for length in [1, 2, 3, 4, 5, 16, 17, 1000, 4097] {
            let mut seen = vec![false; length as usize];
            for index in 0..length {
                seen[permute(index, length, Stream::Shuffle { epoch: 3 }, 7) as usize] = true;
            }
            assert!(seen.iter().all(|&s| s), "{length}");
        }
    }

    /// Over many seeds, every order of four and of five elements is equally frequent: chi-squared with 23 and with 119
    /// degrees of freedom stays below 49.7 and 173.6 with probability 0.999. Five is no power of four, so it covers cycle
    /// walking. It would also show the bias that even permutations alone have.
    #[test]
    fn permutations_are_uniform() {
        for length in [4u32, 5] {
            let orders: u32 = (1..=length).product();
            let mut counts = std::collections::HashMap::new();
            let draws = 400 * orders;
            for seed in 0..draws {
                let order: Vec<u32> =
                    (0..length).map(|i| permute(i, length, Stream::Shuffle { epoch: 1 }, u64::from(seed))).collect();
                *counts.entry(order).or_insert(0u32) += 1;
            }
            let chi_squared: f64 = counts.values().map(|&c| (f64::from(c) - 400.0).powi(2) / 400.0).sum::<f64>()
                + (orders as usize - counts.len()) as f64 * 400.0;
            let bound = if length == 4 { 49.7 } else { 173.6 };
            assert!(chi_squared < bound, "{length}: {chi_squared}");
        }
    }
}
