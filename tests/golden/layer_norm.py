"""Computes `layer_norm_<network>.safetensors`, what gpunet's layer normalization is compared with, with PyTorch in float64.

    python tests/golden/layer_norm.py        (needs torch and safetensors)

Inputs and starting parameters are exact: bytes, and float32 values widened. Everything else is rounded in float64 only. The
inputs are byte / 128 - 1. A layer normalization has its own number <i>, as every layer with parameters does. Its weight and its
bias have the shape of an example, [features] or [channels, height, width]. The layer before it has no bias.

    images                  [64, pixels] uint8
    labels                  [64] uint8
    layers.<i>.<part>       float32             starting parameters
    logits                  [23, classes]       of the first 23 examples
    loss                    []                  their mean cross-entropy
    grad.layers.<i>.<part>                      its gradient
    sgd.losses              [10]                mean loss of each of ten steps, before the step's update
    sgd.layers.<i>.<part>                       parameters after ten steps
    eval.logits             [23, classes]       of the first 23 examples after them
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

EXAMPLES = 64
BATCH = 23  # odd; a pass over the examples is batches of 23, 23 and 18
STEPS = 10
RATE = 0.05

# Two examples of the first batch for which epsilon matters. The inputs of the constant one are 0, and so is its variance before
# the first normalization. The inputs of the faint one are -1/128, 0 or 1/128, and its variance is 5 to 8 times epsilon.
CONSTANT_EXAMPLE = 1
FAINT_EXAMPLE = 2

# No pre-activation comes nearer to ReLU's kink, and the two largest values of a pooling window no nearer to each other. Float32
# shifts them by less.
LEAST_DISTANCE = 1e-4

# Name, shape of an image, and layers.
NETWORKS = {
    # 20-12-LN-7-LN-5, with activations relu and tanh
    "dense": (
        (20,),
        lambda: nn.Sequential(
            nn.Linear(20, 12, bias=False),
            nn.LayerNorm(12),
            nn.ReLU(),
            nn.Linear(12, 7, bias=False),
            nn.LayerNorm(7),
            nn.Tanh(),
            nn.Linear(7, 5),
        ),
    ),
    # 2x6x5-3C3p1-LN-MP2-4C2p1-LN-3, with activations gelu and relu
    "maps": (
        (2, 6, 5),
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1, bias=False),
            nn.LayerNorm([3, 6, 5]),
            nn.GELU(),
            nn.MaxPool2d(2),  # leaves out the last of five columns
            nn.Conv2d(3, 4, 2, padding=1, bias=False),
            nn.LayerNorm([4, 4, 3]),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(48, 3),
        ),
    ),
}


def draw_images(pixels, generator):
    images = torch.randint(0, 256, (EXAMPLES, pixels), dtype=torch.uint8, generator=generator)
    images[CONSTANT_EXAMPLE] = 128  # inputs of 0
    images[FAINT_EXAMPLE] = torch.randint(127, 130, (pixels,), dtype=torch.uint8, generator=generator)
    return images


def draw_parameters(network, generator):
    """A float32 tensor for each parameter: {gpunet's name: (name in the network, values)}.

    Weights are normal with variance 2 / fan_in, and biases normal with deviation 0.1. A layer normalization's weights differ from
    1, and its biases from 0, by 0.2 to 0.5, so that a test sees each of them.
    """
    drawn = {}
    weighted = [(position, layer) for position, layer in enumerate(network) if list(layer.parameters())]
    for number, (position, layer) in enumerate(weighted):
        for part, values in layer.named_parameters():
            if isinstance(layer, nn.LayerNorm):
                sign = 2.0 * torch.randint(0, 2, values.shape, generator=generator) - 1
                away = sign * (0.2 + 0.3 * torch.rand(values.shape, generator=generator))
                start = away + (1 if part == "weight" else 0)
            elif part == "weight":
                start = torch.randn(values.shape, generator=generator) * (2 / values[0].numel()) ** 0.5
            else:
                start = torch.randn(values.shape, generator=generator) * 0.1
            drawn[f"layers.{number}.{part}"] = (f"{position}.{part}", start)
    return drawn


def forward(network, values):
    """Logits [batch, classes]; asserts that no value is near a kink or a tie."""
    for layer in network:
        if isinstance(layer, nn.ReLU):
            check_distance(values.abs())
        elif isinstance(layer, nn.MaxPool2d):
            size = layer.kernel_size
            windows = values.unfold(2, size, size).unfold(3, size, size).flatten(4)
            first, second = windows.topk(2, dim=4).values.unbind(4)
            check_distance(first - second)
        values = layer(values)
    return values


def check_distance(distances):
    least = distances.min().item()
    assert least >= LEAST_DISTANCE, f"a kink or a tie is {least:e} away: take another seed"


def compute(shape, make, seed):
    generator = torch.Generator().manual_seed(seed)
    images = draw_images(torch.Size(shape).numel(), generator)
    network = make().double()
    drawn = draw_parameters(network, generator)
    network.load_state_dict(dict(drawn.values()))
    parameters = {name: network.get_parameter(path) for name, (path, _) in drawn.items()}
    inputs = (images.double() / 128 - 1).reshape(EXAMPLES, *shape)
    classes = network[-1].out_features
    labels = torch.randint(0, classes, (EXAMPLES,), generator=generator)
    tensors = {"images": images, "labels": labels.to(torch.uint8)} | {name: start for name, (_, start) in drawn.items()}

    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    losses = []
    starts = list(range(0, EXAMPLES, BATCH))
    for step in range(STEPS):
        batch = slice(starts[step % len(starts)], starts[step % len(starts)] + BATCH)
        logits = forward(network, inputs[batch])
        loss = functional.cross_entropy(logits, labels[batch])
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            tensors |= {"logits": logits.detach(), "loss": loss.detach()}
            tensors |= {f"grad.{name}": values.grad.clone() for name, values in parameters.items()}
        optimizer.step()
        losses.append(loss.item())
    tensors["sgd.losses"] = torch.tensor(losses, dtype=torch.float64)
    tensors |= {f"sgd.{name}": values.detach() for name, values in parameters.items()}
    tensors["eval.logits"] = forward(network, inputs[:BATCH]).detach()
    return {name: values.contiguous() for name, values in tensors.items()}


def main():
    torch.set_num_threads(1)  # one order of summation
    for name, (shape, make) in NETWORKS.items():
        for seed in range(1, 100):
            try:
                tensors = compute(shape, make, seed)
            except AssertionError as error:
                print(f"{name}, seed {seed}: {error}")
                continue
            save_file(tensors, Path(__file__).with_name(f"layer_norm_{name}.safetensors"))
            break
        else:
            raise SystemExit(f"no seed will do for {name}")


if __name__ == "__main__":
    main()
