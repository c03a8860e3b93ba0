"""Layers that tell kernels apart, and the files they are written to.

Ordinary data hardly does: most values here lie on or next to a rounding tie, saturate, overflow, or sit at the limits of a
K block. Nothing here knows a kernel: make_golden.py computes the outputs with numpy models, test/verify/runtimes.py with the
runtimes themselves.
"""
import io
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

f32 = np.float32
RANGE = {"uint8": (0, 255), "int8": (-128, 127)}
NP = {"uint8": np.uint8, "int8": np.int8}
BATCHES = [1, 2, 4]
BLOCK_LIMITS = [1, 2, 3, 126, 127, 128, 129, 255, 256, 257, 258, 259, 260, 262, 265, 383, 384, 385, 386, 511, 512, 513, 514,
                765, 766, 767, 768, 769, 770, 1023, 1025]


# ---------------------------------------------------------------- files
def write_npz(path, arrays):
    """np.savez_compressed with a fixed date: the same bytes at every run."""
    with zipfile.ZipFile(path, "w") as z:
        for key, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            z.writestr(zipfile.ZipInfo(key + ".npy", (1980, 1, 1, 0, 0, 0)), data.getvalue(), zipfile.ZIP_DEFLATED, 9)


def output(dtype, scale=None, zero_point=None):
    return {"dtype": dtype} if dtype == "float32" else {"dtype": dtype, "scale": float(scale), "zero_point": int(zero_point)}


class Fixture:
    """One model.json with many independent layers, each on an input of its own."""

    def __init__(self, folder, kernel):
        self.folder, self.kernel = Path(folder), kernel
        self.inputs, self.layers, self.arrays, self.capture, self.values = [], [], {}, {}, 0

    def batches(self, sizes):
        self.capture["batch_sizes"] = np.array(sizes)

    def _add(self, op, tag, x, x_params, y_params, y, more):
        name, source = f"{tag}-{len(self.layers)}", f"x-{len(self.layers)}"
        shape = {} if x.ndim < 3 else {"shape": x.shape[1:]}
        self.inputs.append({"name": source, **output(*x_params), **shape})
        self.layers.append({"name": name, "op": op, "input": source, **more(name), "output": output(*y_params)})
        self.capture[source], self.capture[name] = np.atleast_2d(x), np.atleast_2d(y)
        self.values += y.size
        return name

    def pointwise(self, op, x, x_params, y_params, y):
        self._add(op, op, x, x_params, y_params, y, lambda name: {})

    def linear(self, tag, x, x_params, w, w_scale, w_zero_point, bias, relu, y_params, y, op="linear", accumulator=None, **more):
        def fields(name):
            dtype = "uint8" if w.dtype == np.uint8 else "int8"
            layer = {"weight": self._array(f"{name}.weight", w.astype(NP[dtype])), "weight_dtype": dtype,
                     "weight_scale": self._array(f"{name}.weight_scale", np.asarray(w_scale, f32)) if np.ndim(w_scale) else float(w_scale)}
            if np.any(w_zero_point):
                layer["weight_zero_point"] = [int(z) for z in w_zero_point] if np.ndim(w_zero_point) else int(w_zero_point)
            layer["bias"] = None
            if bias is not None:
                layer["bias_dtype"] = "float32" if bias.dtype == f32 else "int32"
                layer["bias"] = self._array(f"{name}.bias", bias.astype(layer["bias_dtype"]))
            return {**layer, "activation": "relu" if relu else "none", **more}

        name = self._add(op, tag, x, x_params, y_params, y, fields)
        if accumulator is not None:
            self.capture[f"{name}.accumulator"] = accumulator.astype(np.int32)

    def convolution(self, tag, L, g, y):
        """g: the geometry, as convolution_layers.py has it."""
        x, zx, sx, w, zw, sw, b, sy, zy, relu = L
        axes = w.ndim - 2
        more = {"stride": g["st"], "padding": g["pad"], "dilation": g["dil"], "groups": g["G"]}
        if g["outpad"]:
            more["output_padding"] = g["outpad"]
        op = f"{'conv_transpose' if g['transposed'] else 'conv'}{axes}d"
        self.linear(tag, x, ("uint8", sx, zx), w, sw, zw, b, relu, ("uint8", sy, zy), y, op=op, **more)

    def fused_convolution(self, tag, L, g, added, activation, y):
        """added: codes (or floats), scale and zero point of a second value; None: a curve in place of it."""
        self.convolution(tag, L, g, y)
        layer = self.layers[-1]
        layer["activation"] = activation
        if y.dtype == f32:
            layer["output"] = output("float32")
        if added:
            a, *params = added
            source = f"a-{len(self.layers) - 1}"
            self.inputs.append({"name": source, **(output("float32") if a.dtype == f32 else output("uint8", *params)), "shape": a.shape[1:]})
            self.capture[source] = a
            layer.update(op="conv2d_add", input=[layer["input"], source])

    def dynamic_convolution(self, tag, x, w, zw, sw, b, reduce_range, g, y):
        more = {"stride": g["st"], "padding": g["pad"], "dilation": g["dil"], "groups": g["G"], "reduce_range": reduce_range}
        if g["outpad"]:
            more["output_padding"] = g["outpad"]
        op = f"{'conv_transpose' if g['transposed'] else 'conv'}{w.ndim - 2}d_dynamic"
        self.linear(tag, x, ("float32",), w, sw, zw, b, False, ("float32",), y, op=op, **more)

    def _array(self, key, array):
        self.arrays[key] = array
        return {"array": key}

    def write(self, expected, **producer):
        if not self.layers:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = lambda items: "[\n" + ",\n".join("  " + json.dumps(item) for item in items) + "\n ]"
        facts = {"kernel": self.kernel, **producer}
        head = {"format": "qdiff-model", "version": 1, "producer": {key: fact for key, fact in facts.items() if fact is not None}}
        if self.arrays:
            head["arrays"] = "model.npz"
            write_npz(self.folder / "model.npz", self.arrays)
        text = json.dumps({**head, "inputs": "INPUTS", "layers": "LAYERS"}, indent=1)
        text = text.replace('"INPUTS"', lines(self.inputs)).replace('"LAYERS"', lines(self.layers))
        (self.folder / "model.json").write_text(text + "\n")
        write_npz(self.folder / "capture.npz", self.capture)
        (self.folder / "expected.json").write_text(
            json.dumps({"exit": 0, "mismatched": 0, "values": self.values, **expected}, indent=2) + "\n")


