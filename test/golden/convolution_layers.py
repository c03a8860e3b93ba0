"""Convolutions that tell kernels apart: geometries, and codes that saturate or lie next to a tie. Nothing here knows a kernel.

A layer: [x, zx, sx, w, zw, sw, b, sy, zy, relu] as in layers.py, x [N, C, *S], w [OC, C/G, *K] (transposed: [C, OC/G, *K]); with it
its geometry: dict of G, st, pad, dil, outpad, transposed, as the oracle names them.
"""
import numpy as np

from layers import codes, f32, ulps

def shape(N, IC, OC, S, K, G=1, st=None, pad=None, dil=None, T=False, outpad=None):
    every = lambda value, default: value if value is not None else (default,) * len(K)
    return dict(N=N, IC=IC, OC=OC, S=S, K=K, G=G, st=every(st, 1), pad=every(pad, 0), dil=every(dil, 1), T=T, outpad=outpad)


SHAPES = [
    shape(1, 3, 8, (7, 6), (3, 3), pad=(1, 1)),
    shape(1, 1, 8, (9, 9), (5, 5), pad=(2, 2)),  # one channel: brgemm pairs column by column
    shape(1, 1, 6, (6, 9), (1, 4)),
    shape(1, 1, 6, (6, 4), (3, 3)),  # four columns of outputs: row by row
    shape(1, 1, 6, (9, 9), (3, 3), dil=(2, 1)),
    shape(1, 5, 9, (8, 9), (3, 2), st=(2, 1), pad=(1, 1), dil=(1, 2)),
    shape(1, 3, 16, (12, 12), (7, 7), st=(2, 2), pad=(3, 3)),
    shape(1, 16, 32, (8, 8), (3, 3), pad=(1, 1)),
    shape(1, 40, 16, (5, 5), (5, 5), pad=(2, 2)),
    shape(1, 17, 33, (6, 6), (3, 3), pad=(1, 1), dil=(2, 2)),
    shape(1, 19, 24, (5, 4), (1, 1)),
    shape(1, 18, 12, (5, 4), (1, 1), G=3),
    shape(1, 18, 12, (5, 4), (1, 1), st=(2, 2)),
    shape(1, 600, 8, (3, 3), (1, 1)),
    # depthwise: each channel alone, or two of the output for one of the input
    shape(1, 16, 16, (6, 7), (3, 3), G=16, pad=(1, 1)),
    shape(1, 24, 48, (6, 7), (3, 3), G=24, st=(2, 2), pad=(1, 1)),
    shape(1, 32, 32, (9, 8), (5, 5), G=32, st=(1, 2), pad=(2, 2)),
    shape(1, 8, 8, (9, 8), (7, 7), G=8, pad=(3, 3)),
    shape(1, 8, 8, (9, 8), (3, 3), G=8),
    shape(1, 6, 6, (6, 7), (3, 3), G=6, pad=(1, 1)),
    shape(1, 16, 16, (7, 7), (3, 3), G=16, pad=(2, 2), dil=(2, 2)),
    # groups
    shape(1, 32, 32, (6, 7), (3, 3), G=16, pad=(1, 1)),
    shape(1, 32, 32, (6, 7), (3, 3), G=4, st=(2, 2), pad=(1, 1)),
    shape(1, 12, 12, (6, 7), (3, 3), G=3, pad=(1, 1)),
    shape(1, 9, 6, (6, 7), (3, 3), G=3, pad=(1, 1)),
    shape(1, 6, 12, (5, 8), (1, 3), G=6, pad=(0, 1)),
    shape(1, 208, 208, (3, 3), (3, 3), G=104, pad=(1, 1)),
    # one and three axes
    shape(1, 5, 7, (11,), (3,), st=(2,), pad=(1,)),
    shape(1, 1, 7, (11,), (4,), pad=(2,)),
    shape(1, 8, 8, (11,), (3,), G=8, pad=(1,)),
    shape(1, 16, 16, (30,), (5,), pad=(2,)),
    shape(1, 3, 5, (4, 5, 6), (3, 3, 3), pad=(1, 1, 1)),
    shape(1, 1, 5, (4, 5, 6), (3, 2, 3), pad=(1, 1, 1)),
    shape(1, 16, 16, (4, 5, 6), (3, 3, 3), G=16, pad=(1, 1, 1)),
    shape(1, 8, 8, (4, 7, 8), (3, 7, 7), G=8, pad=(1, 3, 3)),  # 147 taps: FBGEMM's depthwise sums of codes saturate
    shape(1, 16, 16, (4, 5, 6), (3, 3, 3), G=4, st=(1, 2, 2), pad=(1, 1, 1)),
    # transposed
    shape(1, 5, 6, (4, 5), (3, 3), st=(2, 2), pad=(1, 1), T=True),
    shape(1, 6, 6, (4, 5), (3, 3), G=3, st=(2, 1), pad=(1, 0), dil=(1, 2), T=True),
    shape(1, 6, 12, (4, 5), (3, 3), G=2, st=(2, 2), pad=(1, 1), T=True),
    shape(1, 8, 8, (4, 5), (3, 2), G=8, st=(2, 1), T=True),
    shape(1, 8, 8, (4, 5), (3, 3), st=(2, 2), pad=(1, 1), outpad=(1, 0), T=True),
    shape(1, 5, 6, (9,), (3,), st=(2,), pad=(1,), T=True),
    shape(1, 16, 32, (4, 5), (2, 2), st=(1, 2), T=True),  # FBGEMM's direct kernel
    shape(1, 8, 16, (4, 5), (2, 3), T=True),
    shape(1, 3, 4, (3, 3, 4), (3, 3, 3), st=(2, 2, 2), pad=(1, 1, 1), T=True),
]


