"""Computes `optimizers.safetensors` and `muon.safetensors`, what `tests/numerics/golden_optimizers.rs` compares updates with, with PyTorch
in float64.

    python tests/golden/optimizers.py        (needs torch from 2.9 on, and safetensors)

The network, the data and the starting parameters are those of `dense.safetensors` (`make.py`). For each run of `RUNS`:

    <run>.losses             [10]     mean loss of each of ten steps, penalties left out, before the step's update
    <run>.layers.<i>.<part>           parameters after ten steps

PyTorch's own optimizers, penalties and bounds are used where it has them; the rest is written out from its formula.

Every weight of that network is wide: it has fewer rows than columns. Muon treats tall weights differently, so
`muon.safetensors` holds the run `muon` of another network, 11-19-19-7, with a tall, a square and a wide weight:

    images                   [64, 11] uint8    the network's inputs are byte / 255
    labels                   [64] uint8
    layers.<i>.<part>        float32           starting parameters
    muon.losses, muon.layers.<i>.<part>        as above
"""

from collections import defaultdict
from pathlib import Path
from unittest import mock

import torch
from make import start, train, trainable
from safetensors.torch import save_file

# What has a sign in a formula keeps at least this far from 0, or is 0: about 100 times what float32 can shift it by.
LEAST_DIRECTION = 1e-7
LEAST_WEIGHT = 1e-5

# The network of `muon.safetensors`.
MUON_SIZES = [11, 19, 19, 7]
MUON_SEED = 1

# The run `muon`: Muon's settings for weights, by torch.optim.Muon's names, and Adam's rate for biases.
MUON = {
    "lr": 0.02,
    "weight_decay": 0.01,
    "momentum": 0.95,
    "nesterov": True,
    "ns_coefficients": (3.4445, -4.775, 2.0315),
    "ns_steps": 5,
    "eps": 1e-7,
    "adjust_lr_fn": "original",  # the rate times sqrt(max(1, rows / columns))
}
MUON_BIAS_RATE = 0.002


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


def orthogonalized(matrix):
    """Roughly U V^T for a matrix U S V^T [rows, columns], by the Newton-Schulz steps of torch.optim.Muon.

    PyTorch rounds the steps to bfloat16, which another device cannot repeat; here they are in float64.
    """
    a, b, c = MUON["ns_coefficients"]
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.T if tall else matrix  # wide, so that the Gram matrix is the smaller one
    x = x / x.norm().clamp(min=MUON["eps"])
    for _ in range(MUON["ns_steps"]):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def orthogonal_momentum(velocity, gradient, _):
    """Muon (Jordan et al., 2024) for a weight [rows, columns], with Nesterov's momentum and without the weight decay."""
    momentum = MUON["momentum"]
    velocity = momentum * velocity + (1 - momentum) * gradient
    direction = momentum * velocity + (1 - momentum) * gradient
    rows, columns = gradient.shape
    return velocity, MUON["lr"] * max(1, rows / columns) ** 0.5 * orthogonalized(direction)


def with_adam_for_biases(parameters, of_weights, before=()):
    """An optimizer of weights, and Adam without decay for biases."""
    adam = torch.optim.AdamW(biases(parameters), lr=MUON_BIAS_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    return Update(of_weights, before, [adam.step, adam.zero_grad])


def muon(parameters):
    of_weights = ByHand(weights(parameters), orthogonal_momentum)
    return with_adam_for_biases(parameters, of_weights, [decay(parameters, MUON["lr"] * MUON["weight_decay"])])


def muon_of_pytorch(parameters):
    return with_adam_for_biases(parameters, torch.optim.Muon(weights(parameters), **MUON))


def weights(parameters):
    return [values for name, values in parameters.items() if name.endswith("weight")]


def biases(parameters):
    return [values for name, values in parameters.items() if name.endswith("bias")]


def decayed(parameters, factor):
    """Parameter groups of an optimizer of PyTorch that decays weights, or penalizes them, but no biases."""
    return [{"params": weights(parameters), "weight_decay": factor}, {"params": biases(parameters), "weight_decay": 0.0}]


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
    "nadam": lambda p, _: torch.optim.NAdam(p.values(), lr=0.01, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004),
    # Steps 1 to 5 are not rectified, steps 6 to 10 are.
    "radam": lambda p, _: torch.optim.RAdam(p.values(), lr=0.03, betas=(0.9, 0.999), eps=1e-8),
    "muon": lambda p, _: muon(p),
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


def ten_steps(name, make, images, labels, begun):
    """Losses and parameters of a run; `make` makes its optimizer for the parameters."""
    parameters = trainable(begun)
    losses = train(parameters, make(parameters), images.double() / 255, labels)
    return {f"{name}.losses": losses} | {f"{name}.{part}": values.detach() for part, values in parameters.items()}


def check_muon(found, *data):
    """Compares a run by hand with torch.optim.Muon, which computes in float64 here where its source says bfloat16."""
    with mock.patch.object(torch, "bfloat16", torch.float64):
        expected = ten_steps("muon", muon_of_pytorch, *data)
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=0, atol=1e-13, msg=lambda text: f"{name}: {text}")


def main():
    torch.set_num_threads(1)  # one order of summation
    data, muon_data = start(), start(MUON_SIZES, MUON_SEED)
    torch.set_default_dtype(torch.float64)  # NAdam keeps the product of its momenta in this type
    tensors = {}
    for name, make in RUNS.items():
        hits = defaultdict(list)
        tensors |= ten_steps(name, lambda parameters: make(parameters, hits), *data)
        for bound, passed in hits.items():
            assert {*passed} == {True, False}, f"{name}: {bound} must be passed at times, and not always"
    check_muon(tensors, *data)
    save_file(tensors, Path(__file__).with_name("optimizers.safetensors"))

    tensors = ten_steps("muon", muon, *muon_data)
    check_muon(tensors, *muon_data)
    images, labels, begun = muon_data
    tensors |= {"images": images, "labels": labels.to(torch.uint8), **begun}
    save_file(tensors, Path(__file__).with_name("muon.safetensors"))


if __name__ == "__main__":
    main()