# ---------------------------------------------------------------- small things
def rng_for(seed, *names):
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def ulps(v, k):
    """v moved by k float32 steps."""
    v = np.asarray(v, f32)
    return (v.view(np.int32) + np.asarray(k, np.int32) * np.where(v == 0, 0, 1).astype(np.int32)).view(f32)


def exact_sum(x, zx, w, zw=0):
    return (x.astype(np.int64) - int(zx)) @ (w.astype(np.int64) - np.reshape(np.asarray(zw, np.int64), (-1, 1))).T


def log_uniform(rng, lo, hi):
    return f32(np.exp(rng.uniform(np.log(lo), np.log(hi))))


def codes(rng, dtype, shape):
    lo, hi = RANGE[dtype]
    return rng.integers(lo, hi + 1, shape).astype(NP[dtype])


# ---------------------------------------------------------------- PyTorch: float bias, uint8 activations
# A layer: [x, zx, sx, w, zw, sw, b, sy, zy, relu]. zw and sw are scalars (per tensor) or [N] (per channel).
def any_layer(rng, zero_points, M, K, N):
    per_channel = bool(rng.integers(2))
    sx = float(rng.uniform(.001, .1))
    x, w = codes(rng, "uint8", (M, K)), codes(rng, "int8", (N, K))
    zx, zy = (int(rng.choice([0, 128, 255, int(rng.integers(256))])) for _ in range(2))
    zero_points = zero_points and rng.integers(2)
    if per_channel:
        sw = rng.uniform(.001, .02, N).astype(f32).astype(np.float64)
        zw = rng.integers(-128, 128, N) if zero_points else np.zeros(N, np.int64)
    else:
        sw, zw = float(rng.uniform(.001, .02)), int(rng.integers(-128, 128)) if zero_points else 0
    sy = spread_scale(x, zx, sx, w, zw, sw, rng.choice([.004, .02, .05]))
    b = [None, rng.standard_normal(N) * sy * 30, rng.standard_normal(N) * sy * 300][int(rng.integers(3))]
    b = None if b is None else b.astype(f32)
    return [x, zx, sx, w, zw, sw, b, sy, zy, bool(rng.integers(2)) and zy < 200]


