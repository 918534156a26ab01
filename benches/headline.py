"""Times a training step of the headline network in gpunet, numpy and PyTorch on the CPU and prints a Markdown table.

    cargo build --release && python benches/headline.py [target/release/gpunet]        (Linux; needs torch and numpy)

All train in float32 with Adam on made-up examples. numpy and PyTorch get their batches ready-made as floats, while
gpunet widens its from bytes within the step. numpy is hand-written: no large array is allocated in a step, products
go through its BLAS, the update runs in cache-sized blocks. Contenders take turns, round by round, so that a busy
machine slows them all; but it does not slow them alike, and figures to quote are of an idle one.
"""

import json
import os
import platform
import re
import subprocess
import sys
import time

import numpy as np
import torch

SIZES = [784, 3000, 2500, 2000, 1500, 1000, 500, 10]
ARCH = "-".join(map(str, SIZES))
BATCH, BATCHES = 256, 4
ROUNDS, STEPS = 5, 5  # timed steps of a contender in each round
TORCH = {  # arguments of TorchNetwork; which of them is the fastest depends on the machine
    "PyTorch eager, Adam": {"foreach": False},
    "PyTorch eager, Adam(foreach=True)": {"foreach": True},
    "PyTorch eager, Adam(fused=True)": {"fused": True},
    "PyTorch compiled, Adam(fused=True)": {"compiled": True, "fused": True},
}
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
BLOCK = 1 << 14  # parameters that the update handles at a time: five arrays of 64 KiB stay in the L2 cache


class NumpyNetwork:
    """Dense layers with ReLU between them, mean cross-entropy and Adam."""

    def __init__(self, parameters):
        self.parameters = np.concatenate([array.ravel() for array in parameters])
        self.gradients, self.first_moments, self.second_moments = (np.zeros_like(self.parameters) for _ in range(3))
        values, gradients = (views(arena, parameters) for arena in (self.parameters, self.gradients))
        self.weights, self.biases = values[::2], values[1::2]  # [out, in], [out]
        self.weight_grads, self.bias_grads = gradients[::2], gradients[1::2]
        self.outputs = [np.empty((BATCH, size), np.float32) for size in SIZES[1:]]
        self.output_grads = [np.empty_like(output) for output in self.outputs]
        self.scratch, self.steps = np.empty(BLOCK, np.float32), 0

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
        logits, rows = self.outputs[last], np.arange(BATCH)
        logits -= logits.max(axis=1, keepdims=True)
        grad = np.exp(logits, out=self.output_grads[last])
        sums = grad.sum(axis=1, keepdims=True)
        loss = np.log(sums).mean() - logits[rows, labels].mean()
        grad /= sums * BATCH
        grad[rows, labels] -= 1 / BATCH

        for i, grad in reversed([*enumerate(self.output_grads)]):
            np.matmul(grad.T, values[i], out=self.weight_grads[i])
            grad.sum(axis=0, out=self.bias_grads[i])
            if i > 0:
                below = np.matmul(grad, self.weights[i], out=self.output_grads[i - 1])
                # ReLU's derivative takes the place of its output, which has been used for the last time.
                below *= np.greater(values[i], 0, out=values[i], casting="unsafe")
        self.update()
        return float(loss)

    def update(self):
        """Adam in the form of Kingma and Ba's section 2, which folds the bias corrections into rate and epsilon."""
        self.steps += 1
        root = (1 - BETA2**self.steps) ** 0.5
        rate, epsilon = LEARNING_RATE * root / (1 - BETA1**self.steps), EPSILON * root
        for start in range(0, self.parameters.size, BLOCK):
            block = slice(start, start + BLOCK)
            grad, first, second = self.gradients[block], self.first_moments[block], self.second_moments[block]
            scratch = self.scratch[: grad.size]
            first *= BETA1
            first += np.multiply(grad, 1 - BETA1, out=scratch)
            second *= BETA2
            np.multiply(grad, grad, out=scratch)
            second += np.multiply(scratch, 1 - BETA2, out=scratch)
            np.sqrt(second, out=scratch)
            scratch += epsilon
            np.divide(first, scratch, out=scratch)
            self.parameters[block] -= np.multiply(scratch, rate, out=scratch)


