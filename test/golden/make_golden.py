"""Golden vectors for every kernel model, made by independent numpy models of the kernels.

    python test/golden/make_golden.py [--out fixtures/kernels] [--only KERNEL] [--check]

The models are in oracle/; nothing in the project reads them otherwise. Writes
OUT/KERNEL/FAMILY/{model.json,model.npz,capture.npz,expected.json}, the same bytes at every run and on every machine with the same
numpy. expected.json names rivals: kernels that must fail on the family, or it proves nothing. With --check nothing is written: what
would be is compared with what lies there.
"""
import argparse
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
from layers import (BATCHES, CALLS, NP, OTHER_FAMILIES, RANGE, TORCH_FAMILIES, Fixture, any_layer, calls_family, dynamic_calls, dynamic_family, dynamic_near_ties, f32,
                    codes, float_bias_family, int8_family, log_uniform, other_family, other_layer, pointwise_family, rng_for, torch_family)

parser = argparse.ArgumentParser()
parser.add_argument("--out", default=str(Path(__file__).parents[2] / "fixtures" / "kernels"))
parser.add_argument("--only", default="")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--check", action="store_true")
args = parser.parse_args()
written = tempfile.TemporaryDirectory() if args.check else None
sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import other_kernels as ok  # noqa: E402
import torch_kernels as tk  # noqa: E402
import torchao as ao  # noqa: E402
from convolutions import MODELS as CONVOLUTIONS  # noqa: E402
from convolutions import DYNAMIC as DYNAMIC_CONVOLUTIONS  # noqa: E402
from convolutions import FUSED, convolution_families, dynamic_convolutions, fused_convolutions  # noqa: E402


def fixture_of(kernel, family):
    return Fixture(Path(written.name if written else args.out) / kernel / family, kernel)


def write(fixture, rivals=(), **producer):
    provenance = {"made_by": "test/golden/make_golden.py", "from": "numpy models of the kernels", "numpy": np.__version__, "seed": args.seed}
    fixture.write({"rivals": list(rivals), "provenance": provenance}, **producer)


# ---------------------------------------------------------------- PyTorch's kernels
def pointwise_op(**k):
    return lambda x, zx, sx, w, zw, sw, b, sy, zy, relu: tk.onednn_qlinear_pointwise(x, zx, sx, w, sw, b, sy, zy, relu, **k)


TORCH = {
    "fbgemm": tk.fbgemm_linear,
    "fbgemm-avx2": tk.fbgemm_linear_sat,
    "onednn": tk.onednn_linear,
    "onednn-amx": lambda *L: tk.onednn_linear(*L, amx=True),
    "onednn-avx512": lambda *L: tk.onednn_linear(*L, sat16=True),
    "onednn-avx2": lambda *L: tk.onednn_linear(*L, sat16=True, gemm_bk=384),
    "onednn-sse41": lambda *L: tk.onednn_linear(*L, sat16=True, gemm_bk=256),
    "onednn-pointwise": pointwise_op(),
    "onednn-pointwise-amx": pointwise_op(amx=True),
    "onednn-pointwise-avx2": pointwise_op(sat16=True, gemm_bk=384),
    "qnnpack": tk.qnnpack_linear,
}
DYNAMIC = {
    "fbgemm": tk.fbgemm_linear_dynamic,
    "fbgemm-avx2": lambda *a: tk.fbgemm_linear_dynamic(*a, sat16=True),
    "onednn": tk.onednn_linear_dynamic,
    "onednn-amx": lambda *a: tk.onednn_linear_dynamic(*a, amx=True),
    "onednn-avx512": lambda *a: tk.onednn_linear_dynamic(*a, sat16=True),
    "onednn-avx2": lambda *a: tk.onednn_linear_dynamic(*a, sat16=True, gemm_bk=384),
    "onednn-sse41": lambda *a: tk.onednn_linear_dynamic(*a, sat16=True, gemm_bk=256),
    "qnnpack": tk.qnnpack_linear_dynamic,
}
GEMM_BLOCK = {"onednn-avx2": 384, "onednn-sse41": 256, "onednn-pointwise-avx2": 384}
SATURATING = {"fbgemm-avx2", "onednn-avx512", *GEMM_BLOCK}
# The order of two multiplications: what has nothing to do with it is held by the kernel without AMX.
AMX = {"onednn-amx", "onednn-pointwise-amx"}
AMX_FAMILIES = ["random", "batch", "ties", "overflow"]