def spread_scale(x, zx, sx, w, zw, sw, share):
    """An output scale that spreads the accumulators over the codes."""
    return float(sx * np.mean(sw) * (np.std(exact_sum(x, zx, w, zw)) + 1) * share)


def extreme_layer(rng, zero_points, M, K, N, xs, ws, share):
    L = any_layer(rng, zero_points, M, K, N)
    L[0], L[3] = rng.choice(np.array(xs, np.uint8), (M, K)), rng.choice(np.array(ws, np.int8), (N, K))
    L[7] = spread_scale(*L[:6], share)
    if L[6] is not None:
        L[6] = (rng.standard_normal(N) * L[7] * 30).astype(f32)
    return L


def near_tie_layer(rng, mode, N, dtype="uint8"):
    """Every output within about 2 float32 steps of k + 1/2: through the bias, or (mode 2) through the weight scale."""
    K = int(rng.integers(1, 5))
    lo, hi = RANGE[dtype]
    x = (rng.integers(1, 120, (1, K)) - (60 if lo else 0)).astype(NP[dtype])
    w = rng.integers(-60, 60, (N, K)).astype(np.int8)
    zx, zy = int(rng.choice([0, lo + 77, 0 if lo else 128])), int(rng.choice([lo, lo + 33, lo + 128]))
    sx, sy = float(rng.uniform(.005, .1)), float(rng.uniform(.02, .2))
    acc = exact_sum(x, zx, w)[0].astype(np.float64)
    k, j = rng.integers(lo, hi, N) - zy + .5, rng.integers(-2, 3, N)
    if mode == 2:
        fits = (acc * k > 0) & (np.abs(k) > 1)
        sw = np.where(fits, np.abs(k) * sy / (sx * np.maximum(np.abs(acc), 1)), .01)
        sw = ulps(sw.astype(f32), np.where(fits, j, 0)).astype(np.float64)
        return [x, zx, sx, w, np.zeros(N, np.int64), sw, None, sy, zy, False]
    per_channel = mode == 0
    sw = rng.uniform(.002, .02, N).astype(f32).astype(np.float64) if per_channel else float(rng.uniform(.002, .02))
    b = ulps((k * sy - acc * sx * sw).astype(f32), j)
    return [x, zx, sx, w, np.zeros(N, np.int64) if per_channel else 0, sw, b, sy, zy, False]


def tie_layer(rng, i, M=40, N=64):
    """Power-of-two scales: exact ties, odd and even zero points."""
    K = int(rng.integers(1, 4))
    x, w = rng.integers(0, 100, (M, K)).astype(np.uint8), rng.integers(-50, 50, (N, K)).astype(np.int8)
    zx, zy, p = int(rng.choice([0, 3, 64])), int(rng.integers(0, 256)), -int(rng.integers(1, 6))
    b = None if i % 3 == 0 else (rng.integers(-64, 64, N) * 2.0 ** (p - 9)).astype(f32)
    zw, sw = (0, 2.0 ** -5) if i & 1 else (np.zeros(N, np.int64), np.full(N, 2.0 ** -5))
    return [x, zx, 2.0 ** -4, w, zw, sw, b, 2.0 ** (-9 - p), zy, bool(rng.integers(2)) and zy < 200]


