"""Graphs of every operator that qdiff replays under TFLite's runtimes: each operator alone, and networks as people have them."""
import numpy as np

from tflite_file import ACTIVATIONS, RANGE, Net
from tflite_layers import (SAME, VALID, binary, concat, constant, conv, dense, depthwise, dequantize, float_constant, float_conv, float_dense, float_transpose_conv, hybrid_conv, hybrid_dense, matmul, move, pad, pool,
                           quantize, reduce, reshape, resize, split, strided_slice, table, transpose, transpose_conv, unary)

ACTS = ("none", "relu", "relu6", "relu_n1_to_1")
OUT = {}  # name -> (seed, size) -> Net


def network(name):
    def keep(make):
        OUT[name] = make
        return make
    return keep


def done(net, *values):
    net.outputs = list(values)
    return net


# ------------------------------------------------------------ single operators, all types: alone on an input of `size` pixels

def image(net, size, channels, dtype=None, scale=0.02):
    return net.input((1, size + int(net.rng.integers(0, 3)), size, channels), scale, dtype=dtype)


def alone(name, dtype, channels, body):
    @network(f"{name} {dtype}")
    def make(seed, size, dtype=dtype, channels=channels, body=body):
        net = Net(seed, dtype)
        x = image(net, size, channels, scale=net.rng.uniform(0.01, 0.05) / (256 if dtype == "int16" else 1))
        return done(net, *np.atleast_1d(body(net, x)))


def pick(net, choices):
    return choices[int(net.rng.integers(len(choices)))]


def any_conv(net, x):
    kernel, stride = pick(net, [(1, 1), (3, 3), (2, 3), (5, 1)]), pick(net, [(1, 1), (2, 2), (1, 2)])
    dilation = pick(net, [(1, 1), (1, 1), (2, 2)]) if stride == (1, 1) else (1, 1)
    return kernel, stride, dilation, pick(net, (SAME, VALID))


def any_weights(net):
    return {"act": pick(net, ACTS[: 2 if net.dtype == "int16" else 4]), "bias": pick(net, ("drawn", "drawn", "none")), "per_channel": bool(net.rng.integers(3))}