def torch_accumulator(kernel, x, zx, w, zw):
    if kernel not in SATURATING:
        return tk.acc_exact(x, zx, w, zw)
    blocks = tk.onednn_gemm_kblocks(x.shape[1], GEMM_BLOCK[kernel]) if kernel in GEMM_BLOCK else None
    return tk.acc_sat16(x, zx, w, zw, blocks)


def other_accumulator(kernel):
    return {"fbgemm": "fbgemm-avx2", "qnnpack": "fbgemm-avx2", "fbgemm-avx2": "fbgemm", "onednn": "onednn-avx512", "onednn-amx": "onednn-avx512",
            "onednn-pointwise-amx": "onednn-pointwise-avx2", "onednn-pointwise": "onednn-pointwise-avx2", "onednn-pointwise-avx2": "onednn-pointwise"}.get(kernel, "onednn")


def torch_rivals(kernel, family):
    requantization = {"fbgemm": ["onednn", "qnnpack", "numpy"], "qnnpack": ["onednn", "fbgemm", "numpy"]}
    blocks = {"onednn-avx2": ["onednn-avx512", "onednn-sse41"], "onednn-sse41": ["onednn-avx512", "onednn-avx2"],
              "onednn-pointwise-avx2": ["onednn-avx512", "onednn-sse41"]}
    return {"random": [], "overflow": ["fbgemm" if kernel.startswith("onednn") else "numpy"],
            "batch": [other_accumulator(kernel)], "saturating": [other_accumulator(kernel)],
            "blocks": blocks.get(kernel, ["onednn-avx2", "onednn-sse41"]),
            "near-ties": requantization.get(kernel.split("-")[0], ["fbgemm", "qnnpack", "numpy"]),
            "ties": ["numpy" if kernel.startswith("onednn") else "onednn", "tflite-float64"]}[family]


def torch_families(kernel):
    zero_points = not kernel.startswith("onednn")
    for family in AMX_FAMILIES if kernel in AMX else TORCH_FAMILIES:
        fixture = fixture_of(kernel, family)
        for tag, L in torch_family(family, rng_for(args.seed, kernel, family), zero_points):
            x, zx, sx, w, zw, sw, b, sy, zy, relu = L
            acc = torch_accumulator(kernel, x, zx, w, zw) if family == "blocks" else None
            fixture.linear(tag, x, ("uint8", sx, zx), w, sw, zw, b, relu, ("uint8", sy, zy), TORCH[kernel](*L), accumulator=acc)
        write(fixture, torch_rivals(kernel, family))
    if kernel.startswith("onednn"):
        for family, rivals in (("int8", ["ort-avx2"]), ("int8-near-ties", ["qnnpack", "fbgemm"])):
            fixture = fixture_of(kernel, family)
            for tag, (x, zx, sx, w, zw, sw, b, sy, zy, relu) in int8_family(family, rng_for(args.seed, kernel, family)):
                y = onednn_int8(kernel, x, zx, sx, w, sw, b, sy, zy, relu)
                fixture.linear(tag, x, ("int8", sx, zx), w, sw, zw, b, relu, ("int8", sy, zy), y)
            write(fixture, rivals)
    if kernel.startswith("onednn-pointwise"):
        rng = rng_for(args.seed, kernel, "float-output")
        fixture = fixture_of(kernel, "float-output")
        for _ in range(12):
            x, zx, sx, w, zw, sw, b, sy, zy, relu = any_layer(rng, False, 5, int(rng.integers(1, 140)), 24)
            y = tk.onednn_qlinear_pointwise(x, zx, sx, w, sw, b, sy, zy, relu, f32_out=True, sat16=kernel in SATURATING,
                                            gemm_bk=GEMM_BLOCK.get(kernel, 0), amx=kernel in AMX)
            fixture.linear("float", x, ("uint8", sx, zx), w, sw, zw, b, relu, ("float32",), y)
        write(fixture, ["fbgemm", "numpy"])
    if kernel in AMX:
        call_families(kernel)
    if kernel in DYNAMIC:
        fixture = fixture_of(kernel, "dynamic")
        fixture.batches(BATCHES)
        for layer in dynamic_family(rng_for(args.seed, kernel, "dynamic"), zero_points):
            add_dynamic(fixture, "dynamic", layer, BATCHES)
        write(fixture, [other_accumulator(kernel), "fbgemm" if kernel == "qnnpack" else "qnnpack"])
        fixture = fixture_of(kernel, "dynamic-near-ties")
        for layer in dynamic_near_ties(rng_for(args.seed, kernel, "dynamic-ties"), tk.choose_qparams, kernel == "qnnpack"):
            add_dynamic(fixture, "near-tie", layer, [1])
        write(fixture, ["ort"])


