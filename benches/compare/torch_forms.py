"""The configurations in which PyTorch trains a network. Listing them does not need PyTorch."""

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Form:
    device: str = "cpu"  # or "cuda"
    precision: str = "f32"  # or "TF32", or "AMP": float16 where PyTorch considers it safe
    compiled: bool = False  # whether torch.compile compiles forward pass, loss and backward pass
    captured: bool = False  # whether the whole step is a CUDA graph
    channels_last: bool = False
    adam: str = "fused"  # or "foreach", or "" for PyTorch's default

    @property
    def name(self):
        where = "CPU" if self.device == "cpu" else f"CUDA {self.precision}"
        parts = [f"PyTorch {where} {'compiled' if self.compiled else 'eager'}"]
        parts += ["CUDA graph"] if self.captured else []
        parts += ["channels last"] if self.channels_last else []
        parts += [f"Adam({self.adam})" if self.adam else "Adam"]
        return ", ".join(parts)

    @property
    def exact(self):
        """Whether losses must agree within the rounding of float32."""
        return self.precision == "f32"


def forms(device, convolutional):
    """All forms on a device. Which one is the fastest depends on the machine and the network."""
    layouts = [False, True] if convolutional else [False]
    if device == "cpu":
        simple = [Form(adam=""), Form(adam="foreach")]
        return simple + [Form(compiled=c, channels_last=last) for c, last in product([False, True], layouts)]
    return [
        Form("cuda", precision, compiled, captured, channels_last)
        for precision in ["f32", "TF32", "AMP"]
        for captured, compiled, channels_last in product([False, True], [False, True], layouts)
        if captured or not channels_last  # channels last only with graphs, where launches take no time
    ]
