"""Computes `schedules.json`, what gpunet's learning rates are compared with (`tests/numerics/golden_schedules.rs`), with PyTorch.

    python tests/golden/schedules.py        (needs torch)

A list of cases, each with

    schedule            as gpunet's command line writes it
    from                where the rates come from
    updates_per_epoch   and
    epochs              of the run
    val_loss            by epoch, for schedules that look at it; likewise `val_accuracy`
    rates               of every update, float64; the base rate is 0.3
"""

import json
from pathlib import Path

import torch
from torch.optim import lr_scheduler

RATE = 0.3
UPDATES = 7  # an epoch; odd, so that half an epoch is no whole number of updates
EPOCHS = 6
TOTAL = UPDATES * EPOCHS


def optimizer():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)


def rates(make, every=1, count=TOTAL):
    """Rates of `count` updates under the scheduler that `make` makes for an optimizer, stepped after every `every` updates."""
    sgd = optimizer()
    scheduler = make(sgd)
    found = []
    for update in range(count):
        found.append(sgd.param_groups[0]["lr"])
        sgd.step()
        if (update + 1) % every == 0 and update + 1 < count:
            scheduler.step()
    return found


def by_epoch(make):
    return rates(make, every=UPDATES)


def warmed_up(warmup, make):
    """A linear warm-up of `warmup` updates, the last of which has the whole rate, and then another scheduler's updates from 0."""

    def both(sgd):
        rise = lr_scheduler.LinearLR(sgd, start_factor=1 / warmup, end_factor=1, total_iters=warmup - 1)
        return lr_scheduler.SequentialLR(sgd, [rise, make(sgd)], milestones=[warmup])

    return rates(both)


def compounding(decay):
    """The recurrence, word for word: after epoch i, from 0, the rate is divided by 1 + decay i."""
    found, rate = [], RATE
    for epoch in range(EPOCHS):
        found += [rate] * UPDATES
        rate = rate / (1 + decay * epoch)
    return found


def on_plateau(values, mode, **settings):
    """Rates of an update an epoch, where the metric came to `values` after each. Without PyTorch's `eps`, which keeps the rate
    where a reduction would be below 1e-8 in absolute terms."""
    sgd = optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(sgd, mode=mode, threshold_mode="rel", eps=0, **settings)
    found = []
    for value in values:
        found.append(sgd.param_groups[0]["lr"])
        scheduler.step(value)
    return found


def lambda_by_epoch(factor):
    return by_epoch(lambda sgd: lr_scheduler.LambdaLR(sgd, factor))


# Improvements, some below the threshold of 1e-4 or 0.02, plateaus longer and shorter than the patience, and setbacks.
LOSSES = [1.0, 0.8, 0.81, 0.79, 0.789, 0.7899, 0.79, 0.9, 0.5, 0.49999, 0.49998, 0.6, 0.6, 0.6, 0.3, 0.31, 0.31, 0.3, 0.3, 0.31]
ACCURACIES = [0.5, 0.6, 0.605, 0.609, 0.611, 0.7, 0.7, 0.69, 0.7, 0.71, 0.713, 0.8, 0.81, 0.75, 0.8, 0.81, 0.9, 0.9, 0.91, 0.92]