class TorchNetwork:
    """The same with PyTorch's layers and optimizer."""

    def __init__(self, parameters, compiled=False, **adam):
        layers = [torch.nn.Linear(inputs, outputs) for inputs, outputs in zip(SIZES, SIZES[1:])]
        network = torch.nn.Sequential(*[module for layer in layers for module in (layer, torch.nn.ReLU())][:-1])
        for tensor, array in zip(network.parameters(), parameters):
            tensor.data.copy_(torch.from_numpy(array))
        self.optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, (BETA1, BETA2), EPSILON, **adam)
        self.network = torch.compile(network) if compiled else network

    def step(self, inputs, labels):
        self.optimizer.zero_grad()
        logits = self.network(torch.from_numpy(inputs))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
        loss.backward()
        self.optimizer.step()
        return loss.item()


def views(arena, arrays):
    """Consecutive pieces of a flat array in the shapes of these arrays."""
    ends = np.cumsum([array.size for array in arrays])
    return [piece.reshape(array.shape) for piece, array in zip(np.split(arena, ends[:-1]), arrays)]


def checked_networks(parameters, batches):
    """All networks after three steps, in whose losses they must agree: the later ones show gradients and update."""
    networks = {"numpy": NumpyNetwork(parameters)}
    expected = [networks["numpy"].step(*batch) for batch in batches[:3]]
    for name, settings in TORCH.items():
        try:
            network = TorchNetwork(parameters, **settings)
            losses = [network.step(*batch) for batch in batches[:3]]
        except Exception as error:  # compiling needs a C++ compiler
            print(f"left out {name}: {type(error).__name__}", file=sys.stderr)
            continue
        if not np.allclose(losses, expected, rtol=[1e-5, 1e-3, 1e-3], atol=0):
            sys.exit(f"{name} has losses {losses} where numpy has {expected}: nothing is timed")
        networks[name] = network
    return networks


def time_network(network, batches):
    """Least, middle and greatest milliseconds of a step, over some steps after two to warm up."""
    times = []
    for i in range(STEPS + 2):
        begun = time.perf_counter()
        network.step(*batches[i % BATCHES])
        times.append((time.perf_counter() - begun) * 1e3)
    return np.quantile(times[2:], [0, 0.5, 1])


def time_gpunet(binary):
    """The same by `gpunet bench`, which warms up and checks its first loss against float64 by itself."""
    command = f"bench --device cpu --json --arch {ARCH} --batch {BATCH} --steps {STEPS}"
    times = json.loads(output([binary, *command.split()]))["ms_per_step"]
    return [times["min"], times["median"], times["max"]]


def output(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def machine():
    cpu, load = re.search("Model name: *(.*)", output(["lscpu"]))[1], os.getloadavg()[0]
    when = f"{time.strftime('%Y-%m-%d')}, load {load:.1f} at the start"
    return f"{cpu}, {os.cpu_count()} cores, {when}, Python {platform.python_version()}"


def main():
    gpunet = sys.argv[1] if len(sys.argv) > 1 else "target/release/gpunet"
    print(f"{ARCH}, batch {BATCH}, Adam, float32, {ROUNDS} rounds of {STEPS} steps  \n{machine()}\n")
    torch.set_num_threads(os.cpu_count())
    random = np.random.default_rng(1)
    parameters = []  # weight [out, in], normal with variance 2 / fan_in, and bias [out] of each layer
    for fan_in, units in zip(SIZES, SIZES[1:]):
        weight = random.standard_normal((units, fan_in), np.float32) * (2 / fan_in) ** 0.5
        parameters += [weight, np.zeros(units, np.float32)]
    inputs = random.integers(0, 256, (BATCHES, BATCH, SIZES[0])).astype(np.float32) / 255
    batches = list(zip(inputs, random.integers(0, SIZES[-1], (BATCHES, BATCH))))
    networks = checked_networks(parameters, batches)

    rounds = {name: [] for name in ["gpunet", *networks]}
    for _ in range(ROUNDS):
        rounds["gpunet"].append(time_gpunet(gpunet))
        for name, network in networks.items():
            rounds[name].append(time_network(network, batches))

    blas = "{name} {version}".format(**np.show_config(mode="dicts")["Build Dependencies"]["blas"])
    versions = {"gpunet": output([gpunet, "--version"]).split()[-1], "numpy": f"{np.__version__}, {blas}"}
    ours = np.median([median for _, median, _ in rounds["gpunet"]])
    print("| contender | version | median ms a step | min | max | gpunet's / its median |\n|---|---|--:|--:|--:|--:|")
    for name, times in rounds.items():
        least, medians, greatest = zip(*times)
        median, version = np.median(medians), versions.get(name, torch.__version__)
        print(f"| {name} | {version} | {median:.1f} | {min(least):.1f} | {max(greatest):.1f} | {ours / median:.2f} |")


if __name__ == "__main__":
    main()