for kind in ("int8", "uint8", "int16"):
    def body(net, x):
        kernel, stride, dilation, padding = any_conv(net, x)
        return conv(net, x, 21, kernel, stride, padding, dilation, **{**any_weights(net), "bias": "drawn"})
    alone("conv", kind, 6, body)

    def body(net, x):
        kernel, stride, dilation, padding = any_conv(net, x)
        more = {**any_weights(net), **({"bias": "drawn"} if net.dtype == "uint8" else {})}  # without, LiteRT's builtin kernel crashes
        return depthwise(net, x, kernel, stride, padding, dilation, pick(net, (1, 1, 2)), **more)
    alone("depthwise", kind, 13, body)

    def body(net, x):
        return transpose_conv(net, x, 11, pick(net, ((3, 3), (2, 2), (4, 3), (1, 1))), pick(net, ((2, 2), (1, 1), (2, 1))), pick(net, (SAME, VALID)),
                              **{**any_weights(net), "act": "none"})
    alone("transposed", kind, 5, body)

    def body(net, x):
        _, h, w, c = net.shapes[x]
        return dense(net, reshape(net, x, (h * w, c)), 33, **{**any_weights(net), "per_channel": net.dtype != "uint8" and bool(net.rng.integers(2))})
    alone("dense", kind, 37, body)

    def body(net, x):
        other = quantize(net, x, net.rng.uniform(0.004, 0.06) / (256 if net.dtype == "int16" else 1)) if net.dtype != "int16" else constant(net, net.shapes[x], 0.00007)
        more = {"potScaleInt16": False} if net.dtype == "int16" else {}
        acts = ACTS[: 1 if net.dtype == "int16" else 3]
        added = binary(net, "ADD", x, other, pick(net, acts), **more)
        return [added, binary(net, "SUB", added, other, pick(net, acts), **more), binary(net, "MUL", x, other, pick(net, acts)),
                binary(net, "ADD", x, constant(net, [net.shapes[x][-1]], 0.013 / (256 if net.dtype == "int16" else 1)), **more),
                binary(net, "MUL", x, constant(net, [], 0.013), "none")]
    alone("binary", kind, 7, body)

    def body(net, x):
        return [pool(net, x, code, size, stride, padding, act) for code, size, stride, padding, act in
                (("MAX_POOL_2D", (3, 2), (2, 1), VALID, "none"), ("MAX_POOL_2D", (2, 2), (3, 3), SAME, "relu"), ("MAX_POOL_2D", (3, 3), (1, 1), SAME, "relu6"),
                 ("AVERAGE_POOL_2D", (3, 2), (2, 2), SAME, "none"), ("AVERAGE_POOL_2D", (5, 5), (1, 1), VALID, "relu6"),
                 ("AVERAGE_POOL_2D", (2, 3), (2, 3), SAME, "relu"))]
    alone("pools", kind, 7, body)

    def body(net, x):
        means = [reduce(net, x, "MEAN", axes, keep) for axes, keep in (((1, 2), True), ((1, 2), False), ((3,), True), ((-1,), False), ((1,), True), ((1, 2, 3), True))]
        return means + ([] if net.dtype == "int16" else [reduce(net, x, "SUM", axes, keep) for axes, keep in (((1, 2), True), ((3,), False))])
    alone("reduced", kind, 45, body)

    def body(net, x):
        flat = reshape(net, x, (1, int(np.prod(net.shapes[x][1:]))))
        rows = reshape(net, x, (net.shapes[x][1] * net.shapes[x][2], net.shapes[x][3]))
        made = [table(net, flat, "LOGISTIC"), table(net, flat, "TANH"), table(net, rows, "SOFTMAX"), table(net, x, "SOFTMAX")]
        slopes = [unary(net, flat, "LEAKY_RELU", alpha=alpha) for alpha in (0.1, -0.25, 0.5)]
        if net.dtype == "int16":
            return made + slopes + [unary(net, x, "RELU")]
        return made + slopes + [unary(net, x, "RELU"), unary(net, x, "RELU6"), unary(net, x, "HARD_SWISH", version=1)]
    alone("functions", kind, 9, body)

    def body(net, x):
        _, h, w, c = net.shapes[x]
        flat = reshape(net, x, (1, h * w * c))
        padded = pad(net, x, [[0, 0], [1, 2], [0, 3], [0, 0]])
        turned = transpose(net, padded, (0, 3, 1, 2))
        a, b = split(net, strided_slice(net, padded, [0, 1, 0, 0], [1, h - 1, w, c - c % 2]), 3, 2)
        sliced = move(net, x, "SLICE", (1, h - 1, w, c), [0, 1, 0, 0], [1, h - 1, -1, c])
        return [turned, concat(net, [a, b, b], 3), sliced, strided_slice(net, flat, [0, 3], [1, 40], [1, 2]), strided_slice(net, x, [0, 1, 0, 0], [1, 2, w, c], shrinkAxisMask=2),
                resize(net, x, "RESIZE_NEAREST_NEIGHBOR", (2 * h, w + 3)), resize(net, x, "RESIZE_NEAREST_NEIGHBOR", (h + 1, 2 * w), half=True),
                move(net, x, "EXPAND_DIMS", (1, 1, h, w, c), 1), reshape(net, turned, (1, int(np.prod(net.shapes[turned])))),
                *([] if net.dtype == "int16" else [pad(net, x, [[0, 0], [1, 0], [0, 1], [0, 0]], 5)])]
    alone("moves", kind, 6, body)

    def body(net, x):
        _, h, w, _ = net.shapes[x]
        return [resize(net, x, "RESIZE_BILINEAR", size, align, half) for size, align, half in
                (((2 * h, 2 * w), False, False), ((h + 5, w - 2), True, False), ((2 * h + 1, w + 3), False, True))]
    alone("resized", kind, 6, body)

