"""Trains a network in NumPy or PyTorch: `python serve.py NAME CASE ARCH BATCH`. The protocol is in `contender.py`."""

import json
import sys
import time

from case import Case
from torch_forms import forms

CHECKED_STEPS = 12


def open_network(name, case, arch):
    if name == "numpy":
        from numpy_network import NumpyNetwork

        return NumpyNetwork(case)
    from torch_network import TorchNetwork

    [form] = [form for device in ["cpu", "cuda"] for form in forms(device, True) if form.name == name]
    return TorchNetwork(case, arch, form)


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    name, path, arch, batch = sys.argv[1:]
    case = Case(path, int(batch))
    network = open_network(name, case, arch)
    count = len(case.batches)
    losses, begun = [], time.perf_counter()
    for step in range(CHECKED_STEPS):
        network.step(step % count)
        losses.append(network.loss.item())
        if step == 0:
            first_step_ms = (time.perf_counter() - begun) * 1e3
    ready = {"name": name, "version": network.version(), "device": network.device}
    say(ready | {"losses": losses, "first_step_ms": first_step_ms})
    done = CHECKED_STEPS
    for line in sys.stdin:
        if line.strip() == "reset":
            network.reset()
            network.wait()
            done = 0
            continue
        steps = int(line)
        begun = time.perf_counter()
        for step in range(done, done + steps):
            network.step(step % count)
        network.wait()
        say({"ms_per_step": (time.perf_counter() - begun) * 1e3 / steps})
        done += steps


if __name__ == "__main__":
    main()
