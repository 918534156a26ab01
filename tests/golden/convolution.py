"""Computes `convolution_<network>.safetensors`, what gpunet's convolutional networks are compared with
(`tests/numerics/golden_convolution.rs`), with PyTorch in float64.

    python tests/golden/convolution.py        (needs torch and safetensors)

Inputs and starting parameters are exact: bytes, and float32 values widened. Everything else is rounded in float64 only. The
bytes are of images whose mean is taken off, so that values of both signs meet the padding's zeros: inputs are byte / 128 - 1.

    images                  [64, pixels] uint8
    labels                  [64] uint8
    layers.<i>.<part>       float32             starting parameters, running statistics of batch normalizations among them
    logits                  [24, classes]       of the first 24 examples, in training
    loss                    []                  their mean cross-entropy
    grad.layers.<i>.<part>                      its gradient
    sgd.losses              [10]                mean loss of each of ten steps, before the step's update
    sgd.layers.<i>.<part>                       parameters and running statistics after ten steps
    eval.logits             [24, classes]       of the first 24 examples after them, with the running statistics
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional

EXAMPLES = 64
BATCH = 24  # a pass over the examples is batches of 24, 24 and 16
STEPS = 10
RATE = 0.05

# No pre-activation comes nearer to ReLU's kink, and no two values of a pooling window to each other, than float32 could change.
LEAST_DISTANCE = 2e-6

# Name, shape of an image, and layers: (kind, ..) as gpunet's notation has them.
NETWORKS = {
    # 1x9x8-4C3p1-MP2-5C3s2p1-6-3
    "pooling": ((1, 9, 8), [("C", 4, 3, 1, 1), ("MP", 2, 2, 0), ("C", 5, 3, 2, 1), ("D", 6), ("D", 3)]),
    # 2x7x8-4C3s2p2-BN-AP2s1-3C2-BN-MP3s2p1-7-BN-3
    "normalized": (
        (2, 7, 8),
        [("C", 4, 3, 2, 2), ("BN",), ("AP", 2, 1, 0), ("C", 3, 2, 1, 0), ("BN",), ("MP", 3, 2, 1), ("D", 7), ("BN",), ("D", 3)],
    ),
    # 3x6x5-5C3-4C1-GAP
    "global": ((3, 6, 5), [("C", 5, 3, 1, 0), ("C", 4, 1, 1, 0), ("GAP",)]),
}


class Network:
    """The layers, and the shapes of their parameters; names count the layers that have some."""

    def __init__(self, shape, layers, generator):
        self.layers = layers
        self.start = {}
        values = torch.zeros(1, *shape)
        number = 0
        for position, layer in enumerate(layers):
            normalized = layers[position + 1 : position + 2] == [("BN",)]
            scope = f"layers.{number}"
            if layer[0] in ("C", "D"):
                inputs = values.shape[1] if layer[0] == "C" else values[0].numel()
                kernel = (layer[2], layer[2]) if layer[0] == "C" else ()
                fan_in = inputs * (layer[2] ** 2 if kernel else 1)
                self.start[f"{scope}.weight"] = torch.randn(layer[1], inputs, *kernel, generator=generator) * (2 / fan_in) ** 0.5
                if not normalized:
                    self.start[f"{scope}.bias"] = torch.randn(layer[1], generator=generator) * 0.1
                number += 1
            elif layer[0] == "BN":
                channels = values.shape[1]
                self.start[f"{scope}.weight"] = torch.rand(channels, generator=generator) + 0.5
                self.start[f"{scope}.bias"] = torch.randn(channels, generator=generator) * 0.1
                self.start[f"{scope}.running_mean"] = torch.zeros(channels)
                self.start[f"{scope}.running_var"] = torch.ones(channels)
                number += 1
            values = self.forward(torch.zeros(1, *shape), self.start, False, layers[: position + 1])

    def forward(self, values, parameters, training, layers=None):
        """Logits [batch, classes]; running statistics change in training."""
        layers = self.layers if layers is None else layers
        weighted = [position for position, layer in enumerate(self.layers) if layer[0] in ("C", "D")]
        number = 0
        for position, layer in enumerate(layers):
            normalized = self.layers[position + 1 : position + 2] == [("BN",)]
            of = lambda part: parameters.get(f"layers.{number}.{part}")
            hidden = position < weighted[-1]
            if layer[0] == "C":
                values = functional.conv2d(values, of("weight"), of("bias"), stride=layer[3], padding=layer[4])
            elif layer[0] == "D":
                values = functional.linear(values.flatten(1), of("weight"), of("bias"))
            elif layer[0] == "BN":
                mean, var = of("running_mean"), of("running_var")
                values = functional.batch_norm(values, mean, var, of("weight"), of("bias"), training=training, momentum=0.1, eps=1e-5)
            elif layer[0] == "MP":
                if training:
                    self.check_windows(values, layer)
                values = functional.max_pool2d(values, layer[1], layer[2], layer[3])
            elif layer[0] == "AP":
                values = functional.avg_pool2d(values, layer[1], layer[2], layer[3])
            elif layer[0] == "GAP":
                values = values.mean((2, 3))
            if layer[0] in ("C", "D", "BN"):
                number += 1
                if hidden and not normalized:
                    distance = values.abs().min().item()
                    assert not training or distance >= LEAST_DISTANCE, f"a pre-activation is {distance:e}: take another seed"
                    values = functional.relu(values)
        return values

    @staticmethod
    def check_windows(values, layer):
        padded = functional.pad(values, (layer[3],) * 4, value=float("-inf"))
        windows = padded.unfold(2, layer[1], layer[2]).unfold(3, layer[1], layer[2]).flatten(4)
        first, second = windows.topk(2, dim=4).values.unbind(4)
        gap = (first - second)[first > 0]  # where ReLU cut all off, the first of equals is chosen on both sides
        assert gap.min().item() >= LEAST_DISTANCE, f"two values of a window differ by {gap.min().item():e}: take another seed"


def compute(shape, layers, seed):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.Size(shape).numel()
    images = torch.randint(0, 256, (EXAMPLES, pixels), dtype=torch.uint8, generator=generator)
    network = Network(shape, layers, generator)
    classes = next(layer[1] for layer in reversed(layers) if layer[0] in ("C", "D"))
    labels = torch.randint(0, classes, (EXAMPLES,), generator=generator)
    inputs = (images.double() / 128 - 1).reshape(EXAMPLES, *shape)
    tensors = {"images": images, "labels": labels.to(torch.uint8), **network.start}

    def begin():
        trainable = lambda name: "running" not in name
        return {n: v.double().requires_grad_(trainable(n)) for n, v in network.start.items()}

    parameters = begin()
    logits = network.forward(inputs[:BATCH], parameters, True)
    loss = functional.cross_entropy(logits, labels[:BATCH])
    loss.backward()
    tensors |= {"logits": logits.detach(), "loss": loss.detach()}
    tensors |= {f"grad.{name}": values.grad for name, values in parameters.items() if values.grad is not None}

    parameters = begin()
    optimizer = torch.optim.SGD([values for values in parameters.values() if values.requires_grad], lr=RATE)
    losses = []
    starts = list(range(0, EXAMPLES, BATCH))
    for step in range(STEPS):
        batch = slice(starts[step % len(starts)], starts[step % len(starts)] + BATCH)
        loss = functional.cross_entropy(network.forward(inputs[batch], parameters, True), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    tensors["sgd.losses"] = torch.tensor(losses, dtype=torch.float64)
    tensors |= {f"sgd.{name}": values.detach() for name, values in parameters.items()}
    tensors["eval.logits"] = network.forward(inputs[:BATCH], parameters, False).detach()
    return {name: values.contiguous() for name, values in tensors.items()}


def main():
    torch.set_num_threads(1)  # one order of summation
    for name, (shape, layers) in NETWORKS.items():
        for seed in range(1, 100):
            try:
                tensors = compute(shape, layers, seed)
            except AssertionError as error:
                print(f"{name}, seed {seed}: {error}")
                continue
            save_file(tensors, Path(__file__).with_name(f"convolution_{name}.safetensors"))
            break
        else:
            raise SystemExit(f"no seed will do for {name}")


if __name__ == "__main__":
    main()