for kind in ("int8", "int16"):
    @network(f"matmul {kind}")
    def make(seed, size, kind=kind):
        net = Net(seed, kind)
        unit = 1 if kind == "int8" else 256
        a = net.input((2, 3, size, 16), 0.03 / unit, name="a")
        b = net.input((2, 3, 16, size), 0.02 / unit, 0 if seed % 2 else None, name="b")
        product = matmul(net, a, b)
        return done(net, product, matmul(net, product, product, adj_y=True), matmul(net, a, a, adj_x=True))

for kind in ("int8", "uint8"):
    @network(f"quantize {kind}")
    def make(seed, size, kind=kind):
        net = Net(seed, kind)
        x = net.input((1, size, size, 3), dtype="float32")
        q = quantize(net, x, net.rng.uniform(0.006, 0.03))
        again = quantize(net, q, net.rng.uniform(0.004, 0.05))
        other = quantize(net, again, net.params[again][0], "uint8" if kind == "int8" else "int8", net.params[again][1] + (128 if kind == "int8" else -128))
        return done(net, again, quantize(net, other, 0.02), dequantize(net, other), dequantize(net, again))

    @network(f"joined {kind}")
    def make(seed, size, kind=kind):
        """CONCATENATION of other scales (uint8), of more inputs than the delegate takes."""
        net = Net(seed, kind)
        x = image(net, size, 4)
        scaled = [quantize(net, x, 0.01 + 0.01 * i) for i in range(3)] if kind == "uint8" else [x, pool(net, x, size=(1, 1), stride=(1, 1)), x]
        return done(net, concat(net, scaled, 3), concat(net, [x] * 6, 2))

@network("conv int16, int32 bias")
def make(seed, size):
    net = Net(seed, "int16")
    x = image(net, size, 8, scale=0.0002)
    first = conv(net, x, 12, bias="int32", quantized_bias=2)
    return done(net, conv(net, first, 10, groups=2, bias="int32", quantized_bias=2))

@network("dense int4")
def make(seed, size):
    net = Net(seed, "int8")
    x = net.input((size, 24), 0.03)
    hidden = dense(net, x, 17, w_dtype="int4", act="relu")
    return done(net, dense(net, hidden, 9, w_dtype="int4"))

@network("dense int8, weight zero points")
def make(seed, size):
    net = Net(seed, "int8")
    x = net.input((size, 40), 0.03)
    return done(net, dense(net, x, 25, w_zero=int(net.rng.integers(-9, 9)), act=pick(net, ACTS)))

@network("conv grouped int8")
def make(seed, size):
    net = Net(seed, "int8")
    x = image(net, size, 12)
    return done(net, conv(net, conv(net, x, 18, groups=3, act="relu"), 8, (3, 1), (2, 1), VALID, groups=2))

@network("hybrid")
def make(seed, size):
    net = Net(seed, "int8")
    x = net.input((2, size, size, 5), dtype="float32")
    a = hybrid_conv(net, x, 9, act=pick(net, ACTS))
    b = hybrid_conv(net, hybrid_conv(net, hybrid_conv(net, a, 12, (1, 1)), 12, groups=3), 12, (1, 1), groups=2)
    c = hybrid_conv(net, b, 2, (3, 2), (2, 2), depth=True)
    d = hybrid_conv(net, c, 6, (2, 2), (2, 2), VALID, per_channel=False)
    rows = net.tensor((int(np.prod(net.shapes[d][:-1])), 6), "float32")
    net.op("RESHAPE", [d, net.ints(list(net.shapes[rows]))], [rows])
    e = hybrid_dense(net, rows, 10, per_channel=True)
    return done(net, hybrid_dense(net, e, 5, asymmetric=False, per_channel=False))


