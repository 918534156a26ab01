"""Computes `dense.safetensors`, what gpunet's training is compared with (`tests/golden.rs`), with PyTorch in float64.

    python tests/golden/make.py        (needs torch and safetensors)

Inputs and starting parameters are exact: bytes, and float32 values widened. Everything else is rounded in float64
only, so that what gpunet's float32 differs by is gpunet's.

    images                  [64, 20] uint8      the network's inputs are byte / 255
    labels                  [64] uint8
    layers.<i>.<part>       float32             starting parameters; <part> is `weight` [out, in] or `bias` [out]
    logits                  [32, 7]             of the first 32 examples
    loss                    []                  their mean cross-entropy
    grad.layers.<i>.<part>                      its gradient
    adam.losses             [10]                mean loss of each of ten steps, before the step's update
    adam.layers.<i>.<part>                      parameters after ten steps; likewise `sgd.`
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy, linear, relu

SIZES = [20, 17, 13, 7]  # odd, so that no tile or vector divides them
EXAMPLES = 64
GRADIENT_BATCH = 32
TRAINING_BATCH = 24  # a pass over the examples is batches of 24, 24 and 16
STEPS = 10
SEED = 2

# No pre-activation comes nearer to ReLU's kink than this, about 100 times what float32 can shift it by: a unit that is
# on in one precision and off in the other would change gradients by more than any tolerance.
LEAST_KINK_DISTANCE = 1e-4


def draw_parameters(sizes, generator):
    """Float32 values: weights normal with variance 2 / fan_in (He et al., 2015), biases normal with deviation 0.1."""
    parameters = {}
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weight = torch.randn(outputs, inputs, generator=generator) * (2 / inputs) ** 0.5
        bias = torch.randn(outputs, generator=generator) * 0.1
        parameters |= {f"layers.{layer}.weight": weight, f"layers.{layer}.bias": bias}
    return parameters


def forward(parameters, inputs):
    """Logits [batch, outputs] for inputs [batch, inputs]."""
    values = inputs
    last = len(parameters) // 2 - 1  # a weight and a bias per layer
    for layer in range(last + 1):
        values = linear(values, parameters[f"layers.{layer}.weight"], parameters[f"layers.{layer}.bias"])
        if layer < last:
            distance = values.abs().min().item()
            assert distance >= LEAST_KINK_DISTANCE, f"a pre-activation is {distance:e}: take another seed"
            values = relu(values)
    return values


def trainable(parameters):
    """A float64 copy of the starting parameters that collects gradients."""
    return {name: values.double().requires_grad_() for name, values in parameters.items()}


def train(parameters, optimizer, inputs, labels):
    """Ten steps over batches in the order of the examples; the mean loss of each, before its update."""
    starts = list(range(0, EXAMPLES, TRAINING_BATCH))
    losses = []
    for step in range(STEPS):
        start = starts[step % len(starts)]
        batch = slice(start, start + TRAINING_BATCH)  # slicing cuts the pass's last batch short
        loss = cross_entropy(forward(parameters, inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64)


def start(sizes=SIZES, seed=SEED):
    """Images, labels and starting parameters."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (EXAMPLES, sizes[0]), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, sizes[-1], (EXAMPLES,), generator=generator)
    return images, labels, draw_parameters(sizes, generator)


def main():
    torch.set_num_threads(1)  # one order of summation
    images, labels, begun = start()
    inputs = images.double() / 255
    tensors = {"images": images, "labels": labels.to(torch.uint8), **begun}

    parameters = trainable(begun)
    logits = forward(parameters, inputs[:GRADIENT_BATCH])
    loss = cross_entropy(logits, labels[:GRADIENT_BATCH])
    loss.backward()
    tensors |= {"logits": logits.detach(), "loss": loss.detach()}
    tensors |= {f"grad.{name}": values.grad for name, values in parameters.items()}

    for optimizer, make in {
        "adam": lambda values: torch.optim.Adam(values, lr=0.01, betas=(0.9, 0.999), eps=1e-8),
        "sgd": lambda values: torch.optim.SGD(values, lr=0.1),
    }.items():
        parameters = trainable(begun)
        losses = train(parameters, make(list(parameters.values())), inputs, labels)
        tensors[f"{optimizer}.losses"] = losses
        tensors |= {f"{optimizer}.{name}": values.detach() for name, values in parameters.items()}

    save_file(tensors, Path(__file__).with_name("dense.safetensors"))


if __name__ == "__main__":
    main()
