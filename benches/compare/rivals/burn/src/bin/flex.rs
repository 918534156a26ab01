//! Burn's CPU backend.

fn main() -> anyhow::Result<()> {
    rival_burn::serve(burn::tensor::Device::flex())
}
