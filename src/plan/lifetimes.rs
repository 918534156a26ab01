//! Buffer sharing between activations, gradients of activations and partial sums: a buffer is free again after the last
//! use of its tensor.

use std::ops::RangeInclusive;

use super::{BufferInfo, Phase, Plan, Role, Tensor};
use crate::kernels::kernel::Access;

/// For each phase, the launches during which a tensor holds a value: from the first write to the last use.
type Lifetime = [Option<RangeInclusive<usize>>; 3];

fn overlap(a: &Lifetime, b: &Lifetime) -> bool {
    let both = a.iter().zip(b).filter_map(|(a, b)| Some((a.as_ref()?, b.as_ref()?)));
    both.into_iter().any(|(a, b)| a.start() <= b.end() && b.start() <= a.end())
}

/// A buffer that several tensors use one after another.
struct Shared {
    info: BufferInfo,
    lifetimes: Vec<Lifetime>,
}

impl Plan {
    /// The same plan with temporary tensors (activations, their gradients, partial sums) in shared buffers. No two
    /// tensors of a buffer hold a value at the same time. After a step, only those in `kept` can be read.
    pub fn with_shared_buffers(mut self, kept: &[Tensor]) -> Plan {
        let mut sharing: Vec<(Tensor, Lifetime)> = self
            .tensors()
            .filter(|(tensor, info)| matches!(info.role, Role::Activation | Role::Grad) && !kept.contains(tensor))
            .filter(|(_, info)| self.tensors.iter().filter(|other| other.buffer == info.buffer).count() == 1)
            .filter_map(|(tensor, _)| Some((tensor, self.lifetime(tensor)?)))
            .collect();
        // Largest first, so that smaller tensors fit into existing buffers.
        sharing.sort_by_key(|(tensor, _)| std::cmp::Reverse(self.tensor(*tensor).len()));

        let mut shared: Vec<Shared> = Vec::new();
        let mut places = Vec::new();
        for (tensor, lifetime) in sharing {
            let info = self.tensor(tensor);
            let free = |buffer: &Shared| {
                buffer.info.dtype == info.dtype && !buffer.lifetimes.iter().any(|other| overlap(other, &lifetime))
            };
            let place = shared.iter().position(free).unwrap_or(shared.len());
            if place == shared.len() {
                let name = format!("activations {place}");
                let info = BufferInfo { name, len: info.len(), dtype: info.dtype, role: Role::Activation };
                shared.push(Shared { info, lifetimes: Vec::new() });
            }
            shared[place].lifetimes.push(lifetime);
            places.push((tensor, place));
        }
        self.move_to(shared.into_iter().map(|buffer| buffer.info).collect(), &places);
        self
    }

    /// When a tensor holds a value. `None` if it must keep its value between steps: if a phase reads it before writing
    /// it, or if the launches that use it do not all run in the same steps.
    fn lifetime(&self, tensor: Tensor) -> Option<Lifetime> {
        if self.constants.iter().any(|(constant, _)| *constant == tensor) {
            return None;
        }
        let mut lifetime = Lifetime::default();
        for phase in Phase::ALL {
            let launches = self.launches(phase).iter().enumerate();
            let uses: Vec<_> = launches.filter(|(_, launch)| launch.args.contains(&tensor)).collect();
            let (Some((first, writer)), Some((last, _))) = (uses.first(), uses.last()) else { continue };
            let slots = writer.kernel.slots.iter().zip(&writer.args).filter(|(_, arg)| **arg == tensor);
            let is_written = slots.map(|(slot, _)| slot.access).all(|access| access == Access::Write);
            if !is_written || uses.iter().any(|(_, launch)| launch.when != writer.when) {
                return None;
            }
            lifetime[phase as usize] = Some(*first..=*last);
        }
        Some(lifetime)
    }

    /// Moves tensors to the new buffers, given by index, and drops the buffers that they leave.
    fn move_to(&mut self, new: Vec<BufferInfo>, places: &[(Tensor, usize)]) {
        let left: Vec<usize> = places.iter().map(|(tensor, _)| self.tensor(*tensor).buffer).collect();
        let stays: Vec<usize> = (0..self.buffers.len()).filter(|buffer| !left.contains(buffer)).collect();
        for (number, info) in self.tensors.iter_mut().enumerate() {
            let place = places.iter().find(|(tensor, _)| tensor.0 == number).map(|(_, place)| stays.len() + place);
            let stayed = stays.iter().position(|&buffer| buffer == info.buffer);
            info.buffer = place.or(stayed).expect("a tensor moves or stays");
        }
        self.buffers = stays.into_iter().map(|buffer| self.buffers[buffer].clone()).chain(new).collect();
    }
}