for kept, called in (("float32", "float weights"), ("float16", "weights of float16"), ("int8", "weights of codes"), ("channels", "weights of codes, a scale a channel, by LiteRT")):
    @network(called)
    def make(seed, size, kept=kept):
        """What a converter leaves in floats beside codes."""
        net = Net(seed)
        x = net.input((1, size + 3, size, 6), dtype="float32")
        y = float_conv(net, float_conv(net, x, 8, act=pick(net, ACTS), kept=kept), 2, (3, 2), (2, 1), VALID, depth=True, act="relu6", kept=kept)
        y = float_conv(net, float_conv(net, y, 12, dilation=(2, 2), act="relu_n1_to_1", kept=kept), 8, groups=4, stride=(2, 2), kept=kept)
        for kernel, stride, padding in (((3, 2), (2, 1), SAME), ((2, 3), (1, 2), VALID)):
            y = float_transpose_conv(net, y, 7, kernel, stride, padding, kept=kept)
        scaled = net.tensor(net.shapes[y], "float32")
        net.op("MUL", [y, float_constant(net, net.shapes[y][-1:], 1, kept)], [scaled], fusedActivationFunction=0)
        coded = dequantize(net, conv(net, quantize(net, scaled, 0.02), 6))
        return done(net, float_dense(net, float_dense(net, coded, 9, act="relu", kept=kept), 4, bias=False, kept=kept))


