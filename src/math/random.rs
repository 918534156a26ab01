//! Counter-based random numbers: a pure function of (seed, stream, epoch or tensor, index).
//!
//! The generator is Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//! `shaders/shared/philox.wgsl` contains the same function. Nothing depends on the order of calls. So results are the
//! same on every device and with any number of threads, and resuming needs no generator state.

mod permutation;

use std::convert::Infallible;

use rand::TryRng;

#[cfg(test)]
pub(crate) use permutation::FEISTEL_ROUNDS;
pub(crate) use permutation::permute_all;
pub use permutation::{half_bits, permute};

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Philox4x32 with ten rounds: four random words from a counter and a key.
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let product0 = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let product1 = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [
            (product1 >> 32) as u32 ^ counter[1] ^ key[0],
            product1 as u32,
            (product0 >> 32) as u32 ^ counter[3] ^ key[1],
            product0 as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// [`philox`] for `N` counters at once: word `w` of counter `i` is `counters[w][i]`.
///
/// Words stay 64 bits wide between rounds, and their high halves are ignored. This spares packing and unpacking
/// vectors.
#[inline(always)]
pub(crate) fn philox_lanes<const N: usize>(counters: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    const LOW: u64 = u32::MAX as u64;
    let mut wide = [[0; N]; 4];
    for (wide, counters) in wide.iter_mut().zip(&counters) {
        for (wide, &counter) in wide.iter_mut().zip(counters) {
            *wide = u64::from(counter);
        }
    }
    for _ in 0..10 {
        let mut next = [[0; N]; 4];
        for lane in 0..N {
            let product0 = u64::from(MULTIPLIERS[0]) * (wide[0][lane] & LOW);
            let product1 = u64::from(MULTIPLIERS[1]) * (wide[2][lane] & LOW);
            next[0][lane] = product1 >> 32 ^ wide[1][lane] ^ u64::from(key[0]);
            next[1][lane] = product1;
            next[2][lane] = product0 >> 32 ^ wide[3][lane] ^ u64::from(key[1]);
            next[3][lane] = product0;
        }
        wide = next;
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    let mut words = [[0; N]; 4];
    for (words, wide) in words.iter_mut().zip(&wide) {
        for (word, &wide) in words.iter_mut().zip(wide) {
            *word = wide as u32;
        }
    }
    words
}

/// The purpose of random numbers. Each purpose has its own stream, so that no two share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The order of the training examples in an epoch.
    Shuffle {
        /// Epoch, from 1.
        epoch: u32,
    },
    /// The split of the training data into training set and validation set.
    Split,
    /// Initial values of the parameter tensor with this number.
    Init(u32),
    /// Inputs of parity cases, by slot number.
    ParityCase(u32),
    /// Synthetic examples for benchmarks.
    Benchmark,
    /// Which values dropout keeps at one site of the network, by the example's position and the column.
    Dropout {
        /// Number of the site, below 2^24.
        site: u32,
        /// Epoch, from 1.
        epoch: u32,
    },
}

impl Stream {
    /// The two counter words that identify the stream. WGSL kernels contain the first one as a literal.
    pub const fn words(self) -> [u32; 2] {
        match self {
            Stream::Shuffle { epoch } => [0, epoch],
            Stream::Split => [1, 0],
            Stream::Init(tensor) => [2, tensor],
            Stream::ParityCase(slot) => [3, slot],
            Stream::Benchmark => [4, 0],
            Stream::Dropout { site, epoch } => [5 | site << 8, epoch],
        }
    }
}

fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// A uniform number in `[0, 1)` with 24 random bits.
pub fn unit(stream: Stream, seed: u64, index: u64) -> f32 {
    let [low, high] = stream.words();
    let word = philox([index as u32, (index >> 32) as u32, low, high], key(seed))[0];
    (word >> 8) as f32 * 2.0f32.powi(-24)
}

/// The generator for one element. A distribution may draw any number of words from it without affecting other elements.
///
/// A stream has at most 2^32 elements.
pub struct ElementRng {
    counter: [u32; 4],
    key: [u32; 2],
    block: [u32; 4],
    used: usize,
}

impl ElementRng {
    /// The generator of element `index` of `stream`.
    pub fn new(stream: Stream, seed: u64, index: u32) -> ElementRng {
        let [low, high] = stream.words();
        ElementRng { counter: [index, 0, low, high], key: key(seed), block: [0; 4], used: 4 }
    }

    /// The generators of elements `first..first + N`. The first block of each is already drawn, all in one vectorized
    /// call: drawing blocks one by one takes longer than everything that a distribution computes from them.
    #[inline(always)]
    pub(crate) fn side_by_side<const N: usize>(
        stream: Stream,
        seed: u64,
        first: u32,
    ) -> impl Iterator<Item = ElementRng> {
        let ([low, high], key) = (stream.words(), key(seed));
        let indices = std::array::from_fn(|lane| first.wrapping_add(lane as u32));
        let words = philox_lanes::<N>([indices, [0; N], [low; N], [high; N]], key);
        (0..N).map(move |lane| {
            let block = [words[0][lane], words[1][lane], words[2][lane], words[3][lane]];
            ElementRng { counter: [indices[lane], 1, low, high], key, block, used: 0 }
        })
    }
}

impl TryRng for ElementRng {
    type Error = Infallible;

    #[inline(always)]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        if self.used == self.block.len() {
            self.block = philox(self.counter, self.key);
            self.counter[1] += 1;
            self.used = 0;
        }
        self.used += 1;
        Ok(self.block[self.used - 1])
    }

    #[inline(always)]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = self.try_next_u32()?;
        let high = self.try_next_u32()?;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers from the Random123 distribution, `kat_vectors`, lines `philox4x32 10`.
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn lanes_match_single_calls() {
        let counters: [[u32; 5]; 4] = std::array::from_fn(|w| std::array::from_fn(|i| (w * 1000 + i * 77) as u32));
        let words = philox_lanes(counters, [3, 4]);
        for lane in 0..5 {
            assert_eq!(words.map(|word| word[lane]), philox(counters.map(|word| word[lane]), [3, 4]));
        }
    }

    #[test]
    fn side_by_side_generators_match_single_ones() {
        let stream = Stream::Init(3);
        let together = ElementRng::side_by_side::<5>(stream, 1 << 32 | 9, 40);
        for (mut rng, index) in together.zip(40..) {
            let mut alone = ElementRng::new(stream, 1 << 32 | 9, index);
            for _ in 0..9 {
                assert_eq!(rng.try_next_u32(), alone.try_next_u32());
            }
        }
    }

    #[test]
    fn units_fill_the_interval() {
        let mean: f64 = (0..10_000).map(|i| f64::from(unit(Stream::Benchmark, 1, i))).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 4.0 * (1.0f64 / 12.0 / 10_000.0).sqrt(), "{mean}");
    }
}
