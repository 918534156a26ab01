"""Computes `losses.safetensors`, what gpunet's losses are compared with (`tests/numerics/golden_losses.rs`), with PyTorch in float64.

    python tests/golden/losses.py        (needs torch and safetensors)

Inputs are exact in float32, so that what gpunet's float32 differs by is gpunet's.

    bytes                [24, 7] uint8     a logit is byte / 32 - 4
    labels               [24] uint8
    class_weights        [7] float32
    <loss>.losses        [24]              loss of each example
    <loss>.grad          [24, 7]           gradient of their mean by the logits
    weighted.<loss>...                     the same with each loss multiplied by the weight of its example's class
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy, mse_loss, multi_margin_loss, one_hot

EXAMPLES = 24
CLASSES = 7
SMOOTHING = 0.125
MARGIN = 45 / 64  # no multiple of 1/32, so that no difference of two logits is at a kink
SEED = 1


def crammer_singer(logits, labels):
    """max(0, margin + max_{c != label} z_c - z_label) of each row; PyTorch has no such loss."""
    own = one_hot(labels, CLASSES).bool()
    others = logits.masked_fill(own, -torch.inf)
    two = others.topk(2, dim=1).values
    assert (two[:, 0] > two[:, 1]).all(), "two classes tie: take another seed"
    return (MARGIN + others.max(dim=1).values - logits[own]).relu()


LOSSES = {
    "cross-entropy": lambda z, t: cross_entropy(z, t, reduction="none"),
    "smoothed": lambda z, t: cross_entropy(z, t, reduction="none", label_smoothing=SMOOTHING),
    # PyTorch divides Weston and Watkins's sum by the number of classes.
    "weston-watkins": lambda z, t: CLASSES * multi_margin_loss(z, t, margin=MARGIN, reduction="none"),
    "crammer-singer": crammer_singer,
    "mse": lambda z, t: mse_loss(z, one_hot(t, CLASSES).double(), reduction="none").mean(dim=1),
}


def main():
    generator = torch.Generator().manual_seed(SEED)
    values = torch.randint(0, 256, (EXAMPLES, CLASSES), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, CLASSES, (EXAMPLES,), generator=generator)
    class_weights = torch.tensor([1.0, 0.0, 0.5, 2.0, 3.5, 0.25, 1.75])
    assert 1 in labels, "no example has weight 0: take another seed"
    tensors = {"bytes": values, "labels": labels.to(torch.uint8), "class_weights": class_weights}
    for prefix, weights in {"": torch.ones(CLASSES), "weighted.": class_weights}.items():
        for name, loss in LOSSES.items():
            logits = (values.double() / 32 - 4).requires_grad_()
            losses = loss(logits, labels) * weights.double()[labels]
            losses.mean().backward()
            tensors |= {f"{prefix}{name}.losses": losses.detach(), f"{prefix}{name}.grad": logits.grad}
    save_file(tensors, Path(__file__).with_name("losses.safetensors"))


if __name__ == "__main__":
    main()
