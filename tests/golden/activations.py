"""Computes `activations.safetensors`, what gpunet's activations are compared with (`tests/numerics/golden_activations.rs`), with PyTorch
in float64.

    python tests/golden/activations.py        (needs torch and safetensors)

    z                       [n] float64         pre-activations
    <name>.output           [n] float64         the activation of each
    <name>.derivative       [n] float64         and its slope there, by autograd
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

ACTIVATIONS = {
    "identity": lambda z: z * 1,
    "relu": functional.relu,
    "leaky-relu": lambda z: functional.leaky_relu(z, 0.01),
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "hard-swish": functional.hardswish,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


def main():
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(40, generator=generator, dtype=torch.float64) * 3
    z = torch.cat([torch.tensor([0.0, -1e-9, 1e-9, -30.0, 30.0], dtype=torch.float64), drawn])
    tensors = {"z": z}
    for name, activation in ACTIVATIONS.items():
        inputs = z.clone().requires_grad_()
        output = activation(inputs)
        output.sum().backward()
        tensors |= {f"{name}.output": output.detach(), f"{name}.derivative": inputs.grad}
    save_file(tensors, Path(__file__).with_name("activations.safetensors"))


if __name__ == "__main__":
    main()
