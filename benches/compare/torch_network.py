"""Builds `torch.nn` modules from gpunet's notation and trains them in one of the forms of `torch_forms.py`."""

import re

import torch
from torch import nn

LEARNING_RATE, BETAS, EPSILON = 1e-4, (0.9, 0.999), 1e-8


class TorchNetwork:
    def __init__(self, case, arch, form):
        # Convolutions use TF32 by default, so both settings are needed.
        torch.set_float32_matmul_precision("high" if form.precision == "TF32" else "highest")
        torch.backends.cudnn.allow_tf32 = form.precision == "TF32"
        torch.backends.cudnn.benchmark = True
        layout = torch.channels_last if form.channels_last else torch.contiguous_format
        self.form = form
        self.network = modules(case, arch).to(form.device, memory_format=layout)
        self.initial = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.batches = [examples(arch, *batch, form.device, layout) for batch in case.batches]
        adam = {form.adam: True} if form.adam else {}
        parameters = self.network.parameters()
        self.optimizer = torch.optim.Adam(parameters, LEARNING_RATE, BETAS, EPSILON, capturable=form.captured, **adam)
        # The default scale of 65,536 overflows in the first steps, and a skipped step would be less work.
        self.scaler = torch.amp.GradScaler(form.device, init_scale=1024.0) if form.precision == "AMP" else None
        self.forward = torch.compile(self.mean_loss) if form.compiled else self.mean_loss
        self.graphs = self.capture() if form.captured else []

    @property
    def device(self):
        return torch.cuda.get_device_name() if self.form.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"

    @staticmethod
    def version():
        return torch.__version__

    def reset(self):
        self.network.load_state_dict(self.initial)
        # In place, because CUDA graphs refer to these tensors.
        for state in self.optimizer.state.values():
            for tensor in state.values():
                tensor.zero_()

    def mean_loss(self, images, labels):
        return nn.functional.cross_entropy(self.network(images), labels)

    def step(self, batch):
        """Begins one step. The loss is that before the update."""
        if self.graphs:
            graph, self.loss = self.graphs[batch]
            graph.replay()
        else:
            self.loss = self.launched_step(*self.batches[batch])

    def launched_step(self, images, labels):
        self.optimizer.zero_grad()
        if self.scaler is None:
            loss = self.forward(images, labels)
            loss.backward()
            self.optimizer.step()
            return loss
        with torch.autocast(self.form.device, torch.float16):
            loss = self.forward(images, labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss

    def capture(self):
        """For each batch, a CUDA graph and the loss that it computes. One graph per batch saves copying examples."""
        # These steps choose and compile all kernels before the capture, on a side stream, as PyTorch's manual requires.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for batch in self.batches * 3:
                self.launched_step(*batch)
        torch.cuda.current_stream().wait_stream(stream)
        graphs, memory = [], torch.cuda.graph_pool_handle()
        for batch in self.batches:
            graph = torch.cuda.CUDAGraph()
            self.optimizer.zero_grad()
            with torch.cuda.graph(graph, pool=memory):
                loss = self.launched_step(*batch)
            graphs.append((graph, loss.detach()))
        self.reset()
        return graphs

    def wait(self):
        if self.form.device == "cuda":
            torch.cuda.synchronize()


def modules(case, arch):
    """The network with the case's parameters. Their shapes give the sizes that the notation leaves open."""
    network, parameters = nn.Sequential(), iter(case.layers)
    tokens = arch.split("-")[1:]
    flat = "x" not in arch
    for i, token in enumerate(tokens):
        if pool := re.fullmatch(r"MP(\d+)", token):
            network.append(nn.MaxPool2d(int(pool[1])))
            continue
        tensors = {name: torch.from_numpy(array) for name, array in next(parameters).items()}
        weight, bias = tensors["weight"], "bias" in tensors
        if token == "BN":
            module = (nn.BatchNorm1d if flat else nn.BatchNorm2d)(len(weight))
        elif window := re.fullmatch(r"\d+C\d+(?:p(\d+))?", token):
            maps, channels, size, _ = weight.shape
            module = nn.Conv2d(channels, maps, size, padding=int(window[1] or 0), bias=bias)
        else:
            if not flat:
                network.append(nn.Flatten())
                flat = True
            module = nn.Linear(weight.shape[1], weight.shape[0], bias=bias)
        module.load_state_dict(tensors, strict=False)
        network.append(module)
        if i + 1 < len(tokens) and tokens[i + 1] != "BN":
            network.append(nn.ReLU())
    return network


def examples(arch, images, labels, device, layout):
    """A batch on the device, reshaped to images if the network takes images."""
    images = torch.from_numpy(images).to(device)
    if "x" in arch:
        shape = [int(size) for size in arch.split("-")[0].split("x")]
        images = images.reshape(-1, *shape).contiguous(memory_format=layout)
    return images, torch.from_numpy(labels).to(device)
