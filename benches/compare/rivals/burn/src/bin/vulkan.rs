//! Burn's Vulkan backend (SPIR-V), on the adapter that Burn chooses.

fn main() -> anyhow::Result<()> {
    rival_burn::serve(burn::tensor::Device::vulkan(Default::default()))
}