def torch_family(family, rng, zero_points, size=1):
    """Yields (tag, layer)."""
    count = lambda n: range(max(1, int(n * size)))
    draw = lambda lo, hi: int(rng.integers(lo, hi))
    if family == "random":
        for _ in count(12):
            yield "any", any_layer(rng, zero_points, 12, draw(1, 66), draw(1, 66))
    elif family == "batch":
        for _ in count(4):
            yield "batch", any_layer(rng, zero_points, 121, draw(1, 40), draw(40, 80))
    elif family == "blocks":
        for K in BLOCK_LIMITS:
            yield f"k{K}", extreme_layer(rng, zero_points, 4, K, 4, [0, 90, 128, 200, 255], [-128, -70, 0, 90, 127], .02)
    elif family == "saturating":
        for _ in count(12):
            yield "extremes", extreme_layer(rng, zero_points, 8, draw(2, 45), draw(8, 40), [0, 128, 129, 200, 254, 255],
                                            [-128, -127, -100, 126, 127], .03)
    elif family == "near-ties":
        for i in count(15):
            L = near_tie_layer(rng, i % 3, 400)
            L[9] = bool(i & 1)
            yield ["per-channel", "per-tensor", "no-bias"][i % 3], L
    elif family == "ties":
        for i in count(24):
            yield "pow2", tie_layer(rng, i)
    elif family == "overflow":
        for i in count(16):
            L = any_layer(rng, zero_points, 4, 4, 48)
            L[7] = float(10.0 ** rng.uniform(-10, -2))
            if i & 1:
                L[6] = (rng.standard_normal(48) * 10.0 ** rng.uniform(0, 6)).astype(f32)
            yield "huge", L
        for K in (3000, 40000, 80000):  # float32 rounds accumulators above 2^24; 255 * 127 * 80000 = 2.6e9 wraps int32
            x, w = np.full((4, K), 255, np.uint8), np.full((3, K), 127, np.int8)
            x[1:] = rng.choice(np.array([250, 255], np.uint8), (3, 1))
            w[1:] = rng.choice(np.array([120, 127], np.int8), (2, 1))
            acc = (exact_sum(x, 3, w) + 2**31 & 0xFFFFFFFF) - 2**31
            sy = float((np.ptp(acc) + 1) / 250 * 2e-4)
            b = (-acc[0] * 2e-4 + rng.uniform(0, 100, 3) * sy).astype(f32)
            yield f"k{K}", [x, 3, 2e-2, w, 0, 1e-2, b, sy, int(rng.integers(256)), False]


TORCH_FAMILIES = ["random", "batch", "blocks", "saturating", "near-ties", "ties", "overflow"]


def int8_family(family, rng, size=1):
    """oneDNN's int8 activations."""
    if family == "int8-near-ties":
        for i in range(max(1, int(9 * size))):
            yield "int8", near_tie_layer(rng, i % 3, 300, "int8")
        return
    for i, K in enumerate([3, 16, 37, 64, 257, 258, 270, 385, 386, 513, 700, 766]):
        M, N, sx, zx = 6, 12, .02, [0, 0, -128, 5][i % 4]
        x = rng.choice(np.array([-128, -20, 0, 100, 127], np.int8), (M, K))
        w = rng.choice(np.array([-128, -100, 60, 127], np.int8), (N, K))
        sw = rng.uniform(.001, .02, N).astype(f32).astype(np.float64)
        sy = spread_scale(x, zx, sx, w, 0, sw, .02)
        b = (rng.standard_normal(N) * sy * 30).astype(f32)
        yield f"k{K}", [x, zx, sx, w, np.zeros(N, np.int64), sw, b, sy, int(rng.integers(-128, 128)), bool(i & 1)]


CALLS = [1, 3, 33, 8]


def calls_family(rng, dtype="uint8", size=1):
    """Sizes around those from which oneDNN runs a call on AMX; in every channel one value of some call lies next to a tie.
    Yields layers of sum(CALLS) rows."""
    lo, hi = RANGE[dtype]
    for i in range(max(2, int(8 * size))):
        M, K, N = sum(CALLS), [16, 17, 24, 70][i % 4], [6, 33, 64, 90, 257][i % 5]
        x = (rng.integers(1, 120, (M, K)) - (60 if lo else 0)).astype(NP[dtype])
        w, zx, zy = rng.integers(-60, 60, (N, K)).astype(np.int8), lo + 77 if i % 3 else 0, lo + 33
        sx, sy = float(rng.uniform(.005, .1)), float(rng.uniform(.2, 2))
        acc = exact_sum(x, zx, w)[rng.integers(0, M, N), np.arange(N)].astype(np.float64)
        k = np.sign(acc) * (rng.integers(3, 60, N) + .5)
        sw = ulps(np.where(acc == 0, .01, np.abs(k) * sy / (sx * np.maximum(np.abs(acc), 1))).astype(f32), rng.integers(-2, 3, N))
        b = (rng.standard_normal(N) * 1e-6).astype(f32) if i % 2 else None
        yield [x, zx, sx, w, np.zeros(N, np.int64), sw.astype(np.float64), b, sy, zy, i % 6 == 5]