def call_families(kernel):
    """Calls of several sizes in one capture."""
    without = kernel.removesuffix("-amx")
    for dtype in ("uint8", "int8"):
        fixture = fixture_of(kernel, "calls" if dtype == "uint8" else f"calls-{dtype}")
        fixture.batches(CALLS)
        for x, zx, sx, w, zw, sw, b, sy, zy, relu in calls_family(rng_for(args.seed, kernel, "calls", dtype), dtype):
            op = TORCH[kernel] if dtype == "uint8" else lambda *L: onednn_int8(kernel, *L[:4], *L[5:])
            y = np.concatenate([op(part, zx, sx, w, zw, sw, b, sy, zy, relu) for part in np.split(x, np.cumsum(CALLS)[:-1])])
            fixture.linear("calls", x, (dtype, sx, zx), w, sw, zw, b, relu, (dtype, sy, zy), y)
        write(fixture, [without, f"{without}-avx2"])
    if kernel in DYNAMIC:
        fixture = fixture_of(kernel, "dynamic-calls")
        fixture.batches(CALLS)
        for layer in dynamic_calls(rng_for(args.seed, kernel, "dynamic-calls")):
            add_dynamic(fixture, "calls", layer, CALLS)
        write(fixture, [without, f"{without}-avx2"])


def add_dynamic(fixture, tag, layer, batches):
    x, w, zw, sw, b, relu, reduce_range = layer
    parts = np.split(x, np.cumsum(batches)[:-1])
    y = np.concatenate([DYNAMIC[fixture.kernel](part, w, zw, sw, b, relu, reduce_range) for part in parts]).astype(f32)
    fixture.linear(tag, x, ("float32",), w, sw, zw, b, relu, ("float32",), y, op="linear_dynamic", reduce_range=reduce_range)


def onednn_int8(kernel, x, zx, sx, w, sw, b, sy, zy, relu):
    """int8 activations, as PyTorch 2.13 runs them: the reference code on AVX512 (exact, divides by the output scale);
    gemm on AVX2 and older (x + 128 in saturating pairs if zx is 0, exact otherwise)."""
    gemm = kernel in GEMM_BLOCK
    acc = tk.acc_exact(x, zx, w, 0)
    product = gemm or (kernel in AMX and tk.takes_amx(*x.shape, len(w)))  # of the scales first; then by 1 / sy
    if gemm and zx == 0:
        blocks = tk.onednn_gemm_kblocks(x.shape[1], GEMM_BLOCK[kernel])
        acc = tk.acc_sat16((x.astype(np.int64) + 128).astype(np.uint8), 128, w, 0, blocks)
    plain = "pointwise" in kernel
    x_scale, w_scale = (f32(sx), np.asarray(sw, f32)) if plain else (tk._recip2(sx), tk._onednn_wscale(sw))
    y_scale = f32(sy) if plain else tk._recip2(sy)
    v = tk._onednn_scaled(acc, x_scale, w_scale, product)
    if b is not None:
        v = v + b
    if relu:
        v = np.maximum(v, f32(0))
    v = v * (f32(1) / y_scale) if product else v / y_scale
    return tk.rne_i32(np.clip(v + f32(zy), f32(-128), f32(127))).astype(np.int8)