def random_shape(rng):
    T = bool(rng.integers(4) == 0)
    G = int(rng.choice([1, 1, 1, 2, 3, 8]))
    K, dil = (tuple(int(v) for v in rng.integers(1, most, 2)) for most in (5, 3))
    reach = [dil[a] * (K[a] - 1) + 1 for a in range(2)]
    # rows of a transposed output that no tap reaches: at most one, beyond that oneDNN's are wrong
    st = tuple(int(rng.integers(1, min(4, reach[a] + 2) if T else 4)) for a in range(2))
    pad = tuple(int(rng.integers(0, min(r, 2) if T else r)) for r in reach)
    S = tuple(int(rng.integers(r, r + 4 if T else 12)) for r in reach)
    return shape(2, int(rng.integers(1, 9)) * G, int(rng.integers(1, 9)) * G, S, K, G, st, pad, dil, T)


def geometry(c):
    return {"G": c["G"], "st": c["st"], "pad": c["pad"], "dil": c["dil"], "outpad": c["outpad"], "transposed": c["T"]}


def weight_shape(c):
    return ((c["IC"], c["OC"] // c["G"]) if c["T"] else (c["OC"], c["IC"] // c["G"])) + c["K"]


def layer(rng, c, zero_points, extreme):
    per_channel, OC = bool(rng.integers(2)) and not c["T"], c["OC"]
    x, w = codes(rng, "uint8", (c["N"], c["IC"]) + c["S"]), codes(rng, "int8", weight_shape(c))
    if extreme:
        x = rng.choice(np.array([0, 128, 200, 254, 255], np.uint8), x.shape)
        w = rng.choice(np.array([-128, -127, -100, 100, 126, 127], np.int8), w.shape)
    sx, zx, zy = float(rng.uniform(.001, .1)), *(int(rng.choice([0, 128, 255, int(rng.integers(256))])) for _ in range(2))
    zero_points = zero_points and rng.integers(2)
    if per_channel:
        sw = rng.uniform(.001, .02, OC).astype(f32).astype(np.float64)
        zw = rng.integers(-128, 128, OC) if zero_points else np.zeros(OC, np.int64)
    else:
        sw, zw = float(rng.uniform(.001, .02)), int(rng.integers(-128, 128)) if zero_points else 0
    K = int(np.prod(c["K"])) * c["IC"] // c["G"]
    sy = float(sx * np.mean(sw) * (6000 * np.sqrt(K) + 1) * rng.choice([.01, .02, .04]))
    b = [None, rng.standard_normal(OC) * sy * 30, rng.standard_normal(OC) * sy * 300][int(rng.integers(3))]
    return [x, zx, sx, w, zw, sw, None if b is None else b.astype(f32), sy, zy, bool(rng.integers(2)) and not c["T"]]


def dynamic_layers(rng, zero_points):
    """Yields (tag, [x, w, zw, sw, b, reduce_range], geometry) of two calls each: float images, results around the input's own range."""
    for c in SHAPES:
        for extreme in (False, True):
            x, zx, sx, w, zw, sw, b, *_ = layer(rng, {**c, "N": 2}, zero_points, extreme)
            K = int(np.prod(c["K"])) * c["IC"] // c["G"]
            factor = rng.choice([.5, 1, 3]) / (100 * np.sqrt(K)) / np.mean(sw)
            scale = np.array([1, rng.choice([.1, 3])]).reshape(-1, *[1] * (x.ndim - 1))
            x = ((x.astype(np.int64) - zx) * sx * scale).astype(f32)
            sw = (sw * factor).astype(f32).astype(np.float64) if np.ndim(sw) else float(f32(sw * factor))
            b = None if b is None else (b / np.abs(b).max() * sx * 60).astype(f32)
            yield "extremes" if extreme else "any", [x, w, zw, sw, b, bool(rng.integers(2))], geometry(c)


def fused_layers(rng, kinds):
    """Yields (kind, layer, geometry, second value or None) of convolutions of images; reals within a few units, where curves bend."""
    shapes = [c for c in SHAPES if len(c["K"]) == 2 and not c["T"]]
    for i, c in enumerate(shapes * 2):
        kind = kinds[i % len(kinds)]
        L = layer(rng, c, False, bool(i % 3 == 2))
        K = int(np.prod(c["K"])) * c["IC"] // c["G"]
        to = rng.uniform(1, 6) / (6000 * np.sqrt(K) * L[2] * np.mean(L[5]))
        sw = (L[5] * f32(to)).astype(f32).astype(np.float64) if np.ndim(L[5]) else float(f32(L[5] * to))
        b = None if L[6] is None else rng.standard_normal(c["OC"]).astype(f32)
        sy = float(rng.uniform(.02, .06))
        L[5:8], L[9] = [sw, b, sy], kind.endswith("relu")
        O = [(s + 2 * p - d * (k - 1) - 1) // t + 1 for s, p, d, k, t in zip(c["S"], c["pad"], c["dil"], c["K"], c["st"])]
        added = None
        if kind.startswith("add"):
            a, scale, zero = codes(rng, "uint8", (c["N"], c["OC"], *O)), float(rng.uniform(.5, 2) * sy), int(rng.integers(256))
            added = (f32(scale) * (a.astype(f32) - f32(zero)), 1.0, 0) if "float" in kind else (a, scale, zero)
        yield kind, L, geometry(c), added


TIES = [
    shape(1, 3, 64, (4, 4), (3, 3), pad=(1, 1)), shape(1, 16, 64, (4, 4), (3, 3), pad=(1, 1)), shape(1, 16, 128, (3, 3), (1, 1)),
    shape(1, 64, 64, (4, 4), (3, 3), G=64, pad=(1, 1)), shape(1, 64, 64, (4, 4), (3, 3), G=16, pad=(1, 1)),
    shape(1, 48, 48, (4, 4), (3, 3), G=16, pad=(1, 1)), shape(1, 48, 48, (4, 4), (1, 1), G=4), shape(1, 3, 64, (3, 3, 3), (2, 2, 2)),
    shape(1, 32, 32, (3, 3, 3), (3, 3, 3), G=32, pad=(1, 1, 1)), shape(1, 5, 96, (9,), (3,), pad=(1,)),
    shape(1, 32, 32, (3, 3), (3, 3), st=(2, 2), pad=(1, 1), T=True), shape(1, 24, 24, (3, 3), (3, 3), G=8, st=(2, 2), pad=(1, 1), T=True),
]


def near_tie_layer(rng, c, mode, exact):
    """One place of every channel within about 2 float32 steps of k + 1/2: through the bias, or (mode 2) through the weight scale.
    exact: layer, geometry -> accumulators [N, places, OC]."""
    OC = c["OC"]
    per_channel = mode != 1 and not c["T"]
    x = rng.integers(0, 100, (c["N"], c["IC"]) + c["S"]).astype(np.uint8)
    w = rng.integers(-20, 20, weight_shape(c)).astype(np.int8)
    zx, zy, sx = int(rng.choice([0, 77, 128])), int(rng.choice([0, 33, 128])), float(rng.uniform(.005, .1))
    sw = rng.uniform(.002, .02, OC).astype(f32).astype(np.float64) if per_channel else float(rng.uniform(.002, .02))
    acc = exact(x, zx, w)
    a0 = acc[0, rng.integers(0, acc.shape[1], OC), np.arange(OC)].astype(np.float64)
    sy = float(np.abs(acc).max() * sx * np.mean(sw) / 100 * rng.uniform(.5, 2))
    k, j = rng.integers(-zy, 255 - zy, OC) + .5, rng.integers(-2, 3, OC)
    b = ulps((k * sy - a0 * sx * sw).astype(f32), j)
    if mode == 2 and per_channel:
        fits = a0 * k > 0
        sw = ulps(np.where(fits, np.abs(k) * sy / (sx * np.maximum(np.abs(a0), 1)), .01).astype(f32), np.where(fits, j, 0)).astype(np.float64)
        b = None
    return [x, zx, sx, w, np.zeros(OC, np.int64) if per_channel else 0, sw, b, sy, zy, False]


def convolution_family(family, rng, zero_points, exact, size=1):
    """Yields (tag, layer, geometry). exact(x, zx, w, **geometry): accumulators [N, places, OC]."""
    if family == "convolutions":
        for i in range(max(1, int(size))):
            for c in SHAPES:
                for extreme in (False, True):
                    yield "extremes" if extreme else "any", layer(rng, c, zero_points, extreme), geometry(c)
    if family == "convolutions-random":
        for i in range(max(1, int(200 * size))):
            c = random_shape(rng)
            yield "random", layer(rng, c, zero_points, bool(i & 1)), geometry(c)
    if family == "convolutions-near-ties":
        for i in range(max(1, int(36 * size))):
            c = TIES[i % len(TIES)]
            L = near_tie_layer(rng, c, i // len(TIES) % 3, lambda *a: exact(*a, **geometry(c)))
            yield "near-tie", L, geometry(c)


CONVOLUTION_FAMILIES = ["convolutions", "convolutions-random", "convolutions-near-ties"]
