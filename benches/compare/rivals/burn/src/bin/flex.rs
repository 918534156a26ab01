//! On the CPU.

fn main() -> anyhow::Result<()> {
    rival_burn::serve(burn::tensor::Device::flex())
}
