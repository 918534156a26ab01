//! By SPIR-V, on the adapter that Burn picks.

fn main() -> anyhow::Result<()> {
    rival_burn::serve(burn::tensor::Device::vulkan(Default::default()))
}
