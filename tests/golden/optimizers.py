"""Computes `optimizers.safetensors`, what `tests/golden_optimizers.rs` compares updates with, with PyTorch in float64.

    python tests/golden/optimizers.py        (needs torch and safetensors)

The network, the data and the starting parameters are those of `dense.safetensors` (`make.py`). For each run below:

    <run>.losses             [10]     mean loss of each of ten steps, penalties left out, before the step's update
    <run>.layers.<i>.<part>           parameters after ten steps

PyTorch's own optimizers, penalties and bounds are used where it has them; the rest is written out from its formula.
"""

from collections import defaultdict
from pathlib import Path

import torch
from make import start, train, trainable
from safetensors.torch import save_file

# What has a sign in a formula keeps at least this far from 0, or is 0: about 100 times what float32 can shift it by.
LEAST_DIRECTION = 1e-7
LEAST_WEIGHT = 1e-5


class Update:
    """An optimizer between what comes before and after it; all are functions without arguments."""

    def __init__(self, optimizer, before=(), after=()):
        self.optimizer, self.before, self.after = optimizer, before, after

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        for act in [*self.before, self.optimizer.step, *self.after]:
            act()


class ByHand(torch.optim.Optimizer):
    """A rule that PyTorch lacks: `rule(m, g, t)` gives the new state, zero at first, and what is taken from a parameter."""

    def __init__(self, parameters, rule):
        super().__init__(parameters, {})
        self.rule = rule

    @torch.no_grad()
    def step(self):
        for parameter in self.param_groups[0]["params"]:
            moment, t = self.state[parameter].get("kept", (torch.zeros_like(parameter), 0))
            moment, change = self.rule(moment, parameter.grad, t + 1)
            self.state[parameter]["kept"] = (moment, t + 1)
            parameter.sub_(change)


def average(rate, momentum, corrected):
    """Momentum whose velocity is a moving average from zero. (PyTorch's dampening spares the first gradient.)"""

    def rule(velocity, gradient, t):
        velocity = momentum * velocity + (1 - momentum) * gradient
        return velocity, rate * velocity / (1 - momentum**t if corrected else 1)

    return rule


def lion(rate, beta1, beta2):
    """Chen et al., NeurIPS 2023, algorithm 2."""

    def rule(moment, gradient, _):
        direction = beta1 * moment + (1 - beta1) * gradient
        assert direction[direction != 0].abs().min() >= LEAST_DIRECTION, "a direction is near 0: take another rate"
        return beta2 * moment + (1 - beta2) * gradient, rate * direction.sign()

    return rule


def weights(parameters):
    return [values for name, values in parameters.items() if name.endswith("weight")]


def decayed(parameters, factor):
    """Parameter groups of an optimizer of PyTorch that decays weights, or penalizes them, but no biases."""
    biases = [values for name, values in parameters.items() if name.endswith("bias")]
    return [{"params": weights(parameters), "weight_decay": factor}, {"params": biases, "weight_decay": 0.0}]


def penalty(parameters, l1, l2=0.0):
    """Adds the gradient of the penalty to gradients."""

    def act():
        assert min(weight.abs().min() for weight in weights(parameters)) >= LEAST_WEIGHT, "a weight is near 0"
        sum(l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in weights(parameters)).backward()

    return act


def decay(parameters, share):
    @torch.no_grad()
    def act():
        for weight in weights(parameters):
            weight.mul_(1 - share)

    return act


def max_norm(parameters, bound, hits):
    @torch.no_grad()
    def act():
        for weight in weights(parameters):
            hits["max_norm"].extend((weight.norm(dim=1) > bound).tolist())
            weight.copy_(torch.renorm(weight, 2, 0, bound))

    return act


def clip_norm(parameters, bound, hits):
    return lambda: hits["clip_norm"].append((torch.nn.utils.clip_grad_norm_(parameters.values(), bound) > bound).item())


def clip_value(parameters, bound, hits):
    def act():
        hits["clip_value"].extend((values.grad.abs() > bound).any().item() for values in parameters.values())
        torch.nn.utils.clip_grad_value_(parameters.values(), bound)

    return act


def sgd(parameters, rate, **settings):
    return torch.optim.SGD(parameters.values(), lr=rate, **settings)


# Each takes the parameters, and lists where bounds note whether they were passed.
RUNS = {
    "momentum": lambda p, _: sgd(p, 0.05, momentum=0.9),
    "average": lambda p, _: ByHand(p.values(), average(0.3, 0.9, corrected=False)),
    "average_corrected": lambda p, _: ByHand(p.values(), average(0.3, 0.9, corrected=True)),
    "nesterov": lambda p, _: sgd(p, 0.04, momentum=0.9, nesterov=True),
    "rmsprop": lambda p, _: torch.optim.RMSprop(p.values(), lr=0.004, alpha=0.9, eps=1e-8),
    "adagrad": lambda p, _: torch.optim.Adagrad(p.values(), lr=0.03, eps=1e-10),
    "adamw": lambda p, _: torch.optim.AdamW(decayed(p, 0.01), lr=0.01, betas=(0.9, 0.999), eps=1e-8),
    "lion": lambda p, _: ByHand(p.values(), lion(0.003, 0.9, 0.99)),
    "l1": lambda p, _: Update(sgd(p, 0.1), [penalty(p, l1=0.02)]),
    "l2": lambda p, _: torch.optim.SGD(decayed(p, 0.1), lr=0.1),
    "weight_decay": lambda p, _: Update(sgd(p, 0.1), [decay(p, 0.1 * 0.4)]),
    "max_norm": lambda p, hits: Update(sgd(p, 0.1), after=[max_norm(p, 1.3, hits)]),
    "clip_norm": lambda p, hits: Update(sgd(p, 0.1), [clip_norm(p, 1.0, hits)]),
    "clip_value": lambda p, hits: Update(sgd(p, 0.1), [clip_value(p, 0.1, hits)]),
    "all": lambda p, hits: Update(
        sgd(p, 0.05, momentum=0.9),
        [clip_value(p, 0.1, hits), clip_norm(p, 0.8, hits), penalty(p, l1=0.01, l2=0.05), decay(p, 0.05 * 0.5)],
        [max_norm(p, 1.3, hits)],
    ),
}


def main():
    torch.set_num_threads(1)  # one order of summation
    images, labels, begun = start()
    tensors = {}
    for name, make in RUNS.items():
        hits = defaultdict(list)
        parameters = trainable(begun)
        tensors[f"{name}.losses"] = train(parameters, make(parameters, hits), images.double() / 255, labels)
        tensors |= {f"{name}.{part}": values.detach() for part, values in parameters.items()}
        for bound, passed in hits.items():
            assert {*passed} == {True, False}, f"{name}: {bound} must be passed at times, and not always"
    save_file(tensors, Path(__file__).with_name("optimizers.safetensors"))


if __name__ == "__main__":
    main()
