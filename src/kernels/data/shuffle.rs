//! The order of an epoch, drawn on the device.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, params};
use crate::kernels::step::Step;
use crate::kernels::{AWKWARD_LENGTHS, flat_grid, wgsl};
use crate::math::random::{Stream, half_bits, permute_all};
use crate::math::real::Real;

params! {
    /// `order[i]` becomes the image of `i` under a random permutation of `0..count`, a function of seed and epoch.
    pub struct Shuffle {
        /// Number of examples to put in order.
        pub count: u32,
        /// Half the bits of the Feistel network's domain, [`half_bits`].
        pub half_bits: u32,
    }
}

impl Shuffle {
    /// Shuffles the first `count` entries of an order.
    pub fn new(count: u32) -> Shuffle {
        Shuffle { count, half_bits: half_bits(count) }
    }
}

impl KernelSpec for Shuffle {
    const NAME: &'static str = "shuffle";
    const WGSL: &'static str = wgsl!("data/shuffle", "shared/step", "shared/linear", "shared/philox");
    const SLOTS: &'static [Slot] = &[Slot::write("order", DType::U32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.count as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.count as usize]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let seed = u64::from(step.seed_high) << 32 | u64::from(step.seed_low);
        let stream = Stream::Shuffle { epoch: step.epoch };
        let order = &mut arguments.integers_mut(0)[..self.count as usize];
        permute_all(order, stream, seed);
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::Poison])
    }

    fn cases() -> Vec<Case> {
        let step = Step { seed_low: 0x9E37_79B9, seed_high: 0x7F4A_7C15, epoch: 3, ..Step::default() };
        AWKWARD_LENGTHS
            .into_iter()
            .chain([2, 3, 4, 5, 55_000])
            .map(|count| Shuffle::new(count as u32).case(format!("count {count}")).step(step))
            .collect()
    }
}
