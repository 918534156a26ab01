"""Checks that a contender's first losses agree with gpunet's."""

# Relative differences that float32 explains: rounding at first, later rounding amplified by the updates.
EXACT = [1e-4, 1e-3, 1e-3] + [0.05] * 9
REDUCED = [0.05] * 12


def complaint(losses, expected, exact):
    """An error message about the losses of the first steps, or None."""
    for step, (loss, right, bound) in enumerate(zip(losses, expected, EXACT if exact else REDUCED, strict=True), 1):
        if not abs(loss - right) <= bound * abs(right):  # also true for a NaN
            return f"the loss of step {step} is {loss:.6g} instead of {right:.6g}"
    first, last = sum(losses[:4]), sum(losses[-4:])
    if not last < first:
        return f"the loss does not fall: its mean is {first / 4:.6g} in the first pass, {last / 4:.6g} in the last"
    return None
