"""Layers of a Net: each adds an operator with drawn weights, and a scale that its values roughly fill. Geometry as TFLite counts it."""
import numpy as np

from tflite_file import ACTIVATIONS, RANGE, f32

SAME, VALID = 0, 1


def out_size(n, k, stride, dilation, padding):
    return -(-n // stride) if padding == SAME else (n - (k - 1) * dilation - 1) // stride + 1


def weights_of(net, shape, channels, axis, per_channel=True, dtype=None, zero_point=0):
    """A constant of codes; per channel its scales differ by a factor of up to 8."""
    dtype = dtype or ("uint8" if net.dtype == "uint8" else "int8")
    lo, hi = RANGE[dtype]
    spread = (hi - lo) / 6
    middle = (hi + lo + 1) // 2 if dtype == "uint8" else 0
    data = np.clip(np.rint(net.rng.normal(middle, spread, shape)), max(lo, -127) if dtype == "int8" else lo, hi).astype(int)
    scale = f32(net.rng.uniform(0.002, 0.016, channels)) if per_channel and dtype != "uint8" else float(f32(net.rng.uniform(0.004, 0.01)))
    if dtype == "uint8":
        zero_point = middle + int(net.rng.integers(-9, 10))
    return net.tensor(shape, dtype, scale, zero_point, data, axis), np.mean(scale) * spread


def bias_of(net, x, w, n, kind="drawn"):
    """int32 at the scale of the products, int64 beside int16; -1: left out."""
    if kind == "none":
        return -1
    sx, sw = net.params[x][0], np.asarray(net.params[w][0], f32)
    scale = (f32(sx) * sw).astype(f32)
    wide = net.types[x] == "int16" and kind != "int32"
    size = 4e6 if net.types[x] == "int16" else 3000
    return net.tensor([n], "int64" if wide else "int32", scale, 0, np.rint(net.rng.normal(0, size, n)).astype(np.int64))


def spread_of(net, x):
    """What a value's reals vary by, as far as its scale says."""
    return f32(net.params[x][0]) * (RANGE[net.types[x]][1] - RANGE[net.types[x]][0]) / 6


def scale_for(net, reals, dtype=None):
    lo, hi = RANGE[dtype or net.dtype]
    return reals * 6 / (hi - lo) * net.rng.uniform(0.7, 1.3)


def product(net, code, x, shape, k, n, w_shape, axis, inputs, options, *, bias="drawn", per_channel=True, act="none", w_dtype=None, w_zero=0, version=3):
    w, w_spread = weights_of(net, w_shape, n, axis, per_channel, w_dtype, w_zero)
    y = net.value(shape, scale_for(net, spread_of(net, x) * w_spread * np.sqrt(k)), dtype=net.types[x])
    read = inputs(x, w, bias_of(net, x, w, n, bias))
    if read[-1] < 0:  # -1 beside a convolution is refused
        read.pop()
    net.op(code, read, [y], version, fusedActivationFunction=ACTIVATIONS[act], **options)
    return y


def conv(net, x, n, kernel=(3, 3), stride=(1, 1), padding=SAME, dilation=(1, 1), groups=1, quantized_bias=0, **more):
    b, h, w, c = net.shapes[x]
    oh, ow = (out_size(*sizes, padding) for sizes in zip((h, w), kernel, stride, dilation))
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1], "dilationHFactor": dilation[0], "dilationWFactor": dilation[1],
               "quantizedBiasType": quantized_bias}
    return product(net, "CONV_2D", x, (b, oh, ow, n), kernel[0] * kernel[1] * c // groups, n, (n, *kernel, c // groups), 0,
                   lambda x, w, b: [x, w, b], options, **more)


def depthwise(net, x, kernel=(3, 3), stride=(1, 1), padding=SAME, dilation=(1, 1), multiplier=1, **more):
    b, h, w, c = net.shapes[x]
    oh, ow = (out_size(*sizes, padding) for sizes in zip((h, w), kernel, stride, dilation))
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1], "depthMultiplier": multiplier, "dilationHFactor": dilation[0],
               "dilationWFactor": dilation[1]}
    n = c * multiplier
    return product(net, "DEPTHWISE_CONV_2D", x, (b, oh, ow, n), kernel[0] * kernel[1], n, (1, *kernel, n), 3, lambda x, w, b: [x, w, b], options, **more)


