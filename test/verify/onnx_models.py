#!/usr/bin/env python3
"""One operator a graph, with drawn parameters, between DequantizeLinear and QuantizeLinear, as QLinear or dynamic; captured by the exporter.

    python onnx_models.py OUT --seed 1 --count 200        OUT/NAME/model.onnx and capture.npz; OUT/runtime.json
"""
import argparse
import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src" / "exporters" / "onnx"))
import qdiff_onnx  # noqa: E402

F = np.float32
MS = "com.microsoft"


class Graph:
    def __init__(self, rng):
        self.rng, self.nodes, self.tensors, self.feeds, self.outputs = rng, [], [], {}, ["y"]
        self.dtype = [np.uint8, np.int8][rng.integers(2)]
        self.lowest = int(np.iinfo(self.dtype).min)

    def const(self, value):
        name = f"c{len(self.tensors)}"
        self.tensors.append(nh.from_array(np.asarray(value), name))
        return name

    def op(self, kind, inputs, name, domain="", **attributes):
        self.nodes.append(h.make_node(kind, inputs, [name], name=f"node_{name}", domain=domain, **attributes))
        return name

    def params(self, scale=None, zero=None):
        scale = self.rng.uniform(0.01, 0.05) if scale is None else scale
        zero = self.lowest + int(self.rng.integers(60, 200)) if zero is None else zero
        return [self.const(F(scale)), self.const(self.dtype(zero))]

    def input(self, name, *shape, samples=4):
        self.feeds[name] = (self.rng.standard_normal((samples, *shape)) * 1.5).astype(F)
        return name

    def codes(self, name, *shape):
        """A quantized input: its codes, reals, and parameters."""
        params = self.params()
        self.op("QuantizeLinear", [self.input(name, *shape), *params], f"{name}_q")
        return f"{name}_q", params

    def reals(self, name, *shape):
        codes, params = self.codes(name, *shape)
        return self.op("DequantizeLinear", [codes, *params], f"{name}_d")

    def weights(self, *shape, channels, axis):
        scales = self.rng.uniform(0.005, 0.015, channels if self.rng.random() < 0.5 else ()).astype(F)
        inputs = [self.const(self.int8(*shape)), self.const(scales), self.const(np.zeros(scales.shape, np.int8))]
        return self.op("DequantizeLinear", inputs, "w_d", axis=axis)

    def int8(self, *shape):
        return self.rng.integers(-128, 128, shape).astype(np.int8)

    def bias(self, channels):
        return [self.const((self.rng.standard_normal(channels) * 0.3).astype(F))] if self.rng.random() < 0.7 else []

    def out(self, real, scale=None, zero=None):
        params = self.params(self.rng.uniform(0.02, 0.06) if scale is None else scale, zero)
        self.op("DequantizeLinear", [self.op("QuantizeLinear", [real, *params], "y_q"), *params], "y")


def conv(g):
    real = g.op("Conv", [g.reals("x", 4, 7, 6), g.weights(6, 4, 3, 3, channels=6, axis=0), *g.bias(6)], "op", pads=[1, 0, 1, 1], strides=[1, 2])
    g.out(g.op("Relu", [real], "relu") if g.rng.random() < 0.4 else real)


def gemm(g):
    factors = {"alpha": 0.5} if g.rng.random() < 0.3 else {}
    g.out(g.op("Gemm", [g.reals("x", 24), g.weights(24, 9, channels=9, axis=1), *g.bias(9)], "op", **factors))


