"""Whether a contender's first losses are those of the same training."""

# Relative differences that float32 explains: rounding alone at first, then what a few updates make of it.
EXACT = [1e-4, 1e-3, 1e-3] + [0.05] * 9
REDUCED = [0.05] * 12


def complaint(losses, expected, exact):
    """What is wrong with the losses of the first steps, or nothing."""
    for step, (loss, right, bound) in enumerate(zip(losses, expected, EXACT if exact else REDUCED, strict=True), 1):
        if not abs(loss - right) <= bound * abs(right):  # so that a NaN is wrong
            return f"the loss of step {step} is {loss:.6g} instead of {right:.6g}"
    first, last = sum(losses[:4]), sum(losses[-4:])
    if not last < first:
        return f"the loss does not fall: {first / 4:.6g} over the four batches at first, {last / 4:.6g} at last"
    return None