# ---------------------------------------------------------------- quantize, dequantize, ReLU, ReLU6: once for each way
def pointwise_fixture(kernel, rivals, quantize, dequantize, six, dtypes):
    fixture = fixture_of(kernel, "pointwise")
    for dtype, s, zp, reals, q, six_scale, six_zp, every in pointwise_family(rng_for(args.seed, kernel, "pointwise"), dtypes):
        lo, hi = RANGE[dtype]
        if quantize:
            fixture.pointwise("quantize", reals, ("float32",), (dtype, s, zp), quantize(reals, s, zp, lo, hi).astype(NP[dtype]))
        if dequantize:
            fixture.pointwise("dequantize", q, (dtype, s, zp), ("float32",), dequantize(q, s, zp).astype(f32))
        fixture.pointwise("relu", q, (dtype, s, zp), (dtype, s, zp), np.maximum(q, zp).astype(NP[dtype]))
        y = np.minimum(np.maximum(every, six_zp), six(six_scale, six_zp, lo, hi)).astype(NP[dtype])
        fixture.pointwise("relu6", every, (dtype, six_scale, six_zp), (dtype, six_scale, six_zp), y)
    write(fixture, rivals)


def pointwise_families(kernel):
    six = lambda quantize: lambda s, zp, lo, hi: int(np.asarray(quantize(np.array([6], f32), s, zp, lo, hi))[0])
    both = ["uint8", "int8"]
    if kernel == "fbgemm":
        pointwise_fixture(kernel, ["ort", "pt2e-reference"], tk.quantize_vec, tk.dequantize, six(tk.quantize_scalar), both)
    if kernel == "pt2e-reference":
        pointwise_fixture(kernel, ["ort", "fbgemm"], tk.decomposed_quantize, tk.dequantize, six(tk.decomposed_quantize), both)
    if kernel == "ort":
        pointwise_fixture(kernel, ["fbgemm", "xnnpack"], ok.quantize_linear, ok.dequantize_linear, six(ok.quantize_linear), both)
    if kernel == "tflite-double":
        pointwise_fixture(kernel, ["xnnpack"], None, None, lambda s, zp, lo, hi: min(hi, ok.tfl_bound(6., s, zp)), ["int8"])
    if kernel == "xnnpack":
        pointwise_fixture(kernel, ["tflite-double"], None, None, lambda s, zp, lo, hi: ok.xnn_bound(6., s, zp, lo, hi), ["int8"])


# ---------------------------------------------------------------- PT2E's reference graph
def pt2e_families(kernel):
    for family, (M, N, count, most) in {"random": (8, 40, 20, 300), "batch": (121, 60, 15, 24)}.items():
        rng = rng_for(args.seed, kernel, family)
        fixture = fixture_of(kernel, family)
        for i in range(count):
            K = int(rng.integers(1, most))
            x, w = rng.integers(0, 256, (M, K)).astype(np.uint8), rng.integers(-127, 128, (N, K)).astype(np.int8)
            sx, zx, zy = float(10.0 ** rng.uniform(-3, -1)), int(rng.integers(256)), int(rng.integers(200))
            sw, b = rng.uniform(.001, .02, N).astype(f32), rng.standard_normal(N).astype(f32)
            xf, wf = tk.dequantize(x, sx, zx), w.astype(f32) * sw[:, None]
            v, wide = np.zeros((M, N), f32), np.zeros((M, N))
            for k in rng.permutation(K):  # any order is a legitimate result
                v = v + xf[:, k:k + 1] * wf[None, :, k]
                wide = wide + xf[:, k:k + 1].astype(np.float64) * wf[None, :, k]
            v, wide = v + b, wide + b
            exact, bound = tk.reference_linear_bound(xf, wf, b)
            assert (np.abs(v - exact) <= bound).all()
            if i & 1:
                v = np.maximum(v, f32(0))
            # not of `exact`: its last digit depends on the order in which this machine's BLAS adds
            sy = float(np.std(wide) * .02 + 1e-6)
            y = tk.decomposed_quantize(v, sy, zy, 0, 255).astype(np.uint8)
            fixture.linear("reference", x, ("uint8", sx, zx), w, sw.astype(np.float64), 0, b, bool(i & 1), ("uint8", sy, zy), y)
        write(fixture, ["fbgemm-avx2"], flow="pt2e-reference")


