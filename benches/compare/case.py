"""The input of a contender: the file that `gpunet bench --export` writes."""

import re

import numpy as np
from safetensors.numpy import load_file


class Case:
    def __init__(self, path, batch):
        tensors = load_file(path)
        images = tensors["images"].astype(np.float32) / 255
        starts = range(0, len(images), batch)
        self.batches = [(images[i : i + batch], tensors["labels"][i : i + batch].astype(np.int64)) for i in starts]
        # For each layer with parameters, its parameters by name, in PyTorch's layouts.
        self.layers = []
        while named := {match[1]: tensors[key] for key in tensors if (match := self.part(key))}:
            self.layers.append(named)

    def part(self, key):
        return re.fullmatch(rf"layers\.{len(self.layers)}\.(.*)", key)
