"""Times a training step of the headline network in gpunet, numpy and PyTorch on the CPU and prints a Markdown table.

    cargo build --release && python benches/headline.py [target/release/gpunet]        (needs torch and numpy)

All train in float32 with Adam on made-up examples. numpy and PyTorch get their batches ready-made as floats, while
gpunet widens its from bytes within the step. numpy is hand-written: no large array is allocated in a step, products
go through its BLAS, the update runs in cache-sized blocks. Contenders take turns, round by round, so that a busy
machine slows them all; but it does not slow them alike, and figures to quote are of an idle one.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

SIZES = [784, 3000, 2500, 2000, 1500, 1000, 500, 10]
ARCH = "-".join(map(str, SIZES))
BATCH = 256
BATCHES = 4
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
BLOCK = 1 << 14  # elements of the arena that the update handles at a time: five arrays of 64 KiB stay in the L2 cache


class NumpyNetwork:
    """Dense layers with ReLU between them, mean cross-entropy and Adam."""

    def __init__(self, parameters):
        shapes = [array.shape for array in parameters]
        self.length = sum(array.size for array in parameters)
        self.parameters = np.concatenate([array.ravel() for array in parameters])
        self.gradients, self.first_moments, self.second_moments = (np.zeros_like(self.parameters) for _ in range(3))
        values, gradients = views(self.parameters, shapes), views(self.gradients, shapes)
        self.weights, self.biases = values[::2], values[1::2]  # [out, in], [out]
        self.weight_grads, self.bias_grads = gradients[::2], gradients[1::2]
        self.outputs = [np.empty((BATCH, size), np.float32) for size in SIZES[1:]]
        self.output_grads = [np.empty_like(output) for output in self.outputs]
        self.masks = [np.empty(output.shape, bool) for output in self.outputs]
        self.scratch = np.empty(BLOCK, np.float32)
        self.steps = 0

    def step(self, inputs, labels):
        """One step on inputs [BATCH, 784] and labels [BATCH]; the mean loss before the update."""
        values = [inputs, *self.outputs]
        last = len(self.weights) - 1
        for i, (weight, bias, output) in enumerate(zip(self.weights, self.biases, self.outputs)):
            np.matmul(values[i], weight.T, out=output)
            output += bias
            if i < last:
                np.maximum(output, 0, out=output)

        # The gradient of the loss by the logits is (softmax - one-hot) / BATCH.
        logits, grad, rows = self.outputs[last], self.output_grads[last], np.arange(BATCH)
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=grad)
        sums = grad.sum(axis=1, keepdims=True)
        loss = np.log(sums).mean() - logits[rows, labels].mean()
        grad /= sums
        grad[rows, labels] -= 1
        grad /= BATCH

        for i in range(last, -1, -1):
            grad = self.output_grads[i]
            np.matmul(grad.T, values[i], out=self.weight_grads[i])
            grad.sum(axis=0, out=self.bias_grads[i])
            if i > 0:
                below, mask = self.output_grads[i - 1], self.masks[i - 1]
                np.matmul(grad, self.weights[i], out=below)
                np.greater(values[i], 0, out=mask)
                below *= mask
        self.update()
        return float(loss)

    def update(self):
        """Adam in the form of Kingma and Ba's section 2, which folds the bias corrections into rate and epsilon."""
        self.steps += 1
        root = (1 - BETA2**self.steps) ** 0.5
        rate, epsilon = LEARNING_RATE * root / (1 - BETA1**self.steps), EPSILON * root
        for start in range(0, self.length, BLOCK):
            block = slice(start, start + BLOCK)
            grad, first, second = self.gradients[block], self.first_moments[block], self.second_moments[block]
            scratch = self.scratch[: grad.size]
            first *= BETA1
            np.multiply(grad, 1 - BETA1, out=scratch)
            first += scratch
            second *= BETA2
            np.multiply(grad, grad, out=scratch)
            scratch *= 1 - BETA2
            second += scratch
            np.sqrt(second, out=scratch)
            scratch += epsilon
            np.divide(first, scratch, out=scratch)
            scratch *= rate
            self.parameters[block] -= scratch


class TorchNetwork:
    """The same with PyTorch's layers and optimizer."""

    def __init__(self, parameters, compiled=False, **adam):
        layers = []
        for inputs, outputs in zip(SIZES, SIZES[1:]):
            layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
        self.network = torch.nn.Sequential(*layers[:-1])
        with torch.no_grad():
            for tensor, array in zip(self.network.parameters(), parameters):
                tensor.copy_(torch.from_numpy(array))
        options = dict(lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON, **adam)
        self.optimizer = torch.optim.Adam(self.network.parameters(), **options)
        self.loss = torch.compile(self.mean_loss) if compiled else self.mean_loss

    def mean_loss(self, inputs, labels):
        return torch.nn.functional.cross_entropy(self.network(inputs), labels)

    def step(self, inputs, labels):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(torch.from_numpy(inputs), torch.from_numpy(labels))
        loss.backward()
        self.optimizer.step()
        return loss.item()