def cases():
    def case(schedule, source, found, updates_per_epoch=UPDATES, epochs=EPOCHS, **history):
        sizes = {"updates_per_epoch": updates_per_epoch, "epochs": epochs}
        return {"schedule": schedule, "from": source, **sizes, **history, "rates": found}

    def loss_case(schedule, **settings):
        found = on_plateau(LOSSES, "min", **settings)
        return case(schedule, "ReduceLROnPlateau", found, 1, len(LOSSES), val_loss=LOSSES)

    def accuracy_case(schedule, **settings):
        found = on_plateau(ACCURACIES, "max", **settings)
        return case(schedule, "ReduceLROnPlateau", found, 1, len(ACCURACIES), val_accuracy=ACCURACIES)

    def one_cycle(**settings):
        # The reference cycles no momentum either.
        return rates(lambda sgd: lr_scheduler.OneCycleLR(sgd, RATE, total_steps=TOTAL, cycle_momentum=False, **settings))

    yield case("constant", "ConstantLR", rates(lambda sgd: lr_scheduler.ConstantLR(sgd, factor=1)))
    yield case("step:every=2:factor=0.5", "StepLR", by_epoch(lambda sgd: lr_scheduler.StepLR(sgd, 2, 0.5)))
    yield case("step:every=1", "StepLR", by_epoch(lambda sgd: lr_scheduler.StepLR(sgd, 1)))
    yield case("exponential:factor=0.9", "ExponentialLR", by_epoch(lambda sgd: lr_scheduler.ExponentialLR(sgd, 0.9)))
    yield case("inverse-time:decay=0.25", "LambdaLR", lambda_by_epoch(lambda t: 1 / (1 + 0.25 * t)))
    yield case("inverse-time:decay=0.25:compounding=true", "the recurrence", compounding(0.25))
    yield case("inverse-sqrt", "LambdaLR", lambda_by_epoch(lambda t: 1 / (t + 1) ** 0.5))
    yield case("polynomial", "PolynomialLR", rates(lambda sgd: lr_scheduler.PolynomialLR(sgd, TOTAL)))
    yield case("polynomial:power=2.5", "PolynomialLR", rates(lambda sgd: lr_scheduler.PolynomialLR(sgd, TOTAL, 2.5)))
    to_nothing = rates(lambda sgd: lr_scheduler.PolynomialLR(sgd, TOTAL, 2))
    raised = [0.1 * RATE + 0.9 * rate for rate in to_nothing]
    yield case("polynomial:power=2:end=0.1", "PolynomialLR, nine tenths of it", raised)
    yield case("cosine", "CosineAnnealingLR", rates(lambda sgd: lr_scheduler.CosineAnnealingLR(sgd, TOTAL)))
    to_a_tenth = rates(lambda sgd: lr_scheduler.CosineAnnealingLR(sgd, TOTAL, eta_min=0.1 * RATE))
    yield case("cosine:end=0.1", "CosineAnnealingLR", to_a_tenth)
    yield case("one-cycle", "OneCycleLR", one_cycle())
    found = one_cycle(pct_start=0.45, div_factor=10, final_div_factor=100)
    yield case("one-cycle:rise=0.45:start_divisor=10:end_divisor=100", "OneCycleLR", found)

    yield loss_case("plateau:patience=2", patience=2)
    settings = {"factor": 0.5, "patience": 1, "cooldown": 2, "min_lr": 0.2 * RATE}
    yield loss_case("plateau:factor=0.5:patience=1:cooldown=2:minimum=0.2", **settings)
    yield loss_case("plateau:factor=0.5:patience=0:threshold=0.02", factor=0.5, patience=0, threshold=0.02)
    yield accuracy_case("plateau:metric=val-accuracy:factor=0.5:patience=1", factor=0.5, patience=1)
    settings = {"factor": 0.5, "patience": 1, "threshold": 0.02, "cooldown": 1}
    yield accuracy_case("plateau:metric=val-accuracy:factor=0.5:patience=1:threshold=0.02:cooldown=1", **settings)

    half = 11  # an epoch and a half is 10.5 updates, which gpunet rounds
    found = warmed_up(half, lambda sgd: lr_scheduler.ConstantLR(sgd, factor=1))
    yield case("constant:warmup=1.5", "LinearLR, SequentialLR", found)
    found = warmed_up(14, lambda sgd: lr_scheduler.CosineAnnealingLR(sgd, TOTAL - 14, eta_min=0.01 * RATE))
    yield case("cosine:end=0.01:warmup=2", "LinearLR, CosineAnnealingLR, SequentialLR", found)
    found = warmed_up(half, lambda sgd: lr_scheduler.PolynomialLR(sgd, TOTAL - half, 2))
    yield case("polynomial:power=2:warmup=1.5", "LinearLR, PolynomialLR, SequentialLR", found)
    found = warmed_up(half, lambda sgd: lr_scheduler.StepLR(sgd, 2 * UPDATES, 0.5))
    yield case("step:every=2:factor=0.5:warmup=1.5", "LinearLR, StepLR, SequentialLR", found)
    found = warmed_up(UPDATES, lambda sgd: lr_scheduler.LambdaLR(sgd, lambda s: 1 / (s // UPDATES + 1) ** 0.5))
    yield case("inverse-sqrt:warmup=1", "LinearLR, LambdaLR, SequentialLR", found)


def main():
    lines = ",\n".join(json.dumps(case) for case in cases())
    Path(__file__).with_name("schedules.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
