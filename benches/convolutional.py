"""Times a training step of two convolutional networks in gpunet and PyTorch on the CPU and prints Markdown tables.

    cargo build --release && python benches/convolutional.py [target/release/gpunet]   (Linux; needs torch and numpy)

Both train in float32 with Adam on made-up examples; PyTorch gets its batches ready-made as floats, while gpunet widens its
from bytes within the step. Contenders take turns, round by round; figures to quote are of an idle machine. PyTorch's variants
must agree on the losses of three steps before anything is timed, and `gpunet bench` checks its own against float64.
Then `gpunet eval`, the whole command, reads and classifies the 10,000 test images of MNIST; PyTorch's forward pass alone gets
as many ready-made images in batches of 1,000.
"""

import copy
import json
import sys
import tempfile
import time

import numpy as np
import torch
from torch import nn

from headline import machine, output

BATCH, BATCHES, ROUNDS, STEPS = 128, 4, 9, 10  # STEPS are timed in each round
LENET = "1x28x28-6C5p2-MP2-16C5-MP2-120-84-10"
MODERN = "1x28x28-32C3p1-BN-32C3p1-BN-MP2-64C3p1-BN-64C3p1-BN-MP2-128-BN-10"


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def modern():
    def block(channels, maps):
        return [nn.Conv2d(channels, maps, 3, padding=1, bias=False), nn.BatchNorm2d(maps), nn.ReLU()]

    return nn.Sequential(
        *block(1, 32), *block(32, 32), nn.MaxPool2d(2), *block(32, 64), *block(64, 64), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(3136, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


class Network:
    def __init__(self, network, layout=torch.contiguous_format, compiled=False):
        network = network.to(memory_format=layout)
        self.layout = layout
        self.optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)
        self.network = torch.compile(network) if compiled else network

    def step(self, inputs, labels):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.network(inputs.contiguous(memory_format=self.layout)), labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def classify(self, inputs):
        self.network.eval()
        return self.network(inputs.contiguous(memory_format=self.layout)).argmax(1)


VARIANTS = {
    "PyTorch eager": {},
    "PyTorch eager, channels last": {"layout": torch.channels_last},
    "PyTorch compiled": {"compiled": True},
    "PyTorch compiled, channels last": {"layout": torch.channels_last, "compiled": True},
}


def checked(start, batches):
    """All variants after three steps, in whose losses they must agree."""
    networks, expected = {}, None
    for name, settings in VARIANTS.items():
        try:
            network = Network(copy.deepcopy(start), **settings)
            losses = [network.step(*batch) for batch in batches[:3]]
        except Exception as error:  # compiling needs a C++ compiler
            print(f"left out {name}: {type(error).__name__}", file=sys.stderr)
            continue
        expected = expected or losses
        if not np.allclose(losses, expected, rtol=1e-3, atol=0):
            sys.exit(f"{name} has losses {losses} where others have {expected}: nothing is timed")
        networks[name] = network
    return networks


def timed(network, batches):
    times = []
    for i in range(STEPS + 2):
        begun = time.perf_counter()
        network.step(*batches[i % BATCHES])
        times.append((time.perf_counter() - begun) * 1e3)
    return np.quantile(times[2:], [0, 0.5, 1])


def timed_gpunet(binary, arch):
    command = f"bench --device cpu --json --arch {arch} --batch {BATCH} --steps {STEPS}"
    times = json.loads(output([binary, *command.split()]))["ms_per_step"]
    return [times["min"], times["median"], times["max"]]


# What a process held before it became another program counts as its own, so a small process starts the command.
MEASURED = """
import os, subprocess, sys, time
begun = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - begun, usage.ru_maxrss / 1024)
sys.exit(status != 0)
"""


def run(command):
    """Seconds that a command takes, and the most memory in MiB that it held."""
    return map(float, output([sys.executable, "-c", MEASURED, *command]).split())


def inference(binary, arch, networks):
    """A table of 10,000 images through each contender."""
    images = torch.randint(0, 256, (10, 1000, 1, 28, 28)).float() / 255
    rounds = {name: [] for name in ["gpunet eval", *networks]}
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        trained = f"--arch {arch} --adam --batch {BATCH} --epochs 1 --device cpu --out {folder}/run"
        _, training = run([binary, "train", *trained.split()])
        for _ in range(ROUNDS):
            seconds, evaluation = run([binary, "eval", f"{folder}/run", "--device", "cpu"])
            rounds["gpunet eval"].append(seconds)
            for name, network in networks.items():
                begun = time.perf_counter()
                for batch in images:
                    network.classify(batch)
                rounds[name].append(time.perf_counter() - begun)
    print("\n| 10,000 images | images/s | seconds | from | to |\n|---|--:|--:|--:|--:|")
    for name, times in rounds.items():
        median = np.median(times)
        print(f"| {name} | {10_000 / median:,.0f} | {median:.2f} | {min(times):.2f} | {max(times):.2f} |")
    print(f"\nMost memory held: {training:.0f} MiB by `gpunet train`, {evaluation:.0f} MiB by `gpunet eval`.")


def main():
    gpunet = sys.argv[1] if len(sys.argv) > 1 else "target/release/gpunet"
    print(f"batch {BATCH}, Adam, float32, {ROUNDS} rounds of {STEPS} steps, PyTorch {torch.__version__}  \n{machine()}")
    torch.manual_seed(1)
    inputs = torch.randint(0, 256, (BATCHES, BATCH, 1, 28, 28)).float() / 255
    batches = list(zip(inputs, torch.randint(0, 10, (BATCHES, BATCH))))
    for arch, build in [(LENET, lenet), (MODERN, modern)]:
        networks = checked(build(), batches)
        rounds = {name: [] for name in ["gpunet", *networks]}
        for _ in range(ROUNDS):
            rounds["gpunet"].append(timed_gpunet(gpunet, arch))
            for name, network in networks.items():
                rounds[name].append(timed(network, batches))
        ours = np.median([median for _, median, _ in rounds["gpunet"]])
        print(f"\n{arch}\n\n| contender | median ms a step | min | max | gpunet's / its median |\n|---|--:|--:|--:|--:|")
        for name, times in rounds.items():
            least, medians, greatest = zip(*times)
            median = np.median(medians)
            print(f"| {name} | {median:.2f} | {min(least):.2f} | {max(greatest):.2f} | {ours / median:.2f} |")
        inference(gpunet, arch, networks)


if __name__ == "__main__":
    main()