def views(arena, shapes):
    """Consecutive pieces of a flat array, in these shapes."""
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    return [arena[end - np.prod(shape) : end].reshape(shape) for shape, end in zip(shapes, ends)]


def he_normal(random):
    """Weight [out, in] and bias [out] of each layer."""
    parameters = []
    for inputs, outputs in zip(SIZES, SIZES[1:]):
        weight = random.standard_normal((outputs, inputs), dtype=np.float32) * np.float32((2 / inputs) ** 0.5)
        parameters += [weight, np.zeros(outputs, np.float32)]
    return parameters


def check(network, name, batches, expected):
    """The first loss is of the same parameters; the two after it show that gradients and update are the same too."""
    losses = [network.step(*batches[i]) for i in range(3)]
    for loss, reference, tolerance in zip(losses, expected, [1e-5, 1e-3, 1e-3]):
        if not abs(loss - reference) <= tolerance * abs(reference):
            sys.exit(f"{name} has losses {losses} where numpy has {expected}: nothing is timed")


def time_steps(network, batches, steps):
    """Milliseconds of each of some steps, after two to warm up."""
    times = []
    for i in range(steps + 2):
        begun = time.perf_counter()
        network.step(*batches[i % BATCHES])
        times.append((time.perf_counter() - begun) * 1e3)
    times = times[2:]
    return {"min": min(times), "median": statistics.median(times), "max": max(times)}


def time_gpunet(binary, steps):
    """The same figures by `gpunet bench`, which warms up and checks its first loss against float64 by itself."""
    command = [binary, "bench", "--device", "cpu", "--json", "--arch", ARCH, "--batch", BATCH, "--steps", steps]
    result = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return json.loads(result.stdout)["ms_per_step"]


def cpu_model():
    try:
        lines = subprocess.run(["lscpu"], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
        return next(line.split(":")[1].strip() for line in lines.splitlines() if line.startswith("Model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    arguments = argparse.ArgumentParser(description="Times a training step in gpunet, numpy and PyTorch on the CPU.")
    arguments.add_argument("gpunet", nargs="?", default="target/release/gpunet", help="the program to time")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--steps", type=int, default=5, help="timed steps of a contender in a round")
    options = arguments.parse_args()
    torch.set_num_threads(os.cpu_count())
    load = f"load {os.getloadavg()[0]:.1f} at the start, " if hasattr(os, "getloadavg") else ""

    random = np.random.default_rng(1)
    parameters = he_normal(random)
    batches = []
    for _ in range(BATCHES):
        images = random.integers(0, 256, (BATCH, SIZES[0]))
        batches.append(((images / 255).astype(np.float32), random.integers(0, SIZES[-1], BATCH)))

    numpy_network = NumpyNetwork(parameters)
    expected = [numpy_network.step(*batches[i]) for i in range(3)]
    networks = {"numpy": numpy_network}
    for name, settings in {
        "PyTorch, Adam(foreach=False)": {"foreach": False},
        "PyTorch, Adam(foreach=True)": {"foreach": True},
        "PyTorch, Adam(fused=True)": {"fused": True},
        "PyTorch, torch.compile, Adam(fused=True)": {"compiled": True, "fused": True},
    }.items():
        network = TorchNetwork(parameters, **settings)
        try:
            check(network, name, batches, expected)
        except Exception as error:  # torch.compile needs a C++ compiler
            print(f"left out {name}: {type(error).__name__}", file=sys.stderr)
            continue
        networks[name] = network

    contenders = {"gpunet": lambda: time_gpunet(options.gpunet, options.steps)}
    contenders |= {name: lambda net=net: time_steps(net, batches, options.steps) for name, net in networks.items()}
    rounds = {name: [] for name in contenders}
    for _ in range(options.rounds):
        for name, run in contenders.items():
            rounds[name].append(run())

    gpunet_version = subprocess.run([options.gpunet, "--version"], check=True, capture_output=True, text=True).stdout
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {"gpunet": gpunet_version.split()[-1], "numpy": f"{np.__version__}, {blas['name']} {blas['version']}"}
    print(f"{ARCH}, batch {BATCH}, Adam, float32, {options.rounds} rounds of {options.steps} steps  ")
    print(f"{cpu_model()}, {os.cpu_count()} cores, {load}{datetime.date.today()}, Python {platform.python_version()}\n")
    print("| contender | version | median ms/step | min | max | gpunet's median / its median |")
    print("|---|---|--:|--:|--:|--:|")
    medians = {name: statistics.median(figures["median"] for figures in all) for name, all in rounds.items()}
    for name, all in rounds.items():
        least, most = min(figures["min"] for figures in all), max(figures["max"] for figures in all)
        numbers = f"{medians[name]:.1f} | {least:.1f} | {most:.1f} | {medians['gpunet'] / medians[name]:.2f}"
        print(f"| {name} | {versions.get(name, torch.__version__)} | {numbers} |")


if __name__ == "__main__":
    main()