# ---------------------------------------------------------------- ONNX Runtime, TFLite, XNNPACK, CMSIS-NN, numpy
ROUNDING = {"tflite-double": "double", "tflite-double-up": "double_up", "tflite-single": "single", "tflite-float64": "float64", "tflm": "double"}


def is_fixed_point(kernel):
    return kernel.startswith(("tflite", "tflm", "cmsis"))


def accumulate(kernel, dtype):
    signed = dtype == "int8"
    if kernel == "ort-avx2":
        return lambda *a: ok.acc_pmaddubsw(*a, x_signed=signed)
    return (lambda *a: ok.acc_neon_mlal(*a, x_signed=signed)) if kernel.endswith("-arm") else ok.acc_exact


def other_linear(kernel, dtype, L, relu):
    x, zx, sx, w, zw, sw, bq, zy, sy = L
    lo, hi = RANGE[dtype]
    first, act = max(lo, zy) if relu else lo, "relu" if relu else None
    if kernel in ROUNDING:
        return ok.tflite_fc(x, zx, sx, w, sw, bq, zy, sy, act, (lo, hi), zw, ROUNDING[kernel], of_doubles=kernel == "tflm")
    if kernel.startswith("cmsis"):
        single = kernel.endswith("single")
        m, e = ok.tfl_multipliers(sx, sw, sy, single)
        return ok.cmsis_fc_s8(x, zx, w, bq, zy, m, e, first, hi, single, zw)
    if kernel.startswith("xnnpack"):
        return ok.xnnpack_fc(x, zx, sx, w, sw, bq, zy, sy, act, (lo, hi), zw, accumulate(kernel, dtype))
    a = accumulate(kernel, dtype)(x, zx, w, zw, bq)
    if kernel == "numpy":
        return ok.naive_f64(a, sx, sw, sy, zy, first, hi, "premul")
    if kernel == "numpy-float32":
        return ok.naive_f32(a, sx, sw, sy, zy, first, hi, "premul")
    return ok.requant_f32(a, ok.scale_f32(sx, sw, sy), zy, first, hi)


def add_other(fixture, tag, dtype, L, relu, float_bias=None):
    x, zx, sx, w, zw, sw, bq, zy, sy = L
    y = other_linear(fixture.kernel, dtype, L, relu).astype(NP[dtype])
    zw = np.full(len(w), zw) if np.ndim(sw) else zw
    fixture.linear(tag, x, (dtype, sx, zx), w, sw, zw, bq if float_bias is None else float_bias, relu, (dtype, sy, zy), y)


def rounded_bias(kernel, b, sx, sw):
    """Each runtime's converter."""
    if kernel == "numpy":
        return ok.bias_int(b, float(sx), np.asarray(sw, np.float64), np.float64)
    if is_fixed_point(kernel):
        return ok.round_half_away((b * (f32(1) / (sx * np.asarray(sw, f32)).astype(f32))).astype(f32)).astype(np.int64)
    return ok.bias_int(b, sx, sw)