def dynamic_calls(rng, size=1):
    """The same sizes, in dynamic layers."""
    for i in range(max(2, int(8 * size))):
        M, K, N = sum(CALLS), [16, 17, 24, 70][i % 4], [6, 33, 64, 90, 257][i % 5]
        x = (rng.standard_normal((M, K)) * 10.0 ** rng.uniform(-2, 1)).astype(f32)
        sw, zw = (rng.uniform(.001, .02, N).astype(f32).astype(np.float64), np.zeros(N, np.int64)) if i % 2 else (float(rng.uniform(.001, .02)), 0)
        b = (rng.standard_normal(N) * 5).astype(f32) if i % 3 else None
        yield x, codes(rng, "int8", (N, K)), zw, sw, b, i % 4 == 3, bool(i & 1)


def dynamic_family(rng, zero_points, size=1):
    """Yields (x, w, zw, sw, b, relu, reduce_range), x of BATCHES rows."""
    for i in range(max(2, int(16 * size))):
        K, N, M = int(rng.integers(1, 80)), int(rng.integers(1, 30)), sum(BATCHES)
        zw_any = zero_points and rng.integers(2)
        if rng.integers(2):
            sw = rng.uniform(.001, .02, N).astype(f32).astype(np.float64)
            zw = rng.integers(-50, 50, N) if zw_any else np.zeros(N, np.int64)
        else:
            sw, zw = float(rng.uniform(.001, .02)), int(rng.integers(-50, 50)) if zw_any else 0
        w = rng.choice(np.array([-128, -100, 30, 127], np.int8), (N, K)) if i % 4 == 1 else codes(rng, "int8", (N, K))
        x = rng.standard_normal((M, K)).astype(f32) * f32(10.0 ** rng.uniform(-3, 2))
        x += f32([0, 0, np.abs(x).max() * 2, -np.abs(x).max() * 2][i % 4])
        if i % 16 == 5: x *= f32(1e-4)
        if i % 13 == 6: x = np.abs(x)
        if i % 16 == 14: x[:] = 0
        if i % 16 == 15: x *= f32(1e-30)
        b = None if rng.integers(2) else (rng.standard_normal(N) * 5).astype(f32)
        yield x, w, zw, sw, b, bool(rng.integers(2)), bool(rng.integers(2))


def dynamic_near_ties(rng, choose, ignores_reduce_range, size=1):
    """Identity weights show the activation quantizer. choose(min, max, reduce_range) -> (scale, zero_point)."""
    for i in range(max(2, int(12 * size))):
        K = 64
        x = np.zeros((1, K), f32)
        x[0, 0], x[0, 1] = f32(-rng.uniform(0, 2) * (i % 4 > 0)), f32(rng.uniform(.5, 3))
        if i & 8: x = -x
        reduce_range = bool(i & 1) and not ignores_reduce_range
        s, zp = choose(x.min(), x.max(), reduce_range)
        k = rng.integers(0, 127 if reduce_range else 255, K - 2) - zp + .5
        x[0, 2:] = np.clip(ulps((k * s).astype(f32), rng.integers(-2, 3, K - 2)), x.min(), x.max())
        yield x, np.eye(K, dtype=np.int8), 0, 1.0, None, False, reduce_range


# ---------------------------------------------------------------- quantize, dequantize, ReLU, ReLU6
def six_scale(rng, steps):
    """f32(6 / scale) is k + 1/2, or the scale lies so many float32 steps from that."""
    while True:
        scale = f32(6 / (int(rng.integers(20, 120)) + .5))
        if float(f32(6) / scale) % 1 == .5:
            return float(ulps([scale], [steps])[0])