def transpose_conv(net, x, n, kernel=(3, 3), stride=(2, 2), padding=SAME, **more):
    b, h, w, c = net.shapes[x]
    sizes = [size * s if padding == SAME else (size - 1) * s + k for size, s, k in zip((h, w), stride, kernel)]
    shape = net.ints([b, *sizes, n])
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
    k = max(1, kernel[0] * kernel[1] // (stride[0] * stride[1])) * c
    return product(net, "TRANSPOSE_CONV", x, (b, *sizes, n), k, n, (n, *kernel, c), 0, lambda x, w, b: [shape, w, x, b], options, **more)


def dense(net, x, n, keep=False, **more):
    shape = net.shapes[x]
    k = shape[-1]
    rows = shape[:-1] if keep else (int(np.prod(shape)) // k,)
    return product(net, "FULLY_CONNECTED", x, (*rows, n), k, n, (n, k), 0, lambda x, w, b: [x, w, b], {"keepNumDims": keep},
                   version=5, **{"per_channel": False, **more})


def binary(net, code, a, b, act="none", factor=None, **options):
    shape = np.broadcast_shapes(net.shapes[a], net.shapes[b])
    reals = spread_of(net, a) * spread_of(net, b) if code == "MUL" else np.hypot(spread_of(net, a), spread_of(net, b))
    y = net.value(shape, scale_for(net, reals * (factor or 1), net.types[a]), dtype=net.types[a])
    return net.op(code, [a, b], [y], 2, fusedActivationFunction=ACTIVATIONS[act], **options) and y


def constant(net, shape, scale=0.01, zero_point=None, name=None):
    lo, hi = RANGE[net.dtype]
    zero = 0 if net.dtype == "int16" else int(net.rng.integers(-20, 20)) + (128 if net.dtype == "uint8" else 0) if zero_point is None else zero_point
    return net.tensor(shape, net.dtype, float(f32(scale)), zero, net.rng.integers(lo, hi + 1, shape), name=name)


def pool(net, x, code="MAX_POOL_2D", size=(2, 2), stride=(2, 2), padding=VALID, act="none"):
    b, h, w, c = net.shapes[x]
    oh, ow = (out_size(n, k, s, 1, padding) for n, k, s in zip((h, w), size, stride))
    y = net.like(x, (b, oh, ow, c))
    net.op(code, [x], [y], 2, padding=padding, strideH=stride[0], strideW=stride[1], filterHeight=size[0], filterWidth=size[1],
           fusedActivationFunction=ACTIVATIONS[act])
    return y


def reduce(net, x, code="MEAN", axes=(1, 2), keep=True):
    shape = net.shapes[x]
    dims = [axis % len(shape) for axis in axes]
    kept = [1 if i in dims else n for i, n in enumerate(shape) if keep or i not in dims]
    count = int(np.prod([shape[i] for i in dims]))
    y = net.value(kept, scale_for(net, spread_of(net, x) * (2 / np.sqrt(count) if code == "MEAN" else np.sqrt(count))), dtype=net.types[x])
    net.op(code, [x, net.ints(list(axes))], [y], 2, keepDims=keep)
    return y


def table(net, x, code):
    """LOGISTIC, TANH, SOFTMAX: outputs as TFLite fixes them."""
    dtype = net.types[x]
    if dtype == "int16":
        scale, zero = 1 / 32768, 0
    elif code == "TANH":
        scale, zero = 1 / 128, 128 if dtype == "uint8" else 0
    else:
        scale, zero = 1 / 256, 0 if dtype == "uint8" else -128
    y = net.value(net.shapes[x], scale, zero, dtype)
    return net.op(code, [x], [y], 2 if code != "SOFTMAX" else 3, **({"beta": 1.0} if code == "SOFTMAX" else {})) and y


def unary(net, x, code, factor=1, dtype=None, version=2, **options):
    """RELU, RELU6, LEAKY_RELU, HARD_SWISH, QUANTIZE: to another scale."""
    dtype = dtype or net.types[x]
    scale = scale_for(net, spread_of(net, x) * factor, dtype)
    y = net.value(net.shapes[x], scale, dtype=dtype)
    return net.op(code, [x], [y], version, **options) and y


def quantize(net, x, scale, dtype=None, zero_point=None):
    y = net.value(net.shapes[x], scale, zero_point, dtype)
    return net.op("QUANTIZE", [x], [y], 2) and y


def dequantize(net, x):
    y = net.tensor(net.shapes[x], "float32")
    return net.op("DEQUANTIZE", [x], [y], 2) and y


def concat(net, values, axis=-1, to=None):
    shape = list(net.shapes[values[0]])
    shape[axis] = sum(net.shapes[v][axis] for v in values)
    y = net.like(values[0] if to is None else to, shape)
    return net.op("CONCATENATION", list(values), [y], 2, axis=axis) and y


def pad(net, x, paddings, value=None):
    shape = [n + a + b for n, (a, b) in zip(net.shapes[x], paddings)]
    y = net.like(x, shape)
    if value is None:
        return net.op("PAD", [x, net.ints(paddings)], [y], 2) and y
    scale, zero = net.params[x]
    filler = net.tensor([1], net.types[x], scale, zero, [value])
    return net.op("PADV2", [x, net.ints(paddings), filler], [y], 2) and y


def move(net, x, code, shape, *constants, **options):
    """RESHAPE, TRANSPOSE, SLICE ...: values move."""
    y = net.like(x, shape)
    version = 1 if code in ("RESHAPE", "EXPAND_DIMS", "SQUEEZE") else 2
    return net.op(code, [x, *(net.ints(c) for c in constants)], [y], version, **options) and y


def reshape(net, x, shape):
    return move(net, x, "RESHAPE", shape, list(shape))


def transpose(net, x, axes):
    return move(net, x, "TRANSPOSE", [net.shapes[x][axis] for axis in axes], list(axes))


def split(net, x, axis, parts):
    shape = list(net.shapes[x])
    shape[axis] //= parts
    ys = [net.like(x, shape) for _ in range(parts)]
    return net.op("SPLIT", [net.ints(axis), x], ys, 2, numSplits=parts)


def strided_slice(net, x, begin, end, strides=None, **masks):
    steps = strides or [1] * len(begin)
    dims = [range(n)[b:e:s] for n, b, e, s in zip(net.shapes[x], begin, end, steps)]
    shape = [len(d) for i, d in enumerate(dims) if not masks.get("shrinkAxisMask", 0) >> i & 1]
    return move(net, x, "STRIDED_SLICE", shape, begin, end, steps, **masks)


def resize(net, x, code, size, align=False, half=False):
    b, _, _, c = net.shapes[x]
    y = net.like(x, (b, *size, c))
    return net.op(code, [x, net.ints(list(size))], [y], 3, alignCorners=align, halfPixelCenters=half) and y


def matmul(net, a, b, adj_x=False, adj_y=False):
    turned = lambda shape, adj: (*shape[:-2], shape[-1], shape[-2]) if adj else tuple(shape)
    left, right = turned(net.shapes[a], adj_x), turned(net.shapes[b], adj_y)
    shape = (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])
    y = net.value(shape, scale_for(net, spread_of(net, a) * spread_of(net, b) * np.sqrt(left[-1]), net.types[a]), dtype=net.types[a])
    return net.op("BATCH_MATMUL", [a, b], [y], 4, adjX=adj_x, adjY=adj_y) and y


def hybrid_dense(net, x, n, asymmetric=True, per_channel=True, keep=False, act="none", bias=True):
    *rows, k = net.shapes[x]
    w, _ = weights_of(net, (n, k), n, 0, per_channel, "int8")
    b = net.tensor([n], "float32", data=net.rng.normal(0, 0.2, n)) if bias else -1
    y = net.tensor((*rows, n) if keep else (int(np.prod(rows)), n), "float32")
    net.op("FULLY_CONNECTED", [x, w, b], [y], 9 if not per_channel else 12, asymmetricQuantizeInputs=asymmetric, keepNumDims=keep, fusedActivationFunction=ACTIVATIONS[act])
    return y


def hybrid_conv(net, x, n, kernel=(3, 3), stride=(1, 1), padding=SAME, depth=False, act="none", per_channel=True, groups=1):
    b, h, w, c = net.shapes[x]
    oh, ow = (out_size(*sizes, 1, padding) for sizes in zip((h, w), kernel, stride))
    n = c * n if depth else n
    weights, _ = weights_of(net, (1, *kernel, n) if depth else (n, *kernel, c // groups), n, 3 if depth else 0, per_channel, "int8")
    bias = net.tensor([n], "float32", data=net.rng.normal(0, 0.2, n))
    y = net.tensor((b, oh, ow, n), "float32")
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1], "fusedActivationFunction": ACTIVATIONS[act]}
    if depth:
        options["depthMultiplier"] = n // c
    net.op("DEPTHWISE_CONV_2D" if depth else "CONV_2D", [x, weights, bias], [y], 6 if depth else 5, **options)
    return y


def float_constant(net, shape, spread, kept="float32", axis=0):
    """kept: as what the file has it; DEQUANTIZE makes floats of others."""
    data = net.rng.normal(0, spread, shape)
    if kept == "float32":
        return net.tensor(shape, "float32", data=data)
    y = net.tensor(shape, "float32")
    if kept == "float16":
        c = net.tensor(shape, "float16", data=data)
    else:  # codes, of which "channels" has a scale each
        scale = f32(net.rng.uniform(0.5, 2, shape[axis] if kept == "channels" else 1) * spread / 40)
        zero = 0 if kept == "channels" else int(net.rng.integers(-30, 31))
        c = net.tensor(shape, "int8", scale, zero, net.rng.integers(-128, 128, shape), axis)
    return net.op("DEQUANTIZE", [c], [y], 3 if kept == "float16" else 5) and y


def float_dense(net, x, n, act="none", bias=True, kept="float32"):
    *rows, k = net.shapes[x]
    y = net.tensor((*rows, n), "float32")
    read = [x, float_constant(net, (n, k), k ** -0.5, kept), float_constant(net, (n,), 1, of_bias(kept)) if bias else -1]
    return net.op("FULLY_CONNECTED", read, [y], 1, keepNumDims=True, fusedActivationFunction=ACTIVATIONS[act]) and y


def float_conv(net, x, n, kernel=(3, 3), stride=(1, 1), padding=SAME, dilation=(1, 1), depth=False, act="none", groups=1, kept="float32"):
    """n: with depth how many channels one becomes."""
    b, h, w, c = net.shapes[x]
    oh, ow = (out_size(*sizes, padding) for sizes in zip((h, w), kernel, stride, dilation))
    shape = (1, *kernel, c * n) if depth else (n, *kernel, c // groups)
    y = net.tensor((b, oh, ow, c * n if depth else n), "float32")
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1], "dilationHFactor": dilation[0], "dilationWFactor": dilation[1],
               "fusedActivationFunction": ACTIVATIONS[act], **({"depthMultiplier": n} if depth else {})}
    weight = float_constant(net, shape, np.prod(shape[1:3] if depth else shape[1:]) ** -0.5, kept, 3 if depth else 0)
    read = [x, weight, float_constant(net, net.shapes[y][-1:], 1, of_bias(kept))]
    return net.op("DEPTHWISE_CONV_2D" if depth else "CONV_2D", read, [y], 1, **options) and y


def of_bias(kept):
    return "float16" if kept == "float16" else "float32"


def float_transpose_conv(net, x, n, kernel=(3, 3), stride=(2, 2), padding=SAME, act="none", kept="float32"):
    b, h, w, c = net.shapes[x]
    sizes = [size * s if padding == SAME else (size - 1) * s + k for size, s, k in zip((h, w), stride, kernel)]
    y = net.tensor((b, *sizes, n), "float32")
    read = [net.ints([b, *sizes, n]), float_constant(net, (n, *kernel, c), (np.prod(kernel) * c) ** -0.5, kept), x, float_constant(net, (n,), 1, of_bias(kept))]
    return net.op("TRANSPOSE_CONV", read, [y], 4, padding=padding, strideH=stride[0], strideW=stride[1], fusedActivationFunction=ACTIVATIONS[act]) and y