def other_rivals(kernel, family):
    near = {"tflite-double": ["tflite-double-up", "tflite-single"], "tflite-double-up": ["tflite-double", "tflite-single"],
            "tflite-single": ["tflite-double", "tflite-double-up"], "tflite-float64": ["tflite-double", "ort"],
            "tflm": ["tflite-double-up", "tflite-single", "tflite-double"],
            "cmsis-nn": ["tflite-double-up", "tflite-single"], "cmsis-nn-single": ["tflite-double", "tflite-double-up"],
            "numpy": ["ort", "tflite-double"]}
    return {"near-ties": near.get(kernel, ["numpy", "qnnpack", "tflite-double"]), "batch": [], "multipliers": ["onednn"],
            "ties": ["onednn", "ort" if is_fixed_point(kernel) else "tflite-float64"],
            "blocks": [{"ort-avx2": "ort", "ort-arm": "ort", "xnnpack-arm": "xnnpack"}.get(kernel, "ort-avx2")],
            "overflow": [] if is_fixed_point(kernel) else ["fbgemm"]}[family]


def other_families(kernel):
    dtypes = ["uint8", "int8"] if kernel.startswith(("ort", "numpy")) else ["int8"]
    for family in OTHER_FAMILIES:
        fixture = fixture_of(kernel, family)
        for tag, dtype, L, relu in other_family(family, rng_for(args.seed, kernel, family), dtypes, is_fixed_point(kernel)):
            add_other(fixture, tag, dtype, L, relu)
        write(fixture, other_rivals(kernel, family))
    fixture = fixture_of(kernel, "float-bias")
    for tag, dtype, L, b in float_bias_family(rng_for(args.seed, kernel, "float-bias"), dtypes):
        L[6] = rounded_bias(kernel, b, L[2], L[5])
        add_other(fixture, tag, dtype, L, False, float_bias=b)
    write(fixture, ["fbgemm", "ort" if is_fixed_point(kernel) else "tflite-double"])
    if kernel.startswith("ort"):
        fixture = fixture_of(kernel, "dynamic")
        fixture.batches(BATCHES)
        for layer in dynamic_family(rng_for(args.seed, kernel, "dynamic"), False):
            add_other_dynamic(fixture, "dynamic", layer, BATCHES)
        write(fixture, ["fbgemm", "ort-arm" if kernel == "ort" else "ort"])
    if kernel.startswith(("ort", "numpy")):
        int32_families(kernel)
    if kernel.startswith("numpy"):
        fixture = fixture_of(kernel, "dynamic")
        fixture.batches(BATCHES)
        for layer in dynamic_family(rng_for(args.seed, kernel, "dynamic"), True):
            add_other_dynamic(fixture, "dynamic", layer, BATCHES)
        write(fixture, ["fbgemm", "qnnpack"])
    if kernel.startswith(("ort", "numpy")):
        choose = lambda lo, hi, reduce_range: other_quant_params(kernel, np.array([lo, hi], f32), reduce_range)
        fixture = fixture_of(kernel, "dynamic-near-ties")
        for layer in dynamic_near_ties(rng_for(args.seed, kernel, "dynamic-ties"), choose, kernel.startswith("ort")):
            add_other_dynamic(fixture, "near-tie", layer, [1])
        write(fixture, ["fbgemm", "onednn"])


