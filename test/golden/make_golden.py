"""Golden vectors for every kernel model, made by independent numpy models of the kernels.

    python test/golden/make_golden.py --oracle DIR [--out fixtures/kernels] [--only KERNEL]

DIR holds torch_kernels.py and other_kernels.py: bit-exact numpy models, run against the real runtimes. Nothing in the
project reads them otherwise. Writes OUT/KERNEL/FAMILY/{model.json,model.npz,capture.npz,expected.json}, the same bytes at
every run. Families: ordinary data hardly tells kernels apart, so most values lie on or next to a rounding tie, saturate,
overflow, or sit at the limits of a K block.
"""
import argparse
import io
import json
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np

args = argparse.ArgumentParser()
args.add_argument("--oracle", required=True)
args.add_argument("--out", default=str(Path(__file__).parents[2] / "fixtures" / "kernels"))
args.add_argument("--only", default="")
args.add_argument("--seed", type=int, default=1)
args = args.parse_args()
sys.path.insert(0, args.oracle)
import other_kernels as ok  # noqa: E402
import torch_kernels as tk  # noqa: E402

f32 = np.float32
RANGE = {"uint8": (0, 255), "int8": (-128, 127)}
NP = {"uint8": np.uint8, "int8": np.int8}


# ---------------------------------------------------------------- writing
def write_npz(path, arrays):
    """np.savez_compressed with a fixed date: the same bytes at every run."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for key, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            z.writestr(zipfile.ZipInfo(key + ".npy", (1980, 1, 1, 0, 0, 0)), data.getvalue(), zipfile.ZIP_DEFLATED, 9)


class Fixture:
    """One model.json with many independent layers, each on an input of its own."""

    def __init__(self, kernel, family, rivals=()):
        self.kernel, self.family, self.rivals = kernel, family, list(rivals)
        self.inputs, self.layers, self.arrays, self.capture, self.values = [], [], {}, {}, 0

    def name(self, tag):
        return f"{tag}-{len(self.layers)}"

    def value(self, name, array):
        array = np.atleast_2d(array)
        self.capture[name] = array
        return array

    def input(self, tag, x, dtype, scale=None, zero_point=None):
        name = f"x-{len(self.layers)}"
        quant = {} if dtype == "float32" else {"scale": float(scale), "zero_point": int(zero_point)}
        self.inputs.append({"name": name, "dtype": dtype, **quant})
        self.value(name, x)
        return name

    def linear(self, tag, x, x_params, w, w_scale, w_zero_point, bias, y_params, relu, y, op="linear", accumulator=None, **more):
        name = self.name(tag)
        source = self.input(tag, x, *x_params)
        layer = {"name": name, "op": op, "input": source, "weight": self.array(f"{name}.weight", w.astype(np.int8)),
                 "weight_dtype": "int8",
                 "weight_scale": self.array(f"{name}.weight_scale", np.asarray(w_scale, f32)) if np.ndim(w_scale) else float(w_scale)}
        if np.any(w_zero_point):
            layer["weight_zero_point"] = [int(z) for z in w_zero_point] if np.ndim(w_zero_point) else int(w_zero_point)
        if bias is None:
            layer["bias"] = None
        else:
            dtype = "float32" if bias.dtype == f32 else "int32"
            layer["bias"] = self.array(f"{name}.bias", bias if dtype == "float32" else bias.astype(np.int32))
            layer["bias_dtype"] = dtype
        layer["activation"] = "relu" if relu else "none"
        layer["output"] = output(*y_params)
        self.layers.append({**layer, **more})
        y = self.value(name, y)
        self.values += y.size
        if accumulator is not None:
            self.value(f"{name}.accumulator", accumulator.astype(np.int32))

    def pointwise(self, op, x, x_params, y_params, y):
        name = self.name(op)
        self.layers.append({"name": name, "op": op, "input": self.input(op, x, *x_params), "output": output(*y_params)})
        self.values += self.value(name, y).size

    def array(self, key, array):
        self.arrays[key] = array
        return {"array": key}

    def write(self, **producer):
        folder = Path(args.out) / self.kernel / self.family
        folder.mkdir(parents=True, exist_ok=True)
        model = {"format": "qdiff-model", "version": 1, "producer": {"kernel": self.kernel, **producer},
                 "arrays": "model.npz", "inputs": self.inputs, "layers": self.layers}
        if not self.arrays:
            del model["arrays"]
        (folder / "model.json").write_text(
            json.dumps({**model, "inputs": "INPUTS", "layers": "LAYERS"}, indent=1)
            .replace('"INPUTS"', lines(self.inputs)).replace('"LAYERS"', lines(self.layers)) + "\n")
        if self.arrays:
            write_npz(folder / "model.npz", self.arrays)
        write_npz(folder / "capture.npz", self.capture)
        expected = {"exit": 0, "mismatched": 0, "values": self.values, "rivals": self.rivals,
                    "provenance": {"made_by": "test/golden/make_golden.py", "from": "numpy models of the kernels",
                                   "numpy": np.__version__, "seed": args.seed}}
        (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def lines(items):
    return "[\n" + ",\n".join("  " + json.dumps(item) for item in items) + "\n ]"


def output(dtype, scale=None, zero_point=None):
    return {"dtype": dtype} if dtype == "float32" else {"dtype": dtype, "scale": float(scale), "zero_point": int(zero_point)}


def rng_for(*names):
    return np.random.default_rng([args.seed, *(zlib.crc32(n.encode()) for n in names)])


def ulps(v, k):
    """v moved by k float32 steps."""
    v = np.asarray(v, f32)
    return (v.view(np.int32) + k.astype(np.int32) * np.where(v == 0, 0, 1).astype(np.int32)).view(f32)


# ---------------------------------------------------------------- PyTorch's kernels
# A layer L: x, zx, sx, w, zw, sw, b, sy, zy, relu, in the order of the numpy models.
def pointwise_op(**k):
    return lambda x, zx, sx, w, zw, sw, b, sy, zy, relu: tk.onednn_qlinear_pointwise(x, zx, sx, w, sw, b, sy, zy, relu, **k)


TORCH = {
    "fbgemm": tk.fbgemm_linear,
    "fbgemm-avx2": tk.fbgemm_linear_sat,
    "onednn": tk.onednn_linear,
    "onednn-avx512": lambda *L: tk.onednn_linear(*L, sat16=True),
    "onednn-avx2": lambda *L: tk.onednn_linear(*L, sat16=True, gemm_bk=384),
    "onednn-sse41": lambda *L: tk.onednn_linear(*L, sat16=True, gemm_bk=256),
    "onednn-pointwise": pointwise_op(),
    "onednn-pointwise-avx2": pointwise_op(sat16=True, gemm_bk=384),
    "qnnpack": tk.qnnpack_linear,
}
GEMM_BLOCK = {"onednn-avx2": 384, "onednn-sse41": 256, "onednn-pointwise-avx2": 384}
SATURATING = {"fbgemm-avx2", "onednn-avx512", *GEMM_BLOCK}
DYNAMIC = {
    "fbgemm": tk.fbgemm_linear_dynamic,
    "fbgemm-avx2": lambda *a: tk.fbgemm_linear_dynamic(*a, sat16=True),
    "onednn": tk.onednn_linear_dynamic,
    "onednn-avx512": lambda *a: tk.onednn_linear_dynamic(*a, sat16=True),
    "onednn-avx2": lambda *a: tk.onednn_linear_dynamic(*a, sat16=True, gemm_bk=384),
    "onednn-sse41": lambda *a: tk.onednn_linear_dynamic(*a, sat16=True, gemm_bk=256),
    "qnnpack": tk.qnnpack_linear_dynamic,
}


def torch_accumulator(kernel, x, zx, w, zw):
    if kernel not in SATURATING:
        return tk.acc_exact(x, zx, w, zw)
    blocks = tk.onednn_gemm_kblocks(x.shape[1], GEMM_BLOCK[kernel]) if kernel in GEMM_BLOCK else None
    return tk.acc_sat16(x, zx, w, zw, blocks)


def torch_rivals(kernel):
    """Kernels that must fail on near-ties."""
    family = kernel.split("-")[0]
    return {"fbgemm": ["onednn", "qnnpack", "numpy"], "qnnpack": ["onednn", "fbgemm", "numpy"]}.get(
        family, ["fbgemm", "qnnpack", "numpy"])


def other_accumulator(kernel):
    return {"fbgemm": "fbgemm-avx2", "qnnpack": "fbgemm-avx2", "fbgemm-avx2": "fbgemm", "onednn": "onednn-avx512",
            "onednn-pointwise": "onednn-pointwise-avx2", "onednn-pointwise-avx2": "onednn-pointwise"}.get(kernel, "onednn")


def add_torch(fixture, tag, L, accumulator=False):
    x, zx, sx, w, zw, sw, b, sy, zy, relu = L
    y = TORCH[fixture.kernel](*L)
    acc = torch_accumulator(fixture.kernel, x, zx, w, zw) if accumulator else None
    fixture.linear(tag, x, ("uint8", sx, zx), w, sw, zw, b, ("uint8", sy, zy), relu, y, accumulator=acc)


def random_layer(rng, kernel, M, K, N):
    per_channel = bool(rng.integers(2))
    sx = float(rng.uniform(.001, .1))
    w = rng.integers(-128, 128, (N, K)).astype(np.int8)
    x = rng.integers(0, 256, (M, K)).astype(np.uint8)
    zx, zy = (int(rng.choice([0, 128, 255, int(rng.integers(256))])) for _ in range(2))
    zero_points = not kernel.startswith("onednn") and rng.integers(2)
    if per_channel:
        sw = rng.uniform(.001, .02, N).astype(f32).astype(np.float64)
        zw = rng.integers(-128, 128, N) if zero_points else np.zeros(N, np.int64)
    else:
        sw, zw = float(rng.uniform(.001, .02)), int(rng.integers(-128, 128)) if zero_points else 0
    spread = np.std(tk.acc_exact(x, zx, w, zw)) + 1
    sy = float(sx * np.mean(sw) * spread * rng.choice([.004, .02, .05]))
    b = [None, rng.standard_normal(N) * sy * 30, rng.standard_normal(N) * sy * 300][int(rng.integers(3))]
    return [x, zx, sx, w, zw, sw, None if b is None else b.astype(f32), sy, zy, bool(rng.integers(2)) and zy < 200]


def rescale(L, share):
    """Output scale that spreads the accumulators over the codes."""
    x, zx, sx, w, zw, sw = L[:6]
    L[7] = float(sx * np.mean(sw) * (np.std(tk.acc_exact(x, zx, w, zw)) + 1) * share)
    return L


BLOCK_LIMITS = [1, 2, 3, 126, 127, 128, 129, 255, 256, 257, 258, 259, 260, 262, 265, 383, 384, 385, 386, 511, 512, 513, 514,
                765, 766, 767, 768, 769, 770, 1023, 1025]


def torch_families(kernel):
    rng = rng_for(kernel, "random")
    fixture = Fixture(kernel, "random")
    for _ in range(12):
        add_torch(fixture, "any", random_layer(rng, kernel, 12, int(rng.integers(1, 66)), int(rng.integers(1, 66))))
    fixture.write()

    rng = rng_for(kernel, "batch")
    fixture = Fixture(kernel, "batch", [other_accumulator(kernel)])
    for _ in range(4):
        add_torch(fixture, "batch", random_layer(rng, kernel, 121, int(rng.integers(1, 40)), int(rng.integers(40, 80))))
    fixture.write()

    rng = rng_for(kernel, "blocks")
    block_rivals = {"onednn-avx2": ["onednn-avx512", "onednn-sse41"], "onednn-sse41": ["onednn-avx512", "onednn-avx2"],
                    "onednn-pointwise-avx2": ["onednn-avx512", "onednn-sse41"]}
    fixture = Fixture(kernel, "blocks", block_rivals.get(kernel, ["onednn-avx2", "onednn-sse41"]))
    for K in BLOCK_LIMITS:
        L = random_layer(rng, kernel, 4, K, 4)
        L[0] = rng.choice(np.array([0, 90, 128, 200, 255]), (4, K)).astype(np.uint8)
        L[3] = rng.choice(np.array([-128, -70, 0, 90, 127]), (4, K)).astype(np.int8)
        L[6] = None if L[6] is None else (rng.standard_normal(4) * rescale(L, .02)[7] * 30).astype(f32)
        add_torch(fixture, f"k{K}", rescale(L, .02), accumulator=True)
    fixture.write()

    rng = rng_for(kernel, "saturating")
    fixture = Fixture(kernel, "saturating", [other_accumulator(kernel)])
    for _ in range(12):
        K, N = int(rng.integers(2, 45)), int(rng.integers(8, 40))
        L = random_layer(rng, kernel, 8, K, N)
        L[0] = rng.choice(np.array([0, 128, 129, 200, 254, 255]), (8, K)).astype(np.uint8)
        L[3] = rng.choice(np.array([-128, -127, -100, 126, 127]), (N, K)).astype(np.int8)
        add_torch(fixture, "extremes", rescale(L, .03))
    fixture.write()

    rng = rng_for(kernel, "near-ties")
    fixture = Fixture(kernel, "near-ties", torch_rivals(kernel))
    for i in range(15):
        add_torch(fixture, ["per-channel", "per-tensor", "no-bias"][i % 3], near_tie_layer(rng, i, N=400))
    fixture.write()

    rng = rng_for(kernel, "ties")
    fixture = Fixture(kernel, "ties", ["numpy" if kernel.startswith("onednn") else "onednn", "tflite-float64"])
    for i in range(24):
        K, M, N = int(rng.integers(1, 4)), 40, 64
        x = rng.integers(0, 100, (M, K)).astype(np.uint8)
        w = rng.integers(-50, 50, (N, K)).astype(np.int8)
        zx, zy = int(rng.choice([0, 3, 64])), int(rng.integers(0, 256))
        p = -int(rng.integers(1, 6))
        sw = 2.0 ** -5 if i & 1 else np.full(N, 2.0 ** -5)
        b = None if i % 3 == 0 else (rng.integers(-64, 64, N) * 2.0 ** (p - 9)).astype(f32)
        zw = 0 if i & 1 else np.zeros(N, np.int64)
        add_torch(fixture, "pow2", [x, zx, 2.0 ** -4, w, zw, sw, b, 2.0 ** (-9 - p), zy, bool(rng.integers(2))])
    fixture.write()

    rng = rng_for(kernel, "overflow")
    fixture = Fixture(kernel, "overflow", ["numpy"])
    for i in range(16):
        L = random_layer(rng, kernel, 4, 4, 48)
        L[7] = float(10.0 ** rng.uniform(-10, -2))
        if i & 1:
            L[6] = (rng.standard_normal(48) * 10.0 ** rng.uniform(0, 6)).astype(f32)
        add_torch(fixture, "huge", L)
    for K in (3000, 40000, 80000):  # float32 rounds accumulators above 2^24; 255 * 127 * 80000 = 2.6e9 wraps int32
        x, w = np.full((4, K), 255, np.uint8), np.full((3, K), 127, np.int8)
        x[1:], w[1:] = rng.choice(np.array([250, 255], np.uint8), (3, 1)), rng.choice(np.array([120, 127], np.int8), (2, 1))
        acc = torch_accumulator(kernel, x, 3, w, 0).astype(np.float64)
        sy = float((np.ptp(acc) + 1) / 250 * 2e-4)
        b = (-acc[0] * 2e-4 + rng.uniform(0, 100, 3) * sy).astype(f32)
        add_torch(fixture, f"k{K}", [x, 3, 2e-2, w, 0, 1e-2, b, sy, int(rng.integers(256)), False])
    fixture.write()

    if kernel.startswith("onednn"):
        int8_family(kernel)
    if kernel.startswith("onednn-pointwise"):
        float_output_family(kernel)
    if kernel in DYNAMIC:
        dynamic_families(kernel)


def near_tie_layer(rng, i, N):
    """Every output within about 2 float32 steps of k + 1/2: through the bias, or (no bias) through the weight scale."""
    K = int(rng.integers(1, 5))
    x = rng.integers(1, 120, (1, K)).astype(np.uint8)
    w = rng.integers(-60, 60, (N, K)).astype(np.int8)
    zx, zy = int(rng.choice([0, 128, 77])), int(rng.choice([0, 128, 33]))
    sx, sy = float(rng.uniform(.005, .1)), float(rng.uniform(.02, .2))
    acc = tk.acc_exact(x, zx, w, 0)[0].astype(np.float64)
    k = rng.integers(0, 255, N) - zy + .5
    j = rng.integers(-2, 3, N)
    zw, b = np.zeros(N, np.int64), None
    if i % 3 == 0:
        sw = rng.uniform(.002, .02, N).astype(f32).astype(np.float64)
        b = ulps((k * sy - acc * sx * sw).astype(f32), j)
    elif i % 3 == 1:
        sw, zw = float(rng.uniform(.002, .02)), 0
        b = ulps((k * sy - acc * sx * sw).astype(f32), j)
    else:
        fits = (acc * k > 0) & (np.abs(k) > 1)
        sw = np.where(fits, np.abs(k) * sy / (sx * np.maximum(np.abs(acc), 1)), .01).astype(f32)
        sw = ulps(sw, np.where(fits, j, 0)).astype(np.float64)
    return [x, zx, sx, w, zw, sw, b, sy, zy, bool(i & 1)]


def onednn_int8(kernel, x, zx, sx, w, sw, b, sy, zy, relu):
    """int8 activations, as PyTorch 2.13 runs them: the reference code on AVX512 (exact, divides by the output scale);
    gemm on AVX2 and older (x + 128 in saturating pairs if zx is 0, exact otherwise)."""
    gemm = kernel in GEMM_BLOCK
    acc = tk.acc_exact(x, zx, w, 0)
    if gemm and zx == 0:
        blocks = tk.onednn_gemm_kblocks(x.shape[1], GEMM_BLOCK[kernel])
        acc = tk.acc_sat16((x.astype(np.int64) + 128).astype(np.uint8), 128, w, 0, blocks)
    plain = "pointwise" in kernel
    ss, ws = (f32(sx), np.asarray(sw, f32)) if plain else (tk._recip2(sx), tk._onednn_wscale(sw))
    ys = f32(sy) if plain else tk._recip2(sy)
    v = tk._onednn_scaled(acc, ss, ws, gemm)
    if b is not None:
        v = v + b
    if relu:
        v = np.maximum(v, f32(0))
    v = v * (f32(1) / ys) if gemm else v / ys
    return tk.rne_i32(np.clip(v + f32(zy), f32(-128), f32(127))).astype(np.int8)


def int8_family(kernel):
    rng = rng_for(kernel, "int8")
    near, wide = Fixture(kernel, "int8-near-ties", ["qnnpack", "fbgemm"]), Fixture(kernel, "int8", ["ort-avx2"])
    for i in range(9):
        x, zx, sx, w, zw, sw, b, sy, zy, relu = near_tie_layer(rng, i, N=300)
        x, zx, zy = (x.astype(np.int64) - 60).astype(np.int8), int(rng.choice([0, -128, 11])), int(rng.choice([0, -128, -95, 4]))
        acc = tk.acc_exact(x, zx, w, 0)[0].astype(np.float64)
        if b is not None:
            k = rng.integers(-128, 127, 300) - zy + .5
            b = ulps((k * sy - acc * sx * sw).astype(f32), rng.integers(-2, 3, 300))
        y = onednn_int8(kernel, x, zx, sx, w, sw, b, sy, zy, relu)
        near.linear("int8", x, ("int8", sx, zx), w, sw, zw, b, ("int8", sy, zy), relu, y)
    near.write()
    for i, K in enumerate([3, 16, 37, 64, 257, 258, 270, 385, 386, 513, 700, 766]):
        M, N = 6, 12
        x = rng.choice(np.array([-128, -20, 0, 100, 127]), (M, K)).astype(np.int8)
        w = rng.choice(np.array([-128, -100, 60, 127]), (N, K)).astype(np.int8)
        zx, zy, sx = [0, 0, -128, 5][i % 4], int(rng.integers(-128, 128)), .02
        sw = rng.uniform(.001, .02, N).astype(f32).astype(np.float64)
        sy = float(sx * np.mean(sw) * (np.std(tk.acc_exact(x, zx, w, 0)) + 1) * .02)
        b = (rng.standard_normal(N) * sy * 30).astype(f32)
        y = onednn_int8(kernel, x, zx, sx, w, sw, b, sy, zy, bool(i & 1))
        wide.linear(f"k{K}", x, ("int8", sx, zx), w, sw, np.zeros(N, int), b, ("int8", sy, zy), bool(i & 1), y)
    wide.write()


def float_output_family(kernel):
    rng = rng_for(kernel, "float-output")
    fixture = Fixture(kernel, "float-output", ["fbgemm", "numpy"])
    for _ in range(12):
        x, zx, sx, w, zw, sw, b, sy, zy, relu = random_layer(rng, kernel, 5, int(rng.integers(1, 140)), 24)
        y = tk.onednn_qlinear_pointwise(x, zx, sx, w, sw, b, sy, zy, relu, f32_out=True,
                                        sat16=kernel in SATURATING, gemm_bk=GEMM_BLOCK.get(kernel, 0))
        fixture.linear("float", x, ("uint8", sx, zx), w, sw, zw, b, ("float32",), relu, y)
    fixture.write()


BATCHES = [1, 2, 4]


def dynamic_families(kernel):
    rng = rng_for(kernel, "dynamic")
    rivals = [other_accumulator(kernel), "qnnpack" if kernel != "qnnpack" else "fbgemm"]
    fixture = Fixture(kernel, "dynamic", rivals)
    fixture.capture["batch_sizes"] = np.array(BATCHES)
    for i in range(16):
        K, N, M = int(rng.integers(1, 80)), int(rng.integers(1, 30)), sum(BATCHES)
        zero_points = not kernel.startswith("onednn") and rng.integers(2)
        if rng.integers(2):
            sw = rng.uniform(.001, .02, N).astype(f32).astype(np.float64)
            zw = rng.integers(-50, 50, N) if zero_points else np.zeros(N, np.int64)
        else:
            sw, zw = float(rng.uniform(.001, .02)), int(rng.integers(-50, 50)) if zero_points else 0
        w = rng.integers(-128, 128, (N, K)).astype(np.int8)
        x = rng.standard_normal((M, K)).astype(f32) * f32(10.0 ** rng.uniform(-3, 2))
        x += f32([0, 0, np.abs(x).max() * 2, -np.abs(x).max() * 2][i % 4])
        if i % 11 == 5: x *= f32(1e-4)
        if i % 13 == 6: x = np.abs(x)
        if i == 14: x[:] = 0
        if i == 15: x *= f32(1e-30)
        b = None if rng.integers(2) else (rng.standard_normal(N) * 5).astype(f32)
        dynamic_layer(fixture, "dynamic", x, w, zw, sw, b, bool(rng.integers(2)), bool(rng.integers(2)))
    fixture.write()

    rng = rng_for(kernel, "dynamic-ties")  # identity weights show the activation quantizer
    fixture = Fixture(kernel, "dynamic-near-ties", ["ort"])
    for i in range(12):
        K = 64
        x = np.zeros((1, K), f32)
        x[0, 0], x[0, 1] = f32(-rng.uniform(0, 2) * (i % 4 > 0)), f32(rng.uniform(.5, 3))
        if i & 8: x = -x
        reduce_range = bool(i & 1) and kernel != "qnnpack"
        s, zp = tk.choose_qparams(x.min(), x.max(), reduce_range)
        k = rng.integers(0, 127 if reduce_range else 255, K - 2) - zp + .5
        x[0, 2:] = np.clip(ulps((k * s).astype(f32), rng.integers(-2, 3, K - 2)), x.min(), x.max())
        dynamic_layer(fixture, "near-tie", x, np.eye(K, dtype=np.int8), 0, 1.0, None, False, reduce_range, [1])
    fixture.write()


def dynamic_layer(fixture, tag, x, w, zw, sw, b, relu, reduce_range, batches=BATCHES):
    ends = np.cumsum(batches)
    parts = [DYNAMIC[fixture.kernel](part, w, zw, sw, b, relu, reduce_range) for part in np.split(x, ends[:-1])]
    fixture.linear(tag, x, ("float32",), w, sw, zw, b, ("float32",), relu, np.concatenate(parts).astype(f32),
                   op="linear_dynamic", reduce_range=reduce_range)


# ---------------------------------------------------------------- quantize, dequantize, ReLU, ReLU6
def near_codes(rng, scale, count):
    return ulps(((rng.integers(-300, 300, count) + .5) * scale).astype(f32), rng.integers(-3, 4, count))


def six_scale(rng, i):
    """6 / scale within a float32 step or two of k + 1/2."""
    return float(ulps([f32(6 / (int(rng.integers(20, 120)) + .5))], np.array([i % 5 - 2]))[0])


def pointwise_family(kernel, quantize, dequantize, six, dtypes, rivals):
    rng = rng_for(kernel, "pointwise")
    fixture = Fixture(kernel, "pointwise", rivals)
    M = 4
    for i in range(16):
        dtype = dtypes[i % len(dtypes)]
        lo, hi = RANGE[dtype]
        s, zp = float(10.0 ** rng.uniform(-3, 0)), int(rng.integers(lo, hi + 1))
        codes = rng.integers(lo, hi + 1, (M, 60)).astype(NP[dtype])
        if quantize:
            x = near_codes(rng, s, M * 160).reshape(M, -1)
            if i % 4 == 3: x = (rng.standard_normal((M, 160)) * s * 200).astype(f32)
            fixture.pointwise("quantize", x, ("float32",), (dtype, s, zp), quantize(x, s, zp, lo, hi).astype(NP[dtype]))
        if dequantize:
            fixture.pointwise("dequantize", codes, (dtype, s, zp), ("float32",), dequantize(codes, s, zp).astype(f32))
        fixture.pointwise("relu", codes, (dtype, s, zp), (dtype, s, zp), np.maximum(codes, zp).astype(NP[dtype]))
        s, zp = six_scale(rng, i), lo + int(rng.integers(0, 100))
        codes = np.tile(np.arange(lo, hi + 1), (M, 1)).astype(NP[dtype])
        y = np.minimum(np.maximum(codes, zp), six(s, zp, lo, hi)).astype(NP[dtype])
        fixture.pointwise("relu6", codes, (dtype, s, zp), (dtype, s, zp), y)
    fixture.write()


def pointwise_families(kernel):
    """Once for each way to quantize."""
    one = lambda f: lambda s, zp, lo, hi: int(np.asarray(f(np.array([6], f32), s, zp, lo, hi))[0])
    if kernel == "fbgemm":
        pointwise_family(kernel, tk.quantize_vec, tk.dequantize, one(tk.quantize_scalar), ["uint8", "int8"], ["ort", "pt2e-reference"])
    if kernel == "pt2e-reference":
        pointwise_family(kernel, tk.decomposed_quantize, tk.dequantize, one(tk.decomposed_quantize), ["uint8", "int8"], ["ort", "fbgemm"])
    if kernel == "ort":
        pointwise_family(kernel, ok.quantize_linear, ok.dequantize_linear, one(ok.quantize_linear), ["uint8", "int8"], ["fbgemm", "xnnpack"])
    if kernel == "tflite-double":
        bound = lambda s, zp, lo, hi: min(hi, ok.tfl_bound(6., s, zp))
        pointwise_family(kernel, None, None, bound, ["int8"], ["xnnpack"])
    if kernel == "xnnpack":
        pointwise_family(kernel, None, None, lambda s, zp, lo, hi: ok.xnn_bound(6., s, zp, lo, hi), ["int8"], ["tflite-double"])


# ---------------------------------------------------------------- PT2E's reference graph
def pt2e_families(kernel):
    for family, K_of in (("random", lambda r: int(r.integers(1, 300))), ("batch", lambda r: int(r.integers(1, 24)))):
        rng = rng_for(kernel, family)
        fixture = Fixture(kernel, family, ["fbgemm-avx2"])
        M, N, count = (8, 40, 20) if family == "random" else (121, 60, 15)
        for i in range(count):
            K = K_of(rng)
            x, w = rng.integers(0, 256, (M, K)).astype(np.uint8), rng.integers(-127, 128, (N, K)).astype(np.int8)
            sx, zx, zy = float(10.0 ** rng.uniform(-3, -1)), int(rng.integers(256)), int(rng.integers(256))
            sw, b = rng.uniform(.001, .02, N).astype(f32), rng.standard_normal(N).astype(f32)
            xf, wf = tk.dequantize(x, sx, zx), w.astype(f32) * sw[:, None]
            v = np.zeros((M, N), f32)
            for k in np.random.default_rng(i).permutation(K):  # any order is a legitimate result
                v = v + xf[:, k:k + 1] * wf[None, :, k]
            v = v + b
            exact, bound = tk.reference_linear_bound(xf, wf, b)
            assert (np.abs(v - exact) <= bound).all()
            if i & 1: v = np.maximum(v, f32(0))
            sy = float(np.std(exact) * .02 + 1e-6)
            y = tk.decomposed_quantize(v, sy, zy, 0, 255).astype(np.uint8)
            fixture.linear("reference", x, ("uint8", sx, zx), w, sw.astype(np.float64), np.zeros(N, int), b,
                           ("uint8", sy, zy), bool(i & 1), y)
        fixture.write(flow="pt2e-reference")


# ---------------------------------------------------------------- ONNX Runtime, TFLite, XNNPACK, CMSIS-NN, numpy
def acc_of(kernel):
    return {"ort-avx2": lambda x, zx, w, zw, b, signed: ok.acc_pmaddubsw(x, zx, w, zw, b, signed),
            "ort-arm": lambda x, zx, w, zw, b, signed: ok.acc_neon_mlal(x, zx, w, zw, b, signed),
            "xnnpack-arm": lambda x, zx, w, zw, b, signed: ok.acc_neon_mlal(x, zx, w, zw, b, signed)}.get(
        kernel, lambda x, zx, w, zw, b, signed: ok.acc_exact(x, zx, w, zw, b))


ROUNDING = {"tflite-double": "double", "tflite-double-up": "double_up", "tflite-single": "single", "tflite-float64": "float64"}


def other_linear(kernel, dtype, x, zx, sx, w, zw, sw, bq, zy, sy, relu):
    lo, hi = RANGE[dtype]
    first = max(lo, zy) if relu else lo
    acc = acc_of(kernel)
    if kernel in ROUNDING:
        return ok.tflite_fc(x, zx, sx, w, sw, bq, zy, sy, "relu" if relu else None, (lo, hi), zw, ROUNDING[kernel])
    if kernel.startswith("cmsis"):
        single = kernel.endswith("single")
        m, e = ok.tfl_multipliers(sx, sw, sy, single)
        return ok.cmsis_fc_s8(x, zx, w, bq, zy, m, e, first, hi, single, zw)
    if kernel.startswith("xnnpack"):
        mlal = lambda *a: acc(*a, dtype == "int8")
        return ok.xnnpack_fc(x, zx, sx, w, sw, bq, zy, sy, "relu" if relu else None, (lo, hi), zw, mlal)
    a = acc(x, zx, w, zw, bq, dtype == "int8")
    if kernel == "numpy":
        return ok.naive_f64(a, sx, sw, sy, zy, first, hi, "premul")
    if kernel == "numpy-float32":
        return ok.naive_f32(a, sx, sw, sy, zy, first, hi, "premul")
    return ok.requant_f32(a, ok.scale_f32(sx, sw, sy), zy, first, hi)


def add_other(fixture, tag, dtype, case, relu, float_bias=None):
    x, zx, sx, w, zw, sw, bq, zy, sy = case
    y = other_linear(fixture.kernel, dtype, x, zx, sx, w, zw, sw, bq, zy, sy, relu).astype(NP[dtype])
    zw = np.full(len(w), zw) if np.ndim(sw) else zw
    bias = float_bias if float_bias is not None else bq
    fixture.linear(tag, x.astype(NP[dtype]), (dtype, sx, zx), w, sw, zw, bias, (dtype, sy, zy), relu, y)


def scale_between(rng, lo, hi):
    return f32(np.exp(rng.uniform(np.log(lo), np.log(hi))))


def case(rng, dtype, M, K, N, per_channel, ties=False, zero_points=False, mined=True, w_range=(-127, 127), tiny=False):
    lo, hi = RANGE[dtype]
    x, w = rng.integers(lo, hi + 1, (M, K)), rng.integers(w_range[0], w_range[1] + 1, (N, K))
    zx, zy = int(rng.integers(lo, hi + 1)), lo if rng.random() < .25 else int(rng.integers(lo, hi + 1))
    zw = int(rng.integers(w_range[0], w_range[1] + 1)) if zero_points else 0
    if ties:
        sx = f32(2.0 ** -int(rng.integers(3, 8)))
        sw = f32(2.0 ** -rng.integers(3, 8, N).astype(float)) if per_channel else f32(2.0 ** -int(rng.integers(3, 8)))
        sy = f32(2.0 ** np.round(np.log2(float(np.sqrt(K)) * 6000 * float(sx) * float(np.max(sw)) / 64)))
    else:
        sx = scale_between(rng, 1e-3, 1e-1)
        sw = np.array([scale_between(rng, 1e-4, 2e-2) for _ in range(N)], f32) if per_channel else scale_between(rng, 1e-4, 2e-2)
        spread = float(ok.acc_exact(x, zx, w).std() + 1) * float(sx) * float(np.median(sw))
        sy = f32(spread / rng.uniform(20, 90))
    if tiny:
        sw = np.array([scale_between(rng, 1e-8, 5.) for _ in range(N)], f32)
    if mined:  # row 0 next to (k + 1/2) / multiplier in every channel
        a0 = ok.acc_exact(x[:1], zx, w, zw)[0]
        multiplier = float(sx) * np.asarray(sw, np.float64) / float(sy) * np.ones(N)
        k = rng.integers(lo - zy, hi - zy, N) + .5
        b = np.clip(np.rint(k / multiplier) + rng.integers(-1, 2, N) - a0, -2**31 + 2**24, 2**31 - 2**24)
        if per_channel and not ties and not tiny:  # and within a float32 step or two of it
            acc = a0 + b
            fits = acc * k > 0
            sw = ulps(np.where(fits, k * float(sy) / (float(sx) * np.where(fits, acc, 1)), sw), rng.integers(-2, 3, N))
    else:
        b = rng.integers(-int(np.sqrt(K) * 5000), int(np.sqrt(K) * 5000) + 1, N)
    return [x, zx, sx, w, zw, sw, b.astype(np.int64).astype(np.int32), zy, sy]


def near_rivals(kernel):
    fixed = {"tflite-double": ["tflite-double-up", "tflite-single"], "tflite-double-up": ["tflite-double", "tflite-single"],
             "tflite-single": ["tflite-double", "tflite-double-up"], "tflite-float64": ["tflite-double", "ort"],
             "cmsis-nn": ["tflite-double-up", "tflite-single"], "cmsis-nn-single": ["tflite-double", "tflite-double-up"],
             "numpy": ["ort", "tflite-double"]}
    return fixed.get(kernel, ["numpy", "qnnpack", "tflite-double"])


def other_families(kernel):
    dtypes = ["uint8", "int8"] if kernel.startswith(("ort", "numpy")) else ["int8"]
    dtype_of = lambda i: dtypes[i % len(dtypes)]

    rng = rng_for(kernel, "near-ties")
    fixture = Fixture(kernel, "near-ties", near_rivals(kernel))
    for i in range(16):
        c = case(rng, dtype_of(i), 1, int(rng.integers(1, 6)), 400, i % 2, zero_points=i % 6 == 0)
        add_other(fixture, "per-channel" if i % 2 else "per-tensor", dtype_of(i), c, bool(i & 4))
    fixture.write()

    rng = rng_for(kernel, "ties")
    fixture = Fixture(kernel, "ties", ["onednn"] + (["tflite-float64"] if kernel not in ROUNDING and "cmsis" not in kernel else ["ort"]))
    for i in range(24):
        c = case(rng, dtype_of(i), 40, int(rng.integers(1, 6)), 60, i % 2, ties=True, mined=bool(i & 2))
        if i % 5 == 0: c[6] = None
        add_other(fixture, "pow2", dtype_of(i), c, bool(i & 4))
    fixture.write()

    rng = rng_for(kernel, "batch")
    fixture = Fixture(kernel, "batch")
    for i in range(5):
        c = case(rng, dtype_of(i), 121, int(rng.integers(1, 40)), int(rng.integers(40, 80)), i % 2, mined=False)
        add_other(fixture, "batch", dtype_of(i), c, bool(i & 4))
    fixture.write()

    rng = rng_for(kernel, "multipliers")
    fixture = Fixture(kernel, "multipliers", ["onednn"])
    for i in range(8):
        add_other(fixture, "tiny-huge", dtype_of(i), case(rng, dtype_of(i), 6, 16, 48, 1, tiny=True), bool(i & 4))
    fixture.write()

    rng = rng_for(kernel, "blocks")
    rival = {"ort-avx2": "ort", "ort-arm": "ort", "xnnpack-arm": "xnnpack"}.get(kernel, "ort-avx2")
    fixture = Fixture(kernel, "blocks", [rival])
    for i, K in enumerate(BLOCK_LIMITS):
        dtype = dtype_of(i)
        lo, hi = RANGE[dtype]
        x = rng.choice(np.array([lo, lo + 20, 0 if lo else 128, hi - 1, hi]), (4, K), p=[.5, .1, .1, .1, .2])
        w = rng.choice(np.array([-128, -70, 0, 90, 127]), (4, K), p=[.5, .1, .1, .1, .2])
        zx, zy, sx = int(rng.integers(lo, hi + 1)), int(rng.integers(lo, hi + 1)), f32(.01)
        sw = np.array([scale_between(rng, 1e-3, 2e-2) for _ in range(4)], f32)
        sy = f32((ok.acc_exact(x, zx, w).std() + 1) * .01 * float(np.median(sw)) * .05)
        centre = acc_of(kernel)(x, zx, w, 0, None, dtype == "int8").mean(0)
        bq = (-centre).astype(np.int64).astype(np.int32)
        add_other(fixture, f"k{K}", dtype, [x, zx, sx, w, 0, sw, bq, zy, sy], bool(i & 4))
    fixture.write()

    rng = rng_for(kernel, "float-bias")
    fixture = Fixture(kernel, "float-bias", ["fbgemm", "tflite-double" if kernel.startswith(("ort", "xnnpack", "numpy")) else "ort"])
    for i in range(12):
        add_float_bias(fixture, rng, dtype_of(i), per_channel=bool(i % 2), ties=i % 3 == 0)
    fixture.write()

    rng = rng_for(kernel, "overflow")
    fixture = Fixture(kernel, "overflow", [] if kernel.startswith(("tflite", "cmsis")) else ["fbgemm"])
    for i, K in enumerate([4, 4, 4, 1500, 3000, 80000]):
        lo, hi = RANGE[dtype_of(i)]
        c = case(rng, dtype_of(i), 4, K, 48 if K == 4 else 3, i % 2, mined=False)
        if K == 4 and not kernel.startswith(("tflite", "cmsis")):
            c[8] = f32(10.0 ** rng.uniform(-12, -10))  # beyond int32 before the clamp
        elif K > 4:  # float32 rounds accumulators above 2^24; K = 80000 wraps int32
            c[0], c[3] = np.full((4, K), hi), np.full((3, K), 127)
            c[0][1:], c[3][1:] = rng.choice([hi - 5, hi], (3, 1)), rng.choice([120, 127], (2, 1))
            c[1] = lo
            a = ok.acc_exact(c[0], lo, c[3])
            c[6] = (-a[0] // 2).astype(np.int32)
            c[8] = f32(np.ptp(a) / 250 * float(c[2]) * float(np.median(c[5])))
        add_other(fixture, f"k{K}", dtype_of(i), c, False)
    fixture.write()

    if kernel.startswith("ort"):
        ort_dynamic_family(kernel)


def add_float_bias(fixture, rng, dtype, per_channel, ties):
    """Biases next to (or, with power-of-two scales, exactly at) half an accumulator unit; multipliers of 1 to 2 show them."""
    kernel, N = fixture.kernel, 60
    lo, hi = RANGE[dtype]
    x, w = rng.integers(lo, hi + 1, (3, 4)), rng.integers(-1, 2, (N, 4)) * (rng.random((N, 4)) < .1)
    zx, zy = int(rng.integers(lo, hi + 1)), int(rng.integers(lo + 100, hi - 100))
    sx = f32(2.0 ** -5) if ties else scale_between(rng, 1e-3, 1e-1)
    unit = f32(2.0 ** -6) if ties else scale_between(rng, 1e-3, 1e-2)
    sw = (unit * (rng.choice([1, 2], N) if ties else rng.uniform(1, 2, N))).astype(f32) if per_channel else unit
    scale = (sx * np.asarray(sw, f32)).astype(f32)
    b = ((rng.integers(-40, 41, N) + .5) * np.asarray(scale, np.float64)).astype(f32)
    if not ties:
        b = ulps(b, rng.integers(-2, 3, N))
    if kernel == "numpy":
        bq = ok.bias_int(b, float(sx), np.asarray(sw, np.float64), np.float64)
    elif kernel.startswith(("tflite", "cmsis")):
        bq = ok.round_half_away((b * (f32(1) / scale)).astype(f32)).astype(np.int64)
    else:
        bq = ok.bias_int(b, sx, sw)
    add_other(fixture, "ties" if ties else "near", dtype, [x, zx, sx, w, 0, sw, bq, zy, f32(sx * unit)], False, float_bias=b)


def ort_dynamic_family(kernel):
    rng = rng_for(kernel, "dynamic")
    fixture = Fixture(kernel, "dynamic", ["fbgemm", "ort" if kernel != "ort" else "ort-arm"])
    fixture.capture["batch_sizes"] = np.array(BATCHES)
    for i in range(14):
        K, N = int(rng.integers(1, 80)), int(rng.integers(1, 30))
        x = rng.standard_normal((sum(BATCHES), K)).astype(f32) * f32(10.0 ** rng.uniform(-3, 2))
        if i == 9: x[:] = 0
        if i % 4 == 3: x = np.abs(x)
        w = rng.choice(np.array([-128, -100, 30, 127]), (N, K)) if i & 1 else rng.integers(-128, 128, (N, K))
        sw = rng.uniform(.001, .02, N).astype(f32) if i & 2 else f32(rng.uniform(.001, .02))
        b = None if i % 3 == 0 else rng.standard_normal(N).astype(f32)
        parts = []
        for part in np.split(x, np.cumsum(BATCHES)[:-1]):
            s, z = ok.ort_dynamic_quant_params(part)
            acc = acc_of(kernel)(ok.quantize_linear(part, s, z, 0, 255), z, w, 0, None, False)
            parts.append(ok.ort_matmul_int_to_float(acc, s, sw, b, fma=kernel == "ort-arm"))
        fixture.linear("dynamic", x, ("float32",), w, sw, np.zeros(N, int) if np.ndim(sw) else 0, b, ("float32",), False,
                       np.concatenate(parts).astype(f32), op="linear_dynamic", reduce_range=False)
    fixture.write()


KERNELS = [*TORCH, "pt2e-reference", "ort", "ort-avx2", "ort-arm", *ROUNDING, "xnnpack", "xnnpack-arm", "cmsis-nn", "cmsis-nn-single",
           "numpy", "numpy-float32"]
for kernel in KERNELS:
    if args.only and kernel != args.only:
        continue
    if kernel in TORCH:
        torch_families(kernel)
    elif kernel == "pt2e-reference":
        pt2e_families(kernel)
    else:
        other_families(kernel)
    pointwise_families(kernel)