def pointwise_family(rng, dtypes, size=1):
    """Yields (dtype, scale, zero_point, near-tie reals, codes, scale for ReLU6, zero point for ReLU6, every code)."""
    M = 4
    for i in range(max(2, int(16 * size))):
        dtype = dtypes[i % len(dtypes)]
        lo, hi = RANGE[dtype]
        s, zp = float(10.0 ** rng.uniform(-3, 0)), int(rng.integers(lo, hi + 1))
        reals = ulps(((rng.integers(-300, 300, (M, 160)) + .5) * s).astype(f32), rng.integers(-3, 4, (M, 160)))
        if i % 4 == 3:
            reals = (rng.standard_normal((M, 160)) * s * 200).astype(f32)
        six = six_scale(rng, i % 3 - 1)
        every = np.tile(np.arange(lo, hi + 1), (M, 1)).astype(NP[dtype])
        yield dtype, s, zp, reals, codes(rng, dtype, (M, 60)), six, lo + int(rng.integers(0, 100)), every


# ---------------------------------------------------------------- other runtimes: int32 bias
# A layer: [x, zx, sx, w, zw, sw, bq, zy, sy]; scales are float32.
def other_layer(rng, dtype, M, K, N, per_channel, ties=False, zero_points=False, mined=True, spread=False):
    lo, hi = RANGE[dtype]
    x, w = codes(rng, dtype, (M, K)), rng.integers(-127, 128, (N, K)).astype(np.int8)
    zx, zy = int(rng.integers(lo, hi + 1)), lo if rng.random() < .25 else int(rng.integers(lo, hi + 1))
    zw = int(rng.integers(-127, 128)) if zero_points else 0
    if ties:
        sx = f32(2.0 ** -int(rng.integers(3, 8)))
        sw = f32(2.0 ** -rng.integers(3, 8, N).astype(float)) if per_channel else f32(2.0 ** -int(rng.integers(3, 8)))
        sy = f32(2.0 ** np.round(np.log2(float(np.sqrt(K)) * 6000 * float(sx) * float(np.max(sw)) / 64)))
    else:
        sx = log_uniform(rng, 1e-3, 1e-1)
        sw = np.array([log_uniform(rng, 1e-4, 2e-2) for _ in range(N)], f32) if per_channel else log_uniform(rng, 1e-4, 2e-2)
        sy = f32(float(exact_sum(x, zx, w).std() + 1) * float(sx) * float(np.median(sw)) / rng.uniform(20, 90))
    if spread:
        sw = np.array([log_uniform(rng, 1e-8, 5.) for _ in range(N)], f32)
    if mined:  # row 0 next to (k + 1/2) / multiplier in every channel
        a0 = exact_sum(x[:1], zx, w, zw)[0]
        multiplier = float(sx) * np.asarray(sw, np.float64) / float(sy) * np.ones(N)
        k = rng.integers(lo - zy, hi - zy, N) + .5
        b = np.clip(np.rint(k / multiplier) + rng.integers(-1, 2, N) - a0, -2**31 + 2**24, 2**31 - 2**24)
        if per_channel and not ties and not spread:  # and within a float32 step or two of it
            acc = a0 + b
            fits = acc * k > 0
            sw = ulps(np.where(fits, k * float(sy) / (float(sx) * np.where(fits, acc, 1)), sw), rng.integers(-2, 3, N))
    else:
        b = rng.integers(-int(np.sqrt(K) * 5000), int(np.sqrt(K) * 5000) + 1, N)
    return [x, zx, sx, w, zw, sw, b.astype(np.int64).astype(np.int32), zy, sy]


def other_block_layer(rng, dtype, K):
    lo, hi = RANGE[dtype]
    x = rng.choice(np.array([lo, lo + 20, 0 if lo else 128, hi - 1, hi]), (4, K), p=[.3, .2, .1, .2, .2]).astype(NP[dtype])
    w = rng.choice(np.array([-128, -70, 0, 90, 127], np.int8), (4, K), p=[.3, .2, .1, .2, .2])
    zx, zy, sx = int(rng.integers(lo, hi + 1)), int(rng.integers(lo, hi + 1)), f32(.01)
    sw = np.array([log_uniform(rng, 1e-3, 2e-2) for _ in range(4)], f32)
    acc = exact_sum(x, zx, w)
    sy = f32((acc.std() + 1) * .01 * float(np.median(sw)) * .05)
    return [x, zx, sx, w, 0, sw, (-acc.mean(0)).astype(np.int32), zy, sy]