def int32_families(kernel):
    """uint8 weights, whose products saturate nowhere (ARM without dot product: never run); the sums themselves, as MatMulInteger has them."""
    if kernel != "ort-arm":
        rng, fixture = rng_for(args.seed, kernel, "uint8-weights"), fixture_of(kernel, "uint8-weights")
        for i in range(8):
            dtype, K = ["uint8", "int8"][i % 2] if kernel.startswith("numpy") else "uint8", [3, 16, 40, 130][i % 4]
            lo, hi = RANGE[dtype]
            L = other_layer(rng, dtype, 6, K, 40, i % 3 == 0)
            L[3], L[4] = rng.choice(np.array([0, 1, 128, 200, 255], np.uint8), (40, K)), int(rng.integers(0, 256))
            acc = ok.acc_exact(L[0], L[1], L[3], L[4])
            L[6], L[8] = (-acc[0]).astype(np.int32), f32((acc.std() + 1) * float(L[2]) * float(np.median(L[5])) * .02)
            x, zx, sx, w, zw, sw, bq, zy, sy = L
            y = sums_to_codes(kernel, ok.acc_exact(x, zx, w, zw, bq), sx, sw, sy, zy, lo, hi).astype(NP[dtype])
            fixture.linear("uint8", x, (dtype, sx, zx), w, sw, np.full(40, zw) if np.ndim(sw) else zw, bq, False, (dtype, sy, zy), y)
        write(fixture)
    rng, fixture = rng_for(args.seed, kernel, "int32-output"), fixture_of(kernel, "int32-output")
    for i in range(6):
        K = [4, 40, 700][i % 3]
        x, w = codes(rng, "uint8", (5, K)), rng.integers(-60, 61, (30, K)).astype(np.int8)
        zx, sx, sw = int(rng.integers(0, 256)), log_uniform(rng, 1e-3, 1e-1), log_uniform(rng, 1e-3, 1e-2)
        b = rng.integers(-2**28, 2**28, 30).astype(np.int32) if i % 2 else None
        acc = accumulate(kernel, "uint8")(x, zx, w, 0, b)
        y = np.maximum(acc, 0) if i == 5 else acc
        fixture.linear("sums", x, ("uint8", sx, zx), w, sw, 0, b, i == 5, ("int32", float(sx) * float(sw), 0), y.astype(np.int32))
    write(fixture)


def sums_to_codes(kernel, acc, sx, sw, sy, zy, lo, hi):
    if kernel == "numpy":
        return ok.naive_f64(acc, sx, sw, sy, zy, lo, hi, "premul")
    if kernel == "numpy-float32":
        return ok.naive_f32(acc, sx, sw, sy, zy, lo, hi, "premul")
    return ok.requant_f32(acc, ok.scale_f32(sx, sw, sy), zy, lo, hi)


def add_other_dynamic(fixture, tag, layer, batches):
    x, w, zw, sw, b, relu, reduce_range = layer
    ort = fixture.kernel.startswith("ort")
    parts = np.split(x, np.cumsum(batches)[:-1])
    if ort:
        y = np.concatenate([ort_dynamic(fixture.kernel, part, w, sw, b) for part in parts])
        y = np.maximum(y, f32(0)) if relu else y
    else:
        dtype = float if fixture.kernel == "numpy" else f32
        y = np.concatenate([ok.script_dynamic(part, w, zw, sw, b, relu, reduce_range, dtype) for part in parts])
    fixture.linear(tag, x, ("float32",), w, sw, zw, b, relu, ("float32",), y.astype(f32), op="linear_dynamic",
                   reduce_range=reduce_range and not ort)


def other_quant_params(kernel, x, reduce_range):
    if kernel.startswith("ort"):
        return ok.ort_dynamic_quant_params(x)
    return ok.script_quant_params(x.min(), x.max(), reduce_range, float if kernel == "numpy" else f32)


def ort_dynamic(kernel, x, w, sw, b):
    s, z = ok.ort_dynamic_quant_params(x)
    acc = accumulate(kernel, "uint8")(ok.quantize_linear(x, s, z, 0, 255), z, w, 0, None)
    return ok.ort_matmul_int_to_float(acc, s, sw, b, fma=kernel == "ort-arm")


# ---------------------------------------------------------------- torchao
TOKENS = 6


def saturating_sums(q, w):
    """oneDNN's int8 matmul on AVX2: 128 is added to the codes, and taken out of the sums."""
    return tk.acc_sat16((q.astype(np.int16) + 128).astype(np.uint8), 128, w, 0, tk.onednn_gemm_kblocks(q.shape[1], 384))


