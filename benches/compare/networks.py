"""The networks of the comparison."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    name: str
    arch: str  # gpunet's notation
    batch: int
    default: str  # compared "always", only on a "gpu", or only when "asked" for

    @property
    def convolutional(self):
        return "C" in self.arch


HEADLINE = "784-3000-2500-2000-1500-1000-500-10"
NETWORKS = [
    Network("tiny", "784-64-64-10", 4, "always"),
    Network("small", "784-256-64-10", 64, "always"),
    Network("wide", "784-500-10", 256, "always"),
    Network("headline", HEADLINE, 256, "always"),
    Network("headline-2048", HEADLINE, 2048, "gpu"),
    Network("lenet", "1x28x28-6C5p2-MP2-16C5-MP2-120-84-10", 128, "always"),
    Network("batch-norm", "1x28x28-32C3p1-BN-32C3p1-BN-MP2-64C3p1-BN-64C3p1-BN-MP2-128-BN-10", 128, "asked"),
]


def chosen(names, devices):
    """The networks with these names. Without names, the defaults for gpunet's devices."""
    wanted = {"always"} if set(devices) == {"cpu"} else {"always", "gpu"}
    return [network for network in NETWORKS if (network.name in names if names else network.default in wanted)]
