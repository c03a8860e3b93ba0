"""Random networks as people have them, quantized by onnxruntime.quantization in its formats and types, and captured by the exporter.

python onnx_networks.py OUT --seed 1 --each 20
"""
import argparse
import contextlib
import importlib.util
import io
import json
import logging
import random
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_dynamic, quantize_static)

F = np.float32
EXPORTER = Path(__file__).parents[2] / "src/exporters/onnx/qdiff_onnx.py"
UNARY = ["Erf", "Softplus", "Abs", "Neg", "Exp", "Softsign", "Tanh", "Sigmoid"]


class Net:
    """A float graph of one image, block by block; x is the value so far, of [channels, height, width]."""

    def __init__(self, seed):
        self.random, self.numbers = random.Random(seed), np.random.RandomState(seed)
        self.opset = self.pick([13, 17, 20])
        self.nodes, self.constants, self.count = [], [], 0
        self.c, self.h, self.w = self.pick([1, 3, 4, 8]), self.pick([8, 9, 12, 16]), self.pick([8, 11, 12])
        self.shape, self.x, self.rank = (self.c, self.h, self.w), "x", 4

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, part):
        return self.random.random() < part

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"{kind.lower()}{self.count}"
        self.nodes.append(h.make_node(kind, [self.const(x) if not isinstance(x, str) else x for x in inputs], [name], name=f"n_{name}", **attributes))
        return name

    def const(self, value):
        self.count += 1
        self.constants.append(nh.from_array(np.asarray(value), f"c{self.count}"))
        return f"c{self.count}"

    def floats(self, *shape, spread=0.2, around=0.0):
        return (around + spread * self.numbers.randn(*shape)).astype(F)

    def weights(self, *shape):
        """Channels of different sizes."""
        sizes = np.exp(0.3 * self.numbers.randn(shape[0])).reshape(-1, *[1] * (len(shape) - 1))
        return (self.numbers.randn(*shape) * sizes * np.sqrt(2 / np.prod(shape[1:]))).astype(F)

    def over(self, kind, x, axes, **attributes):
        """Axes are an input since opset 18."""
        if self.opset >= 18 or kind == "ReduceSum":
            return self.op(kind, x, np.array(axes), **attributes)
        return self.op(kind, x, axes=axes, **attributes)

    def activation(self, x, channels=0):
        kinds = ["", "", "Relu", "Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "Tanh", "Elu", "Swish"]
        kinds += ["HardSwish"] * (self.opset >= 14) + ["Gelu"] * (self.opset >= 20) + ["PRelu"] * (channels > 0)
        kind = self.pick(kinds)
        if kind == "":
            return x
        if kind == "Clip":
            low, high = self.pick([(0, 6), (0, 1), (-1, 1), (0, 3.3)])
            return self.op("Clip", x, F(low), F(high))
        if kind == "LeakyRelu":
            return self.op(kind, x, alpha=self.pick([0.01, 0.1, 0.25]))
        if kind == "HardSigmoid":
            return self.op(kind, x, alpha=self.pick([0.2, 1 / 6]))
        if kind == "Swish":
            return self.op("Mul", x, self.op("Sigmoid", x))
        return self.op(kind, x, np.abs(self.floats(channels, 1, 1))) if kind == "PRelu" else self.op(kind, x)

    def conv(self, x, c, size, out=None, kernel=None, groups=None, same=False):
        """Returns the value, its channels and its size."""
        k = kernel or self.pick([1, 3, 3, 5])
        stride, dilation = (1, 1) if same else (self.pick([1, 1, 2]), self.pick([1, 1, 2]))
        groups = groups or self.pick([1, 1, c] + [2] * (c % 2 == 0))
        out = out or self.pick([4, 6, 8, 16])
        out = out if out % groups == 0 else groups * self.pick([1, 2])
        reach = dilation * (k - 1) + 1
        pads = [self.random.randint(0, reach // 2) for _ in range(4)]
        if same or min(size) + min(pads[0] + pads[2], pads[1] + pads[3]) < reach:
            pads = [reach // 2] * 4
        bias = [self.floats(out)] if self.chance(0.8) else []
        y = self.op("Conv", x, self.weights(out, c // groups, k, k), *bias, kernel_shape=[k, k], strides=[stride] * 2, pads=pads, group=groups,
                    dilations=[dilation] * 2)
        if self.chance(0.25):
            y = self.op("BatchNormalization", y, self.floats(out, around=1), self.floats(out), self.floats(out), np.abs(self.floats(out, around=1)) + F(0.1))
        return y, out, tuple((n + pads[i] + pads[i + 2] - reach) // stride + 1 for i, n in enumerate(size))

    # ------------------------------------------------------------ blocks

    def plain(self):
        self.x, self.c, (self.h, self.w) = self.conv(self.x, self.c, (self.h, self.w))
        self.x = self.activation(self.x, self.c)

    def residual(self):
        y, *_ = self.conv(self.x, self.c, (self.h, self.w), out=self.c, groups=1, kernel=3, same=True)
        both = [self.x, self.activation(y, self.c)]
        self.random.shuffle(both)
        self.x = self.activation(self.op(self.pick(["Add", "Add", "Mul", "Sub", "Min", "Max"]), *both), self.c)

    def excite(self):
        few = max(1, self.c // 2)
        z, *_ = self.conv(self.op("GlobalAveragePool", self.x), self.c, (1, 1), few, 1, 1, True)
        z, *_ = self.conv(self.op("Relu", z), few, (1, 1), self.c, 1, 1, True)
        self.x = self.op("Mul", self.x, self.op(self.pick(["Sigmoid", "HardSigmoid"]), z))

    def pool(self):
        if min(self.h, self.w) < 4:
            return
        kind, k, stride = self.pick(["MaxPool", "AveragePool"]), self.pick([2, 3]), self.pick([1, 2])
        pads = [self.random.randint(0, k - 2) for _ in range(4)]
        more = {"count_include_pad": self.pick([0, 1])} if kind == "AveragePool" else {}
        self.x = self.op(kind, self.x, kernel_shape=[k, k], strides=[stride] * 2, pads=pads, **more)
        self.h, self.w = [(n + pads[i] + pads[i + 2] - k) // stride + 1 for i, n in enumerate((self.h, self.w))]

    def branches(self):
        size = (self.h, self.w)
        a, first, _ = self.conv(self.x, self.c, size, same=True)
        b, second, _ = self.conv(self.x, self.c, size, kernel=1, same=True)
        own = [self.x] if self.chance(0.4) else []
        self.x = self.op("Concat", self.activation(a, first), self.activation(b, second), *own, axis=1)
        self.c = first + second + self.c * len(own)

    def resize(self):
        if self.h > 16:
            return
        mode = self.pick(["nearest", "linear"])
        places = self.pick(["asymmetric", "half_pixel", *(["align_corners"] if mode == "linear" else [])])
        more = {"nearest_mode": self.pick(["floor", "round_prefer_floor"])} if mode == "nearest" else {}
        self.x = self.op("Resize", self.x, "", np.array([1, 1, 2, 2], F), mode=mode, coordinate_transformation_mode=places, **more)
        self.h, self.w = 2 * self.h, 2 * self.w

    def transposed_conv(self):
        if self.h > 16:
            return
        out, k, stride, pad = self.pick([4, 6]), self.pick([2, 3, 4]), self.pick([1, 2]), self.pick([0, 1])
        y = self.op("ConvTranspose", self.x, self.weights(self.c, out, k, k), self.floats(out), kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4)
        self.c, self.h, self.w = out, *[(n - 1) * stride - 2 * pad + k for n in (self.h, self.w)]
        self.x = self.activation(y, out)

    def moved(self):
        kind = self.pick(["shuffle", "pad", "slice", "transpose", "gather", "split", "depth", "tile", "squeeze"])
        if kind == "shuffle" and self.c % 2 == 0:
            y = self.op("Transpose", self.op("Reshape", self.x, np.array([0, 2, self.c // 2, self.h, self.w])), perm=[0, 2, 1, 3, 4])
            self.x = self.op("Reshape", y, np.array([0, self.c, self.h, self.w]))
        elif kind == "pad":
            p = [self.random.randint(0, 2) for _ in range(4)]
            self.x = self.op("Pad", self.x, np.array([0, 0, *p[:2], 0, 0, *p[2:]]), mode=self.pick(["constant", "reflect", "edge"]))
            self.h, self.w = self.h + p[0] + p[2], self.w + p[1] + p[3]
        elif kind == "slice" and self.h > 4:
            step = self.pick([1, 2])
            self.x, self.h = self.op("Slice", self.x, np.array([1]), np.array([self.h]), np.array([2]), np.array([step])), (self.h - 2) // step + 1
        elif kind == "transpose":
            self.x, self.h, self.w = self.op("Transpose", self.x, perm=[0, 1, 3, 2]), self.w, self.h
        elif kind == "gather":
            places = [self.random.randrange(self.c) for _ in range(self.random.randint(2, self.c + 1))]
            self.x, self.c = self.op("Gather", self.x, np.array(places), axis=1), len(places)
        elif kind == "split" and self.c % 2 == 0:
            more = {"num_outputs": 2} if self.opset >= 18 else {}
            self.nodes.append(h.make_node("Split", [self.x], [f"s{self.count}", f"t{self.count}"], name=f"n_s{self.count}", axis=1, **more))
            first, second = f"s{self.count}", f"t{self.count}"
            self.x = self.op("Concat", second, self.activation(first, self.c // 2), axis=1)
        elif kind == "depth" and self.c % 4 == 0:
            self.x, self.c = self.op("DepthToSpace", self.x, blocksize=2, mode=self.pick(["DCR", "CRD"])), self.c // 4
            self.h, self.w = 2 * self.h, 2 * self.w
        elif kind == "tile" and self.w < 14:
            self.x, self.w = self.op("Tile", self.x, np.array([1, 1, 1, 2])), 2 * self.w
        elif kind == "squeeze":
            self.x = self.op("Squeeze", self.op("Unsqueeze", self.x, np.array([1])), np.array([1]))

    def function(self):
        kind = self.pick([*UNARY, "Div", "Sub", "Pow", "Where", "norm", "centred"])
        if kind in UNARY:
            self.x = self.op(kind, self.x)
        elif kind == "Div":
            self.x = self.op("Div", self.x, F(self.pick([2.0, 0.7])))
        elif kind == "Sub":
            self.x = self.op("Sub", self.floats(self.c, 1, 1, spread=1), self.x)
        elif kind == "Pow":
            self.x = self.op("Pow", self.x, F(2))
        elif kind == "Where":
            self.x = self.op("Where", self.numbers.rand(1, self.c, 1, 1) > 0.5, self.x, F(0.1))
        elif kind == "norm":
            self.x = self.op("InstanceNormalization", self.x, self.floats(self.c, around=1), self.floats(self.c))
        else:
            y = self.over(self.pick(["ReduceMax", "ReduceMin", "ReduceMean"]), self.x, [2, 3], keepdims=1)
            self.x = self.op(self.pick(["Sub", "Mul", "Add"]), self.x, y)

    # ------------------------------------------------------------ ends

    def attention(self):
        x = self.op("Transpose", self.op("Reshape", self.x, np.array([0, self.c, self.h * self.w])), perm=[0, 2, 1])
        q, k, v = [self.op("MatMul", x, self.weights(self.c, 8)) for _ in range(3)]
        scores = self.op("MatMul", self.op("Add", q, self.floats(8)), self.op("Transpose", k, perm=[0, 2, 1]))
        x = self.op("MatMul", self.op("Softmax", self.op(self.pick(["Mul", "Div"]), scores, F(self.pick([0.5, 2.8284]))), axis=-1), v)
        self.x, self.rank = self.op("LayerNormalization", x, self.floats(8, around=1), self.floats(8), axis=-1) if self.opset >= 17 else x, 3

    def classifier(self, features):
        self.rank = 2
        for _ in range(self.random.randint(1, 2)):
            out = self.pick([5, 10, 16])
            if self.chance(0.5):
                x = self.op("Gemm", self.x, self.weights(out, features), self.floats(out), transB=1)
            else:
                x = self.op("Add", self.op("MatMul", self.x, self.weights(features, out)), self.floats(out))
            self.x, features = self.activation(x), out
        if self.chance(0.4):
            self.x = self.op("Softmax", self.x, axis=-1)

    def built(self):
        blocks = [self.plain, self.plain, self.residual, self.excite, self.pool, self.branches, self.resize, self.transposed_conv, self.moved, self.function]
        for _ in range(self.random.randint(2, 5)):
            self.pick(blocks)()
        end = self.pick(["pool", "flat", "mean", "attention", "none"])
        if end == "attention" and self.h * self.w <= 400:
            self.attention()
        elif end in ("pool", "mean") or (end == "flat" and self.c * self.h * self.w < 6000):
            if end == "mean":
                self.x = self.over("ReduceMean", self.x, [2, 3], keepdims=0)
            else:
                self.x = self.op("Flatten", self.op("GlobalAveragePool", self.x) if end == "pool" else self.x)
            self.classifier(self.c * (self.h * self.w if end == "flat" else 1))
        output = h.make_tensor_value_info(self.x, T.FLOAT, ["N", *[f"d{i}" for i in range(self.rank - 1)]])
        graph = h.make_graph(self.nodes, "net", [h.make_tensor_value_info("x", T.FLOAT, ["N", *self.shape])], [output], self.constants)
        return onnx.shape_inference.infer_shapes(h.make_model(graph, opset_imports=[h.make_opsetid("", self.opset)], ir_version=9))


class Batches(CalibrationDataReader):
    def __init__(self, net):
        self.left = [{"x": net.numbers.randn(4, *net.shape).astype(F)} for _ in range(4)]

    def get_next(self):
        return self.left.pop() if self.left else None


def quantized(net, path):
    """path: of the float model, beside which model.onnx goes."""
    out, per_channel, reduce_range = path.with_name("model.onnx"), net.chance(0.5), net.chance(0.2)
    if net.chance(0.15):
        return quantize_dynamic(path, out, per_channel=per_channel, reduce_range=reduce_range, weight_type=QuantType.QInt8)
    u8, s8, u16 = QuantType.QUInt8, QuantType.QInt8, QuantType.QUInt16
    activations, weights = net.pick([(u8, s8), (u8, s8), (s8, s8), (u8, u8), (u16, s8)])
    wide = activations == u16
    form = QuantFormat.QDQ if wide else net.pick([QuantFormat.QDQ, QuantFormat.QDQ, QuantFormat.QOperator])
    return quantize_static(
        path, out, Batches(net), quant_format=form, activation_type=activations, weight_type=weights, reduce_range=reduce_range,
        per_channel=per_channel and not (form == QuantFormat.QOperator and weights == u8),
        calibrate_method=net.pick([CalibrationMethod.MinMax, CalibrationMethod.MinMax, CalibrationMethod.Percentile]),
        extra_options={"ActivationSymmetric": net.chance(0.2), "UseQDQContribOps": wide})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=20)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    spec = importlib.util.spec_from_file_location("qdiff_onnx", EXPORTER)
    exporter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(exporter)
    for seed in range(options.each):
        folder = options.out / f"net-{options.seed}-{seed}"
        folder.mkdir(parents=True)
        net = Net(1000 * options.seed + seed)
        onnx.save(net.built(), folder / "float.onnx")
        try:
            quantized(net, folder / "float.onnx")
        except RuntimeError:  # the quantizer loses the name of a tensor that two operators read
            shutil.rmtree(folder)
            continue
        inputs = {"x": (net.numbers.randn(3, *net.shape) * net.pick([1, 1.3])).astype(F)}
        with contextlib.redirect_stdout(io.StringIO()):
            exporter.capture(folder / "model.onnx", inputs, folder / "capture.npz")
    (options.out / "runtime.json").write_text(json.dumps({"version": onnxruntime.__version__}))


if __name__ == "__main__":
    main()