def torchao_families(kernel):
    """Every way to take a range, in one call and in several; near-ties of both roundings; static layers."""
    other = "torchao" if kernel.endswith("avx2") else "torchao-avx2"
    kinds = [(row, zero, reduced) for row in (True, False) for zero in (False, True) for reduced in (False, True)]
    fixture = fixture_of(kernel, "dynamic")
    fixture.batches(BATCHES)
    sums = saturating_sums if kernel.endswith("avx2") else ao.exact
    rng = rng_for(args.seed, "torchao", "dynamic")
    for i in range(32):
        row, zero, reduced = kinds[i % len(kinds)]
        k, n = int(rng.integers(1, 33)), int(rng.integers(60, 120))
        x = (rng.normal(0, 10.0 ** rng.uniform(-4, 3), (sum(BATCHES), TOKENS, k)) + rng.normal()).astype(f32)
        x[:, rng.integers(0, TOKENS)] *= 0  # nothing to spread
        x[..., : max(1, k // 3)] = np.rint(x[..., : max(1, k // 3)])
        w = rng.integers(-128, 128, (n, k)).astype(np.int8)
        sw = (10.0 ** rng.uniform(-4, -1, n)).astype(f32) if i % 3 else f32(10.0 ** rng.uniform(-4, -1))
        b = None if i % 4 == 3 else rng.normal(size=n).astype(f32)
        parts = np.split(x, np.cumsum(BATCHES)[:-1])
        y = np.concatenate([ao.linear_dynamic(part.reshape(-1, k), w, sw, b, row, zero, reduced, sums) for part in parts]).reshape(-1, TOKENS, n)
        more = {"asymmetric_quantize_inputs": True} if zero else {}
        fixture.linear("dynamic", x, ("float32",), w, sw, 0, b, False, ("float32",), y, op="linear_dynamic", reduce_range=reduced,
                       per_row=row, **more)
    write(fixture, [other, "numpy"])
    fixture = fixture_of(kernel, "static")
    rng = rng_for(args.seed, "torchao", "static")
    for i in range(24):
        k, n = int(rng.integers(1, 90)), int(rng.integers(2, 24))
        q = rng.integers(-128, 128, (11, k)).astype(np.int8)
        scale, zero = f32(10.0 ** rng.uniform(-3, 0)), int(rng.integers(-128, 128)) if i % 2 else 0
        w, sw = rng.integers(-128, 128, (n, k)).astype(np.int8), (10.0 ** rng.uniform(-4, -1, n)).astype(f32)
        b = None if i % 4 == 3 else rng.normal(size=n).astype(f32)
        fixture.linear("static", q, ("int8", float(scale), zero), w, sw, 0, b, False, ("float32",), ao.linear(q, zero, scale, w, sw, b, sums))
    write(fixture, [other, "qnnpack"])


for kernel in ("torchao", "torchao-avx2"):
    if args.only in ("", kernel):
        torchao_families(kernel)

for kernel in [*TORCH, "pt2e-reference", "ort", "ort-avx2", "ort-arm", *ROUNDING, "xnnpack", "xnnpack-arm", "cmsis-nn", "cmsis-nn-single",
               "numpy", "numpy-float32"]:
    if args.only in ("", kernel):
        families = torch_families if kernel in TORCH else pt2e_families if kernel == "pt2e-reference" else other_families
        families(kernel)
        pointwise_families(kernel)

for kernel in [*CONVOLUTIONS, "pt2e-reference"]:
    if args.only in ("", kernel):
        convolution_families(kernel, args.seed, fixture_of, write)
        if kernel in DYNAMIC_CONVOLUTIONS:
            dynamic_convolutions(kernel, args.seed, fixture_of, write)
        if kernel in FUSED:
            fused_convolutions(kernel, args.seed, fixture_of, write)


# ---------------------------------------------------------------- --check
def content(path):
    """What must be the same: bytes; of an npz those of its members, since deflated bytes are zlib's own."""
    if path.suffix != ".npz":
        return path.read_bytes()
    with zipfile.ZipFile(path) as z:
        return [(name, z.read(name)) for name in z.namelist()]


def files_of(root):
    return {path.relative_to(root): path for path in Path(root).glob((args.only or "*") + "/*/*")}


if args.check:
    made, kept = files_of(written.name), files_of(args.out)
    both = made.keys() & kept.keys()
    differing = sorted((made.keys() ^ kept.keys()) | {name for name in both if content(made[name]) != content(kept[name])})
    print(*(f"{name} differs" for name in differing), f"{len(both)} files compared, {len(differing)} differ", sep="\n")
    sys.exit(1 if differing else 0)