def other_family(family, rng, dtypes, fixed_point, size=1):
    """Yields (tag, dtype, layer, relu)."""
    count = lambda n: range(max(1, int(n * size)))
    draw = lambda lo, hi: int(rng.integers(lo, hi))
    dtype_of = lambda i: dtypes[i % len(dtypes)]
    if family == "near-ties":
        for i in count(16):
            L = other_layer(rng, dtype_of(i), 1, draw(1, 6), 400, i % 2, zero_points=i % 6 == 0)
            yield "per-channel" if i % 2 else "per-tensor", dtype_of(i), L, bool(i & 4)
    elif family == "ties":
        for i in count(24):
            L = other_layer(rng, dtype_of(i), 40, draw(1, 6), 60, i % 2, ties=True, mined=bool(i & 2))
            if i % 5 == 0:
                L[6] = None
            yield "pow2", dtype_of(i), L, bool(i & 4)
    elif family == "batch":
        for i in count(5):
            yield "batch", dtype_of(i), other_layer(rng, dtype_of(i), 121, draw(1, 40), draw(40, 80), i % 2, mined=False), bool(i & 4)
    elif family == "multipliers":
        for i in count(8):
            yield "tiny-huge", dtype_of(i), other_layer(rng, dtype_of(i), 6, 16, 48, 1, spread=True), bool(i & 4)
    elif family == "blocks":
        for i, K in enumerate(BLOCK_LIMITS):
            yield f"k{K}", dtype_of(i), other_block_layer(rng, dtype_of(i), K), bool(i & 4)
    elif family == "overflow":
        for i, K in enumerate([4, 4, 4, 1500, 3000, 80000]):
            lo, hi = RANGE[dtype_of(i)]
            L = other_layer(rng, dtype_of(i), 4, K, 48 if K == 4 else 3, i % 2, mined=False)
            if K == 4 and not fixed_point:
                L[8] = f32(10.0 ** rng.uniform(-12, -10))  # beyond int32 before the clamp
            elif K > 4:  # float32 rounds accumulators above 2^24; K = 80000 wraps int32
                L[0], L[3] = np.full((4, K), hi, NP[dtype_of(i)]), np.full((3, K), 127, np.int8)
                L[0][1:], L[3][1:] = rng.choice([hi - 5, hi], (3, 1)), rng.choice([120, 127], (2, 1))
                L[1] = lo
                acc = (exact_sum(L[0], lo, L[3]) + 2**31 & 0xFFFFFFFF) - 2**31
                L[6] = (-acc[0] // 2).astype(np.int32)
                L[8] = f32(np.ptp(acc) / 250 * float(L[2]) * float(np.median(L[5])))
            yield f"k{K}", dtype_of(i), L, False


OTHER_FAMILIES = ["near-ties", "ties", "batch", "multipliers", "blocks", "overflow"]


def float_bias_family(rng, dtypes, size=1):
    """Biases next to (or, with power-of-two scales, exactly at) half an accumulator unit; multipliers of 1 to 2 show them.
    Yields (tag, dtype, layer, float bias); the layer's int32 bias is left to the kernel."""
    N = 60
    for i in range(max(2, int(12 * size))):
        dtype, per_channel, ties = dtypes[i % len(dtypes)], i % 2, i % 3 == 0
        lo, hi = RANGE[dtype]
        x = codes(rng, dtype, (3, 4))
        w = (rng.integers(-1, 2, (N, 4)) * (rng.random((N, 4)) < .1)).astype(np.int8)
        zx, zy = int(rng.integers(lo, hi + 1)), int(rng.integers(lo + 100, hi - 100))
        sx, unit = (f32(2.0 ** -5), f32(2.0 ** -6)) if ties else (log_uniform(rng, 1e-3, 1e-1), log_uniform(rng, 1e-3, 1e-2))
        sw = (unit * (rng.choice([1, 2], N) if ties else rng.uniform(1, 2, N))).astype(f32) if per_channel else unit
        scale = np.asarray((sx * np.asarray(sw, f32)).astype(f32), np.float64)
        b = ((rng.integers(-40, 41, N) + .5) * scale).astype(f32)
        b = b if ties else ulps(b, rng.integers(-2, 3, N))
        yield "ties" if ties else "near", dtype, [x, zx, sx, w, 0, sw, None, zy, f32(sx * unit)], b