def qlinear_conv(g):
    codes, params = g.codes("x", 6, 6, 6)
    group = int(g.rng.choice([1, 2, 6]))
    weights = [g.const(g.int8(6, 6 // group, 3, 3)), g.const(F(0.01)), g.const(np.int8(0))]
    outputs = g.params(0.1)
    bias = g.const(g.rng.integers(-2000, 2000, 6).astype(np.int32))
    g.op("QLinearConv", [codes, *params, *weights, *outputs, bias], "y_q", group=group, pads=[1, 1, 0, 1], dilations=[1, 2])
    g.op("DequantizeLinear", ["y_q", *outputs], "y")


def conv_integer(g):
    g.nodes.append(h.make_node("DynamicQuantizeLinear", [g.input("x", 4, 6, 6)], ["q", "s", "z"], name="node_q"))
    ints = g.op("ConvInteger", ["q", g.const(g.int8(5, 4, 3, 3)), "z"], "ints")
    g.op("Mul", [g.op("Cast", [ints], "cast", to=T.FLOAT), g.op("Mul", ["s", g.const(F(0.01))], "ss")], "y")


def of_two(kind):
    def make(g):
        a = g.reals("x", 5, 12)
        b = g.reals("x2", 5, 12) if g.rng.random() < 0.6 else g.reals("x2", 1, 12)
        g.out(g.op(kind, [a, b], "op"))
    return make


def of_one(kind, *shape, scale=None, zero=None, **attributes):
    return lambda g: g.out(g.op(kind, [g.reals("x", *(shape or (4, 6, 6)))], "op", **attributes), scale, zero and zero(g))


def where(g):
    a, b = g.reals("x", 4, 9), g.reals("x2", 4, 9)
    g.out(g.op("Where", [g.const(g.rng.random((4, 9)) < 0.5), a, b], "op"))


def concat(g):
    g.out(g.op("Concat", [g.reals("x", 3, 8), g.reals("x2", 2, 8)], "op", axis=1))


def layer_norm(g):
    numbers = [g.const(g.rng.uniform(0.5, 1.5, 16).astype(F)), g.const(g.rng.standard_normal(16).astype(F))]
    g.out(g.op("LayerNormalization", [g.reals("x", 5, 16), *numbers], "op", axis=-1))


def resize(g):
    factors = g.const(np.array([1, 1, 1.5, 2.5], F))
    grid = str(g.rng.choice(["half_pixel", "align_corners", "asymmetric"]))
    g.out(g.op("Resize", [g.reals("x", 4, 6, 6), "", factors], "op", mode="linear", coordinate_transformation_mode=grid))


def transposed(g):
    weights = g.weights(4, 6, 3, 3, channels=6, axis=1)
    g.out(g.op("ConvTranspose", [g.reals("x", 4, 5, 5), weights, *g.bias(6)], "op", strides=[2, 1], pads=[1, 0, 0, 1]))


def embedding(g):
    table, params = g.int8(50, 12), g.params()
    rows = g.op("DequantizeLinear", [g.const(table.astype(g.dtype)), *params], "table_d")
    g.feeds["x"] = g.rng.integers(0, 50, (4, 9))
    g.op("DequantizeLinear", [g.op("QuantizeLinear", [g.op("Gather", [rows, "x"], "op"), *params], "y_q"), *params], "y")


def resize_nearest(g):
    factors = g.const(np.array([1, 1, *g.rng.uniform(0.5, 3, 2)], F))
    grid = str(g.rng.choice(["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]))
    rounded = str(g.rng.choice(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]))
    settings = {"coordinate_transformation_mode": grid, "nearest_mode": rounded}
    g.out(g.op("Resize", [g.reals("x", 4, 6, 6), "", factors], "op", mode="nearest", **settings))


def slice_backwards(g):
    bounds = [g.const(np.array([value], np.int64)) for value in (-1, -100, 2, -2)]
    g.out(g.op("Slice", [g.reals("x", 5, 9), *bounds], "op"))


def conv_integer_int8(g):
    """int8 images and uint8 filters."""
    g.dtype, g.lowest = np.int8, -128
    codes, (_, zero) = g.codes("x", 4, 6, 6)
    filters = g.const(g.rng.integers(0, 256, (5, 4, 3, 3)).astype(np.uint8))
    ints = g.op("ConvInteger", [codes, filters, zero], "ints")
    g.op("Mul", [g.op("Cast", [ints], "cast", to=T.FLOAT), g.const(F(0.01))], "y")


def on_floats(kind, *shape, **attributes):
    return lambda g: g.op(kind, [g.input("x", *shape)], "y", **attributes)


def floats(g, *shape):
    return g.const(g.rng.standard_normal(shape).astype(F))


def conv_float(g):
    group = int(g.rng.choice([1, 2]))
    real = g.op("Conv", [g.input("x", 4, 7, 6), floats(g, 6, 4 // group, 3, 3), *g.bias(6)], "op", group=group, pads=[1, 0, 1, 1], strides=[1, 2])
    g.op("Relu", [real], "y") if g.rng.random() < 0.5 else g.op("Neg", [real], "y")


def conv_transpose_float(g):
    group = int(g.rng.choice([1, 2]))
    settings = {"strides": [2, 1], "pads": [1, 0, 0, 1], "output_padding": [1, 0], "group": group}
    g.op("ConvTranspose", [g.input("x", 4, 5, 5), floats(g, 4, 6 // group, 3, 3), *g.bias(6)], "y", **settings)


def gemm_float(g):
    factors = {"alpha": 0.3, "beta": 1.7} if g.rng.random() < 0.5 else {}
    columns = g.rng.random() < 0.5
    weights = floats(g, 24, 9) if columns else floats(g, 9, 24)
    real = g.op("Gemm", [g.reals("x", 24), weights, *g.bias(9)], "op", transB=int(not columns), **factors)
    g.op("Relu", [real], "y") if g.rng.random() < 0.5 else g.op("Neg", [real], "y")


def matmul_float(g):
    real = g.op("MatMul", [g.input("x", 5, 16), floats(g, 16, 9)], "op")
    g.op("Add", [floats(g, 9), real], "y") if g.rng.random() < 0.5 else g.out(real)


def simplified_norm(g):
    """As people write it, in both ways."""
    x = g.input("x", 5, 24)
    two, eps, one, weight = (g.const(F(value)) for value in (2, 1e-6, 1, g.rng.uniform(0.5, 1.5, 24)))
    mean = g.op("ReduceMean", [g.op("Pow", [x, two], "p"), g.const(np.array([-1]))], "m")
    root = g.op("Sqrt", [g.op("Add", [mean, eps], "e")], "r")
    real = g.op("Div", [x, root], "q") if g.rng.random() < 0.5 else g.op("Mul", [x, g.op("Div", [one, root], "o")], "q")
    g.op("Mul", [weight, real] if g.rng.random() < 0.5 else [real, weight], "y")


def quotient(g):
    one = g.const(F(1))
    g.op("Mul", [g.input("x", 4, 9), g.op("Div", [one, g.input("x2", 4, 9)], "q")], "y")


def skip_norm(g):
    """A residual, and at times a bias, that is added before the norm; the sum is given out where a block behind adds to it."""
    x, skip = g.input("x", 5, 24), g.input("x2", 5, 24)
    numbers = [g.const(g.rng.uniform(0.5, 1.5, 24).astype(F))]
    simplified, biased = g.rng.random() < 0.4, g.rng.random() < 0.5
    numbers += [] if simplified else [g.const(g.rng.standard_normal(24).astype(F)) if g.rng.random() < 0.8 else ""]
    numbers += [g.const(g.rng.standard_normal(24).astype(F)) if biased else ""]
    kind = "SkipSimplifiedLayerNormalization" if simplified else "SkipLayerNormalization"
    eps = {"epsilon": float(10.0 ** -g.rng.integers(3, 13))} if g.rng.random() < 0.7 else {}
    outputs = ["y"] if biased or g.rng.random() < 0.5 else ["y", "", "", "sum"]
    g.nodes.append(h.make_node(kind, [x, skip, *numbers], outputs, name="op", domain=MS, **eps))
    g.outputs = [name for name in outputs if name]


def bias_gelu(g):
    g.op(["BiasGelu", "FastGelu"][g.rng.integers(2)], [g.input("x", 5, 24), g.const(g.rng.standard_normal(24).astype(F))], "y", domain=MS)


def q_attention(g):
    """Of floats that it quantizes, or of codes; behind no mask, or one of a number a place; or causal."""
    rng = g.rng
    values, places = int(rng.integers(3, 40)), int(rng.integers(2, 9))
    x = g.input("x", places, values, samples=5)
    kind = ["none", "places", "causal"][rng.integers(3)]
    if kind == "places":
        g.feeds["mask"] = (rng.random((5, places)) < 0.7).astype(np.int32)
    attention_of(g, x, values, "mask" if kind == "places" else "", {"unidirectional": 1} if kind == "causal" else {})


def attention_of(g, x, values, mask, more):
    rng = g.rng
    heads, size = int(rng.integers(1, 5)), int(rng.integers(1, 9))
    columns = 3 * heads * size
    signed, many = rng.random() < 0.5, rng.random() < 0.5
    codes = g.int8(values, columns) if signed else rng.integers(0, 256, (values, columns), np.uint8)
    scales = rng.uniform(0.002, 0.02, columns if many else ()).astype(F)
    zeros = np.zeros(scales.shape, np.int8) if signed else np.full(scales.shape, rng.integers(90, 160), np.uint8)
    if rng.random() < 0.6:
        g.nodes.append(h.make_node("DynamicQuantizeLinear", [x], ["q", "s", "z"], name="node_q"))
        scale, zero = "s", "z"
    else:
        scale, zero = g.const(F(rng.uniform(0.01, 0.05))), g.const(np.uint8(rng.integers(60, 200)))
        g.op("QuantizeLinear", [x, scale, zero], "q")
    filtered = {"mask_filter_value": -1000.0} if mask and rng.random() < 0.3 else {}
    inputs = ["q", g.const(codes), g.const((rng.standard_normal(columns) * 0.3).astype(F)), scale, g.const(scales), mask, zero, g.const(zeros)]
    g.op("QAttention", inputs, "y", domain=MS, num_heads=heads, **more, **filtered)


def embed_norm(g):
    """Words, places and, at times, segments; of floats or of codes."""
    embedded(g, ["y", "counts"])


def embedded_attention(g):
    """It sees as many places as the mask of the words has ones."""
    attention_of(g, "e", embedded(g, ["e", "counts"]), "counts", {})


def embedded(g, outputs):
    rng = g.rng
    size, places, coded, has_segments = int(rng.integers(2, 40)), int(rng.integers(2, 9)), rng.random() < 0.6, rng.random() < 0.6
    kind = [np.uint8, np.int8][rng.integers(2)]
    limits = np.iinfo(kind)
    g.feeds["words"] = rng.integers(0, 50, (5, places)).astype(np.int32)
    if has_segments:
        g.feeds["segments"] = rng.integers(0, 2, (5, places)).astype(np.int32)
    g.feeds["mask"] = (rng.random((5, places)) < 0.7).astype(np.int32)
    scales, zeros = [], []

    def table(*shape):
        if not coded:
            return g.const((rng.standard_normal(shape) * 0.5).astype(F))
        scales.append(g.const(F(rng.uniform(0.005, 0.02))))
        zeros.append(g.const(kind(rng.integers(limits.min + 100, limits.max - 100))))
        return g.const(rng.integers(limits.min, limits.max + 1, shape).astype(kind))

    def absent():
        scales.append("")
        zeros.append("")
        return ""

    tables = [table(50, size), table(places + 3, size), table(2, size) if has_segments else absent(), table(size), table(size)]
    inputs = ["words", "segments" if has_segments else "", *tables]
    eps = {"epsilon": float(10.0 ** -rng.integers(3, 13))} if rng.random() < 0.7 else {}
    inputs += ["mask", *scales, *zeros] if coded else ["mask"]
    g.nodes.append(h.make_node("QEmbedLayerNormalization" if coded else "EmbedLayerNormalization", inputs, outputs, name="embedded", domain=MS, **eps))
    return size


def n_bits(g):
    """MatMulNBits: as many bits, blocks and kinds of zero points as ONNX Runtime takes."""
    rng = g.rng
    bits, block, level = int(rng.choice([2, 4, 4, 8])), int(rng.choice([16, 32, 64, 128, 256])), int(rng.choice([0, 1, 4, 4]))
    depth, rows = int(rng.integers(8, 300)), int(rng.integers(1, 20))
    blocks = -(-depth // block)
    inputs = [g.input("x", int(rng.integers(1, 4)), depth), g.const(rng.integers(0, 256, (rows, blocks, block * bits // 8)).astype(np.uint8))]
    inputs.append(g.const((rng.uniform(0.01, 0.05, rows * blocks) * rng.choice([-1, 1], rows * blocks)).astype(F)))
    zero = rng.choice(["none", "codes"] + ["floats"] * (bits < 8))
    packed = rng.integers(0, 256, rows * -(-blocks * bits // 8)).astype(np.uint8)
    inputs.append("" if zero == "none" else g.const(packed if zero == "codes" else rng.uniform(0, 2 ** bits, rows * blocks).astype(F)))
    inputs += ["", *g.bias(rows)]
    g.op("MatMulNBits", inputs, "y", MS, K=depth, N=rows, bits=bits, block_size=block, accuracy_level=level)


def few_bits(g):
    """Dequantized weights of 4 or 8 bits beside floats: MatMulNBits, or a Gemm of floats."""
    rng, kind = g.rng, [T.INT4, T.UINT4, T.INT8, T.UINT8][g.rng.integers(4)]
    depth, channels, how = 16 * int(rng.integers(1, 12)), int(rng.integers(1, 12)), rng.integers(3)
    rows = rng.random() < 0.3
    low, high = {T.INT4: (-8, 8), T.UINT4: (0, 16), T.INT8: (-128, 128), T.UINT8: (0, 256)}[kind]
    shape = (channels, depth) if rows else (depth, channels)
    scales = [(), (channels,), (channels, depth // 16) if rows else (depth // 16, channels)][how]

    def codes(shape):
        name = f"c{len(g.tensors)}"
        g.tensors.append(h.make_tensor(name, kind, shape, rng.integers(low, high, shape).flatten().tolist()))
        return name

    inputs = [codes(shape), g.const(rng.uniform(0.01, 0.05, scales).astype(F)), *([codes(scales)] if rng.random() < 0.7 else [])]
    depth_axis = 1 if rows else 0
    w = g.op("DequantizeLinear", inputs, "w", **({"axis": depth_axis, "block_size": 16} if how == 2 else {"axis": 1 - depth_axis}))
    x = g.input("x", depth)
    if rows:
        g.op("Gemm", [x, w, *g.bias(channels)], "y", transB=1)
    elif rng.random() < 0.5:
        g.op("MatMul", [x, w], "y")
    else:
        g.op("Add", [g.op("MatMul", [x, w], "m"), floats(g, channels)], "y")


def few_bits_between(g):
    """Weights of 4 or 16 bits between codes."""
    kind, most = [(T.INT4, 8), (T.INT16, 32768)][g.rng.integers(2)]
    g.tensors.append(h.make_tensor("w", kind, (6, 4, 3, 3), g.rng.integers(-most, most, 216).tolist()))
    scales = g.rng.uniform(0.02, 0.1, 6 if g.rng.random() < 0.5 else ()).astype(F) * F(8 / most)
    w = g.op("DequantizeLinear", ["w", g.const(scales)], "w_d", axis=0)
    real = g.op("Conv", [g.reals("x", 4, 7, 6), w, *g.bias(6)], "op", pads=[1, 0, 1, 1])
    g.out(g.op("Relu", [real], "relu") if g.rng.random() < 0.4 else real)


def lstm(g):
    """Of 5 sequences, or with time first; sums that saturate without VNNI, where its weights are int8."""
    rng, x = g.rng, "x"
    values, cells, both = int(rng.integers(1, 40)), int(rng.integers(1, 40)), rng.random() < 0.4
    directions, spread = 2 if both else 1, rng.random() < 0.5
    signed = rng.random() < 0.6
    attributes = {"hidden_size": cells, "direction": "bidirectional" if both else ["forward", "reverse"][rng.integers(2)]}
    attributes |= {"clip": 1.2} if rng.random() < 0.3 else {}
    attributes |= {"input_forget": 1} if rng.random() < 0.3 else {}

    def part(rows):
        codes = g.int8(directions, rows, 4 * cells) if signed else rng.integers(0, 256, (directions, rows, 4 * cells), np.uint8)
        shape = (directions, 4 * cells) if spread else (directions,)
        zero = np.zeros(shape, np.int8) if signed else np.full(shape, rng.integers(90, 160), np.uint8)
        return g.const(codes), g.const(rng.uniform(0.002, 0.01, shape).astype(F)), g.const(zero)

    (w, w_scale, w_zero), (r, r_scale, r_zero) = part(values), part(cells)
    bias = g.const((rng.standard_normal((directions, 8 * cells)) * 0.3).astype(F)) if rng.random() < 0.7 else ""
    peephole = g.const((rng.standard_normal((directions, 3 * cells)) * 0.4).astype(F)) if rng.random() < 0.3 else ""
    steps = g.input(x, 6, values, samples=5)
    if rng.random() < 0.7:
        steps = g.op("Transpose", [steps], "steps", perm=[1, 0, 2])
    inputs = [steps, w, r, bias, "", "", "", peephole, w_scale, w_zero, r_scale, r_zero]
    outputs = ["y", "hidden", "cell"] if steps == "steps" else ["y"]
    g.nodes.append(h.make_node("DynamicQuantizeLSTM", inputs, outputs, name="op", domain=MS, **attributes))
    g.outputs = outputs


POOL = {"kernel_shape": [2, 2], "strides": [2, 1], "pads": [1, 0, 0, 1]}
KINDS = {
    "conv": conv, "gemm": gemm, "qlinear_conv": qlinear_conv, "conv_integer": conv_integer, "where": where, "concat": concat,
    "layer_norm": layer_norm, "resize": resize, "conv_transpose": transposed,
    **{kind.lower(): of_two(kind) for kind in ("Add", "Mul", "Sub", "Div", "Max", "Min", "MatMul") if kind != "MatMul"},
    **{kind.lower(): of_one(kind) for kind in ("Sigmoid", "Tanh", "HardSwish", "Erf", "Relu", "Elu", "Gelu", "GlobalAveragePool")},
    "leaky_relu": of_one("LeakyRelu", alpha=0.1), "max_pool": of_one("MaxPool", **POOL), "average_pool": of_one("AveragePool", **POOL),
    "embedding": embedding, "resize_nearest": resize_nearest, "slice_backwards": slice_backwards, "conv_integer_int8": conv_integer_int8,
    "conv_float": conv_float, "conv_transpose_float": conv_transpose_float, "gemm_float": gemm_float, "matmul_float": matmul_float,
    "reciprocal": on_floats("Reciprocal", 4, 9), "log_softmax": on_floats("LogSoftmax", 5, 11, axis=-1),
    "softmax": of_one("Softmax", 5, 11, scale=1 / 256, zero=lambda g: g.lowest, axis=-1),
    "lstm": lstm, "simplified_norm": simplified_norm, "quotient": quotient,
    "skip_norm": skip_norm, "bias_gelu": bias_gelu, "q_attention": q_attention, "embed_norm": embed_norm, "embedded_attention": embedded_attention,
    "n_bits": n_bits, "few_bits": few_bits, "few_bits_between": few_bits_between,
}


def write(folder, kind, seed):
    g = Graph(np.random.default_rng([seed, list(KINDS).index(kind)]))
    KINDS[kind](g)
    inputs = [h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(value.dtype), ["N", *value.shape[1:]]) for name, value in g.feeds.items()]
    graph = h.make_graph(g.nodes, "g", inputs, [h.make_tensor_value_info(name, T.FLOAT, None) for name in g.outputs], g.tensors)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 21), h.make_opsetid(MS, 1)], ir_version=10)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    with contextlib.redirect_stdout(io.StringIO()):
        qdiff_onnx.capture(folder / "model.onnx", g.feeds, folder / "capture.npz")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=8)
    options = parser.parse_args()
    for kind in KINDS:
        for k in range(options.each):
            write(options.out / f"{kind}-{k}", kind, options.seed * 1000 + k)
    (options.out / "runtime.json").write_text(json.dumps({"version": onnxruntime.__version__}))


if __name__ == "__main__":
    main()
