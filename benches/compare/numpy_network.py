"""A dense network with ReLU, mean cross-entropy and Adam, in float32 with NumPy.

A step allocates no large array, products use NumPy's BLAS, and the update runs in cache-sized blocks.
"""

import os

import numpy as np

LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-4, 0.9, 0.999, 1e-8
BLOCK = 1 << 14  # parameters that are updated at a time: five arrays of 64 KiB fit in the L2 cache


class NumpyNetwork:
    device = f"CPU, {os.cpu_count()} threads"

    def __init__(self, case):
        self.batches = case.batches
        tensors = [tensor for layer in case.layers for tensor in (layer["weight"], layer["bias"])]
        self.initial = np.concatenate([tensor.ravel() for tensor in tensors])
        self.parameters = self.initial.copy()
        self.gradients, self.first_moments, self.second_moments = (np.zeros_like(self.parameters) for _ in range(3))
        values, gradients = (views(arena, tensors) for arena in (self.parameters, self.gradients))
        self.weights, self.biases = values[::2], values[1::2]  # [out, in], [out]
        self.weight_grads, self.bias_grads = gradients[::2], gradients[1::2]
        rows = len(self.batches[0][1])
        self.rows = np.arange(rows)
        self.outputs = [np.empty((rows, len(bias)), np.float32) for bias in self.biases]
        self.output_grads = [np.empty_like(output) for output in self.outputs]
        self.scratch, self.steps = np.empty(BLOCK, np.float32), 0

    @staticmethod
    def version():
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{np.__version__}, {blas['name']} {blas['version']}"

    def reset(self):
        self.parameters[:] = self.initial
        self.first_moments[:], self.second_moments[:], self.steps = 0, 0, 0

    def step(self, batch):
        """Takes one step. The loss is that before the update."""
        inputs, labels = self.batches[batch]
        values = [inputs, *self.outputs]
        last = len(self.weights) - 1
        for i, (weight, bias, output) in enumerate(zip(self.weights, self.biases, self.outputs)):
            np.matmul(values[i], weight.T, out=output)
            output += bias
            if i < last:
                np.maximum(output, 0, out=output)

        # The gradient of the mean loss with respect to the logits is (softmax - one-hot) / rows.
        logits = self.outputs[last]
        logits -= logits.max(axis=1, keepdims=True)
        grad = np.exp(logits, out=self.output_grads[last])
        sums = grad.sum(axis=1, keepdims=True)
        self.loss = np.log(sums).mean() - logits[self.rows, labels].mean()
        grad /= sums * len(labels)
        grad[self.rows, labels] -= 1 / len(labels)

        for i, grad in reversed([*enumerate(self.output_grads)]):
            np.matmul(grad.T, values[i], out=self.weight_grads[i])
            grad.sum(axis=0, out=self.bias_grads[i])
            if i > 0:
                below = np.matmul(grad, self.weights[i], out=self.output_grads[i - 1])
                # ReLU's derivative overwrites its output, which is not needed any more.
                below *= np.greater(values[i], 0, out=values[i], casting="unsafe")
        self.update()

    def update(self):
        """Adam as at the end of Kingma and Ba's section 2: the bias corrections are part of rate and epsilon."""
        self.steps += 1
        root = (1 - BETA2**self.steps) ** 0.5
        rate, epsilon = LEARNING_RATE * root / (1 - BETA1**self.steps), EPSILON * root
        for start in range(0, self.parameters.size, BLOCK):
            block = slice(start, start + BLOCK)
            grad, first, second = self.gradients[block], self.first_moments[block], self.second_moments[block]
            scratch = self.scratch[: grad.size]
            first *= BETA1
            first += np.multiply(grad, 1 - BETA1, out=scratch)
            second *= BETA2
            np.multiply(grad, grad, out=scratch)
            second += np.multiply(scratch, 1 - BETA2, out=scratch)
            np.sqrt(second, out=scratch)
            scratch += epsilon
            np.divide(first, scratch, out=scratch)
            self.parameters[block] -= np.multiply(scratch, rate, out=scratch)

    def wait(self):
        """Does nothing: a step is complete when it returns."""


def views(arena, arrays):
    """Consecutive pieces of a flat array, with the shapes of these arrays."""
    ends = np.cumsum([array.size for array in arrays])
    return [piece.reshape(array.shape) for piece, array in zip(np.split(arena, ends[:-1]), arrays)]
