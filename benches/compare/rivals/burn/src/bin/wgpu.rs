//! Burn's wgpu backend (WGSL), on the adapter that Burn chooses.

fn main() -> anyhow::Result<()> {
    rival_burn::serve(burn::tensor::Device::wgpu(Default::default()))
}
