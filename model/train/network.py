"""A small dense network: training, and its int8 form as TFLite makes it.

Plain numpy. Inputs lie in -1..1. After training in float the last epochs are
trained with the rounding of int8 in place (values are rounded on the way
forward, gradients pass as if they were not), as quantisation-aware training
does.
"""

import numpy as np

LOGIT_LIMIT = 10.0  # int8 logits span -limit..limit


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _round(values, scale, low, high):
    return np.clip(np.round(values / scale), low, high) * scale


class Network:
    def __init__(self, sizes, rng):
        """sizes: inputs, hidden ..., classes."""
        self.weights, self.biases = [], []
        for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
            # Inputs in -1..1 vary less than the unit variance that the
            # usual start expects.
            spread = np.sqrt(2 / a) * (3 if i == 0 else 1)
            self.weights.append(rng.normal(0, spread, (a, b))
                                .astype(np.float32))
            self.biases.append(np.zeros(b, np.float32))
        self.ranges = None  # of each hidden layer's outputs, once rounding

    def _forward(self, x):
        """[inputs of each layer], logits; with rounding once it is on."""
        rounding = self.ranges is not None
        if rounding:
            x = _round(x, np.float32(1 / 127), -127, 127)
        inputs = [x]
        for i, (w, b) in enumerate(zip(self.weights, self.biases)):
            if rounding:
                w = _round(w, np.abs(w).max() / 127, -127, 127)
            z = inputs[-1] @ w + b
            if i == len(self.weights) - 1:
                if rounding:
                    step = 2 * LOGIT_LIMIT / 255
                    z = _round(z, np.float32(step), -127, 127)
                return inputs, z
            z = np.maximum(z, 0)
            if rounding:
                z = _round(z, np.float32(self.ranges[i] / 255), 0, 255)
            inputs.append(z)

    def scores(self, x):
        return softmax(self._forward(x.astype(np.float32))[1])

    def calibrate(self, x):
        inputs, _ = self._forward(x)
        self.ranges = [float(np.quantile(h, 0.9999)) for h in inputs[1:]]

    def fit(self, x, target, weight, rng, epochs, rounded_epochs=0,
            rate=3e-3, batch=256):
        """target: (n, classes). Adam, cosine from `rate` to 0."""
        params = self.weights + self.biases
        first = [np.zeros_like(p) for p in params]
        second = [np.zeros_like(p) for p in params]
        steps = len(x) // batch
        total, t = steps * (epochs + rounded_epochs), 0
        for epoch in range(epochs + rounded_epochs):
            if epoch == epochs:
                self.calibrate(x[:20000])
            order = rng.permutation(len(x))
            for i in range(steps):
                which = order[i * batch:(i + 1) * batch]
                grads = self._gradients(x[which], target[which],
                                        weight[which] / batch)
                t += 1
                now = rate * 0.5 * (1 + np.cos(np.pi * t / total)) + 1e-6
                now *= np.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
                for p, g, m, v in zip(params, grads, first, second):
                    m += 0.1 * (g - m)
                    v += 0.001 * (g * g - v)
                    p -= np.float32(now) * m / (np.sqrt(v) + 1e-8)

    def _gradients(self, x, target, weight):
        inputs, logits = self._forward(x)
        g = (softmax(logits) - target) * weight[:, None]
        dw, db = [], []
        for i in range(len(self.weights) - 1, -1, -1):
            dw.insert(0, inputs[i].T @ g + 1e-6 * self.weights[i])
            db.insert(0, g.sum(0))
            if i:
                g = (g @ self.weights[i].T) * (inputs[i] > 0)
        return dw + db


class Int8:
    """The integers that the C code gets, and the same arithmetic again."""

    def __init__(self, network, favour=0.0):
        """favour: added to the logit of the first class."""
        scale = 1 / 127
        zero = 0  # of the layer's inputs
        self.layers = []
        last = len(network.weights) - 1
        for i, (w, b) in enumerate(zip(network.weights, network.biases)):
            w_scale = float(np.abs(w).max()) / 127
            q = np.clip(np.round(w / w_scale), -127, 127).astype(int)
            if i == last:
                b = b + favour * (np.arange(len(b)) == 0)
            bias = np.round(b / (scale * w_scale)).astype(np.int64)
            bias = bias - zero * q.sum(0)
            out_scale = (2 * LOGIT_LIMIT if i == last
                         else network.ranges[i]) / 255
            out_zero = 0 if i == last else -128
            mantissa, exponent = np.frexp(scale * w_scale / out_scale)
            multiplier = int(round(float(mantissa) * 2 ** 31))
            if multiplier == 2 ** 31:
                multiplier, exponent = 2 ** 30, exponent + 1
            if exponent > 0:
                raise ValueError("layer %d needs a multiplier above 1" % i)
            self.layers.append((q, bias, multiplier, int(-exponent), out_zero))
            scale, zero = out_scale, out_zero
        self.exp = np.exp(-np.arange(256) * scale).astype(
            np.float32)

    def scores(self, x):
        values = np.trunc(x * np.float32(127) + np.copysign(
            np.float32(0.5), x)).astype(np.int64)
        for q, bias, multiplier, shift, zero in self.layers:
            product = (values @ q + bias) * multiplier
            half = 1 << (30 + shift)
            product = product + np.where(product >= 0, half, half - 1)
            values = np.clip((product >> (31 + shift)) + zero, -128, 127)
        e = self.exp[values.max(1, keepdims=True) - values]
        total = e[:, 0]
        for i in range(1, e.shape[1]):
            total = total + e[:, i]
        steps = (e / total[:, None] * 256 + np.float32(0.5)).astype(int)
        return np.minimum(steps, 255) / 256


def favoured(network, favour):
    """The float form with `favour` added to the first class's logit."""
    biases = list(network.biases)
    biases[-1] = biases[-1] + np.float32(favour) * (
        np.arange(len(biases[-1])) == 0)
    return list(network.weights), biases


def float_scores(weights, biases, x):
    for i, (w, b) in enumerate(zip(weights, biases)):
        x = x @ w + b
        if i < len(weights) - 1:
            x = np.maximum(x, 0)
    return softmax(x)