@network("floats")
def make(seed, size):
    """What is alike in every runtime between codes: what chooses, rounds once, or sums in an order of its own."""
    net = Net(seed)
    x = net.input((1, 2 * size, size, 7), dtype="float32")
    shape = net.shapes[x]
    float_of = lambda code, read, shape=shape, **options: net.op(code, read, [y := net.tensor(shape, "float32")], 1, **options) and y
    drawn = lambda shape: net.tensor(shape, "float32", data=net.rng.normal(0, 1, shape))
    a = float_of("MUL", [x, drawn([7])], fusedActivationFunction=0)
    b = float_of("ADD", [x, drawn([1, 1, size, 1])], fusedActivationFunction=ACTIVATIONS[pick(net, ACTS)])
    size_of = lambda kernel, stride: {"filterHeight": kernel, "filterWidth": kernel, "strideH": stride, "strideW": stride, "padding": SAME}
    pooled = (1, -(-2 * size // 2), -(-size // 2), 7)
    values = [float_of("DIV", [a, drawn([])], fusedActivationFunction=0), float_of("NEG", [a]), float_of("ABS", [a]), float_of("MAXIMUM", [a, drawn([7])]),
              float_of("MINIMUM", [b, a]), float_of("SQUARED_DIFFERENCE", [a, b]), float_of("LEAKY_RELU", [a], alpha=float(net.rng.uniform(-0.5, 0.5))),
              float_of("CONCATENATION", [a, b, a], (*shape[:-1], 21), axis=3), float_of("REDUCE_MAX", [a, net.ints([3])], shape[:-1], keepDims=False),
              float_of("REDUCE_MIN", [a, net.ints([1, 2])], (1, 1, 1, 7), keepDims=True), float_of("MAX_POOL_2D", [a], pooled, **size_of(3, 2)),
              float_of("AVERAGE_POOL_2D", [a], pooled, **size_of(3, 2)), float_of("MEAN", [a, net.ints([1, 2])], (1, 7), keepDims=False),
              float_of("MEAN", [a, net.ints([-1])], shape[:-1], keepDims=False), float_of("SUM", [b, net.ints([1])], (1, 1, size, 7), keepDims=True)]
    return done(net, float_of("SQUARE", [a]), float_of("PRELU", [a, drawn([1, 1, 7])]), *values)

for micro in (False, True):  # the reference resolver has no ELU, Micro no GELU
    @network("functions of floats" + ("" if micro else ", ELU and GELU"))
    def make(seed, size, micro=micro):
        net = Net(seed)
        x = net.input((1, size, size + 1, 6), dtype="float32")
        shape = net.shapes[x]
        float_of = lambda code, read, shape=shape, **options: net.op(code, read, [y := net.tensor(shape, "float32")], 1, **options) and y
        wide = float_of("MUL", [x, net.tensor([], "float32", data=net.rng.uniform(0.5, 30))], fusedActivationFunction=0)
        positive = float_of("ABS", [wide])
        values = [float_of(code, [wide]) for code in ("LOGISTIC", "TANH", "EXP", "LOG_SOFTMAX", "HARD_SWISH", *(() if micro else ("ELU",)))]
        values += [] if micro else [float_of("GELU", [wide], approximate=approximate) for approximate in (True, False)]
        values += [float_of(code, [positive]) for code in ("LOG", "SQRT", "RSQRT")] + [float_of("SOFTMAX", [wide], beta=1.0)]
        larger = net.tensor(shape, "bool")
        net.op("GREATER", [x, wide], [larger])
        values.append(float_of("SELECT_V2", [larger, x, positive]))
        for code, (align, half) in (("RESIZE_BILINEAR", (False, True)), ("RESIZE_BILINEAR", (True, False)), ("RESIZE_NEAREST_NEIGHBOR", (False, False))):
            to = (2 * size, size - 1)
            values.append(float_of(code, [x, net.ints(to)], (1, *to, 6), alignCorners=align, halfPixelCenters=half))
        return done(net, larger, float_of("BATCH_MATMUL", [x, wide], (1, size, size + 1, size + 1), adjX=False, adjY=True), *values)

def own(name, dtype, body):
    """An operator that not every runtime has: a file of its own."""
    alone(name, dtype, 9, body)


def to(net, code, read, scale, zero_point=None, shape=None, dtype=None, version=2, **options):
    y = net.value(shape or net.shapes[read[0]], scale, zero_point, dtype)
    return net.op(code, read, [y], version, **options) and y


def positive(net, x):
    return quantize(net, x, net.params[x][0], zero_point=RANGE[net.dtype][0])


def drawn_like(net, x):
    return constant(net, net.shapes[x], net.params[x][0] * net.rng.uniform(0.5, 2))


for kind in ("int8", "uint8", "int16"):
    unit = 256 if kind == "int16" else 1
    for code in ("MAXIMUM", "MINIMUM"):
        own(code, kind, lambda net, x, code=code: net.op(code, [x, net.tensor(net.shapes[x], net.dtype, *net.params[x], data=net.rng.integers(*RANGE[net.dtype], net.shapes[x]))], [y := net.like(x, net.shapes[x])], 2) and y)
    for code in ("REDUCE_MAX", "REDUCE_MIN"):
        own(code, kind, lambda net, x, code=code: net.op(code, [x, net.ints([3])], [y := net.like(x, net.shapes[x][:-1])], 2, keepDims=False) and y)
    own("MIRROR_PAD", kind, lambda net, x: move(net, x, "MIRROR_PAD", [1, net.shapes[x][1] + 3, net.shapes[x][2] + 1, 9], [[0, 0], [1, 2], [1, 0], [0, 0]], mode=1))
for kind in ("int8", "int16"):
    unit = 256 if kind == "int16" else 1
    own("ABS", kind, lambda net, x, unit=unit: to(net, "ABS", [x], 0.03 / unit))
    own("EXP", kind, lambda net, x, unit=unit: to(net, "EXP", [x], 0.08 / unit))
    own("GELU, tanh", kind, lambda net, x, unit=unit: to(net, "GELU", [x], 0.03 / unit, approximate=True))
    own("LOG", kind, lambda net, x, unit=unit: to(net, "LOG", [positive(net, x) if unit == 1 else x], 0.02 / unit))
own("SQUARED_DIFFERENCE", "int8", lambda net, x: to(net, "SQUARED_DIFFERENCE", [x, drawn_like(net, x)], 0.06))
own("RSQRT", "int8", lambda net, x: to(net, "RSQRT", [positive(net, x)], 0.03))
own("SQRT", "int8", lambda net, x: to(net, "SQRT", [positive(net, x)], 0.02))
own("ELU", "int8", lambda net, x: to(net, "ELU", [x], 0.02, version=1))
own("GELU, erf", "int8", lambda net, x: to(net, "GELU", [x], 0.03, approximate=False))
own("L2_NORMALIZATION", "int8", lambda net, x: to(net, "L2_NORMALIZATION", [x], 1 / 128, 0, fusedActivationFunction=0))
for code in ("ARG_MAX", "ARG_MIN"):
    own(code, "int8", lambda net, x, code=code: net.op(code, [x, net.ints([3])], [y := net.tensor(net.shapes[x][:-1], "int32")], 2, outputType=2) and y)
for kind in ("int8", "uint8"):
    own("PRELU", kind, lambda net, x: to(net, "PRELU", [x, constant(net, (1, 1, 9), 0.004)], 0.03, version=1))

for kind in ("int8", "uint8"):
    def body(net, x):
        shape, (lo, hi) = net.shapes[x], RANGE[net.dtype]
        zero = int(net.rng.integers(lo + 20, hi - 20))
        codes = net.rng.integers(lo, hi + 1, shape)
        codes[codes == zero] += 1  # dividing by 0 is not defined
        divisor = net.tensor(shape, net.dtype, float(np.float32(net.rng.uniform(0.01, 0.05))), zero, codes)
        quotients = [net.value(shape, scale) for scale in (0.02, 0.3)]
        for y, act in zip(quotients, ("none", "relu6")):
            net.op("DIV", [x, divisor], [y], 2, fusedActivationFunction=ACTIVATIONS[act])
        truths = []
        for code in ("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "EQUAL", "NOT_EQUAL"):
            truths.append(net.tensor(shape, "bool"))
            net.op(code, [x, divisor], [truths[-1]], 2)
        other = net.like(x, shape)
        net.op("MAXIMUM", [x, net.tensor([], net.dtype, *net.params[x], data=[zero])], [other], 2)
        chosen = net.like(x, shape)
        net.op("SELECT_V2", [truths[0], other, x], [chosen])
        return [*quotients, *truths, chosen]
    alone("choices", kind, 7, body)

# ------------------------------------------------------------ networks

@network("keyword spotting, depthwise separable")
def make(seed, size):
    net = Net(seed)
    x = net.input((1, 2 * size, 10, 1), 0.05, name="mfcc")
    h = conv(net, x, 24, (10, 4), (2, 2), act="relu")
    for _ in range(3):
        h = conv(net, depthwise(net, h, act="relu"), 24, (1, 1), act="relu")
    h = pool(net, h, "AVERAGE_POOL_2D", net.shapes[h][1:3], net.shapes[h][1:3])
    return done(net, table(net, dense(net, reshape(net, h, (1, 24)), 12), "SOFTMAX"))

@network("residual, strided, with a projection")
def make(seed, size):
    net = Net(seed)
    x = net.input((1, size, size, 3), 1 / 128, 0, name="serving_default_image:0")
    h = conv(net, x, 16, act="relu")
    for stride, width in ((1, 16), (2, 24), (2, 40)):
        main = conv(net, conv(net, h, width, stride=(stride, stride), act="relu"), width)
        side = h if stride == 1 else conv(net, h, width, (1, 1), (stride, stride))
        h = binary(net, "ADD", main, side, "relu")
    return done(net, dense(net, reduce(net, h, "MEAN", (1, 2), False), 10))

@network("inverted residual with squeeze and excite")
def make(seed, size):
    net = Net(seed)
    x = net.input((1, size, size, 3), 0.017)
    h = unary(net, conv(net, x, 16, stride=(2, 2)), "HARD_SWISH", version=1)
    for _ in range(2):
        wide = unary(net, depthwise(net, unary(net, conv(net, h, 33, (1, 1)), "HARD_SWISH", version=1)), "HARD_SWISH", version=1)
        gate = conv(net, conv(net, reduce(net, wide), 8, (1, 1), act="relu"), 33, (1, 1))
        h = binary(net, "ADD", conv(net, binary(net, "MUL", wide, table(net, gate, "LOGISTIC")), 16, (1, 1)), h)
    return done(net, table(net, dense(net, h, 7, per_channel=True), "SOFTMAX"))

@network("u-net")
def make(seed, size):
    net = Net(seed)
    x = net.input((1, 8 * (size // 8 + 1), 16, 2), 0.03)
    first = conv(net, x, 8, act="relu6")
    second = conv(net, pool(net, first), 16, act="relu6")
    up = transpose_conv(net, conv(net, pool(net, second), 16, act="relu6"), 16, (2, 2))
    joined = concat(net, [quantize(net, up, net.params[second][0], zero_point=net.params[second][1]), second], 3)
    wide = resize(net, conv(net, joined, 8, act="relu6"), "RESIZE_BILINEAR", net.shapes[first][1:3], half=True)
    last = concat(net, [quantize(net, wide, net.params[first][0], zero_point=net.params[first][1]), first], 3)
    return done(net, table(net, conv(net, last, 1, (1, 1)), "LOGISTIC"))

@network("attention")
def make(seed, size):
    net = Net(seed)
    x = net.input((1, size, 32), 0.04)
    q, k, v = (transpose(net, reshape(net, dense(net, x, 32, keep=True), (1, size, 4, 8)), (0, 2, 1, 3)) for _ in range(3))
    scores = matmul(net, binary(net, "MUL", q, constant(net, [], 0.003)), k, adj_y=True)
    mixed = reshape(net, transpose(net, matmul(net, table(net, scores, "SOFTMAX"), v), (0, 2, 1, 3)), (1, size, 32))
    h = binary(net, "ADD", dense(net, mixed, 32, keep=True), x)
    centred = binary(net, "SUB", h, reduce(net, h, "MEAN", (-1,)))
    return done(net, centred, dense(net, unary(net, dense(net, centred, 64, keep=True), "LEAKY_RELU", alpha=0.1), 32, keep=True))

@network("from torch: channels first outside, PAD and VALID")
def make(seed, size):
    net = Net(seed)
    x = net.input((1, 3, size, size), 0.02, name="serving_default_args_0:0")
    h = transpose(net, x, (0, 2, 3, 1))
    for width in (8, 17):
        h = conv(net, pad(net, h, [[0, 0], [1, 1], [1, 1], [0, 0]]), width, stride=(2, 2), padding=VALID, act="relu")
    h = depthwise(net, pad(net, h, [[0, 0], [1, 1], [1, 1], [0, 0]]), padding=VALID, act="relu6")
    back = transpose(net, h, (0, 3, 1, 2))
    flat = reshape(net, back, (1, int(np.prod(net.shapes[back]))))
    return done(net, dense(net, flat, 6, keep=True), back)

@network("int16x8, gated")
def make(seed, size):
    net = Net(seed, "int16")
    x = net.input((1, size, 8, 4), 1 / 8192)
    h = conv(net, x, 16, act="relu", stride=(2, 2))
    a, b = conv(net, h, 16, (1, 1)), depthwise(net, h, bias="none")
    gated = binary(net, "MUL", table(net, a, "TANH"), table(net, b, "LOGISTIC"))
    h = binary(net, "ADD", gated, h, potScaleInt16=False)
    return done(net, table(net, dense(net, reduce(net, h, "MEAN", (1, 2), False), 5), "SOFTMAX"))

@network("legacy uint8, two branches")
def make(seed, size):
    net = Net(seed, "uint8")
    x = net.input((1, size, size, 3), 1 / 128, 128)
    h = conv(net, x, 16, stride=(2, 2), act="relu6")
    a = conv(net, depthwise(net, h, multiplier=2, act="relu6"), 10, (1, 1))
    b = pool(net, h, "AVERAGE_POOL_2D", (3, 3), (1, 1), SAME)
    joined = concat(net, [a, b], 3)
    h = binary(net, "ADD", transpose_conv(net, joined, 8), resize(net, conv(net, h, 8, (1, 1)), "RESIZE_BILINEAR", [2 * n for n in net.shapes[h][1:3]]), "relu")
    return done(net, table(net, dense(net, h, 9), "SOFTMAX"))

@network("wake word, streaming")
def make(seed, size):
    """Two rings of the last frames: state goes from call to call."""
    net = Net(seed)
    once = Net(seed + 1, parent=net)
    frame = net.input((1, 1, 1, 40), 0.1, name="frames")
    net.op("CALL_ONCE", [], [], initSubgraphIndex=1)
    h = ring(net, once, frame, 5, "ring_a")
    h = depthwise(net, conv(net, h, 32, (5, 1), padding=VALID, act="relu"), (1, 1), act="relu")
    h = ring(net, once, h, 7, "ring_b")
    h = reduce(net, depthwise(net, h, (7, 1), padding=VALID, act="relu"), "MEAN", (1, 2), False)
    score = table(net, dense(net, h, 1), "LOGISTIC")
    scale, zero = net.params[score]
    return done(net, quantize(net, score, scale, "uint8", zero + 128))

def ring(net, once, x, frames, name):
    _, _, w, c = net.shapes[x]
    shape = (1, frames - 1, w, c)
    first = once.tensor(shape, net.dtype, *net.params[x], data=np.full(shape, net.params[x][1]))
    for graph, use in ((once, lambda handle: once.op("ASSIGN_VARIABLE", [handle, first], [])), (net, None)):
        handle = graph.tensor((), "resource")
        graph.op("VAR_HANDLE", [], [handle], sharedName=name)
        if use:
            use(handle)
    held = net.like(x, shape)
    net.op("READ_VARIABLE", [handle], [held])
    joined = concat(net, [held, x], 1)
    net.op("ASSIGN_VARIABLE", [handle, strided_slice(net, joined, [0, 1, 0, 0], [1, frames, w, c])], [])
    return joined

@network("float islands")
def make(seed, size):
    """EXP in float between codes, as a converter leaves it; a batch of 2."""
    net = Net(seed)
    x = net.input((2, size, size, 3), 0.03)
    real = dequantize(net, conv(net, x, 10, act="none"))
    island = net.tensor(net.shapes[real], "float32")
    net.op("EXP", [real], [island])
    h = quantize(net, island, 0.02)
    h = conv(net, h, 12, (1, 1))
    other = net.tensor(net.shapes[h], net.dtype, *net.params[h])
    net.op("MAXIMUM", [h, h], [other], 2)
    return done(net, dense(net, reduce(net, other, "MEAN", (1, 2), False), 5))

def samples(net, count, seed):
    """{input: values}: extreme codes, drawn codes, and smooth ones."""
    rng, out = np.random.default_rng(seed + 999), {}
    for index in net.inputs:
        shape = (count, *net.shapes[index])
        if net.types[index] == "float32":
            values = (rng.normal(0, 1, shape) * rng.uniform(0.2, 2.5, (count, *[1] * (len(shape) - 1)))).astype(np.float32)
        else:
            lo, hi = RANGE[net.types[index]]
            drawn = rng.integers(lo, hi + 1, shape)
            smooth = np.clip(np.rint(rng.normal((lo + hi) / 2, (hi - lo) / 6, shape)), lo, hi)
            values = np.where(rng.random((count, *[1] * (len(shape) - 1))) < 0.4, drawn, smooth).astype(net.types[index])
        out[net.tensors[index].name] = values.reshape((-1, *shape[2:]))
    return out
