//! Burn's CUDA backend, on the first NVIDIA GPU.

fn main() -> anyhow::Result<()> {
    rival_burn::serve(burn::tensor::Device::cuda(0))
}
