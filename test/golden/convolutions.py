"""Which numpy model of a convolution is which kernel, and which rivals must fail. Called by make_golden.py."""
import numpy as np
import other_kernels as ok
import torch_conv as tc
import torch_kernels as tk
from convolution_layers import CONVOLUTION_FAMILIES, convolution_family, dynamic_layers, fused_layers
from layers import f32, rng_for

ISA = {"onednn": "vnni", "onednn-avx512": "avx512", "onednn-avx2": "avx2", "onednn-sse41": "sse41", "onednn-pointwise": "vnni",
       "onednn-pointwise-avx2": "avx2", "onednn-amx": "amx", "onednn-pointwise-amx": "amx"}


def exact(x, zx, w, G=1, st=(), pad=(), dil=(), outpad=None, transposed=False):
    P, _, _ = tc.patches(x, zx, w.shape[2:], st, pad, dil, outpad, transposed)
    return tc.conv_acc(P, tc.weight_rows(w, G, transposed), zx, 0, False)


def places(x, w, st, pad, dil, outpad=None, transposed=False, **_):
    return tc.patches(x, 0, w.shape[2:], st, pad, dil, outpad, transposed)[2]


def onednn(kernel):
    def run(x, zx, sx, w, zw, sw, b, sy, zy, relu, **g):
        how = tc.onednn_kernel(ISA[kernel], w.shape, g["G"], places(x, w, **g), g["dil"], g["transposed"])
        how = dict(zip(("sat", "order", "scaling"), how))
        if "pointwise" not in kernel:
            return tc.onednn_conv(x, zx, sx, w, zw, sw, b, sy, zy, relu, **how, **g)
        return tc.onednn_qconv_pointwise(x, zx, sx, w, sw, b, sy, zy, "relu" if relu else "none", **how, **g)
    return run


def script(x, zx, sx, w, zw, sw, b, sy, zy, relu, G, transposed, **g):
    """A numpy script with Python floats."""
    P, _, O = tc.patches(x, zx, w.shape[2:], transposed=transposed, **g)
    acc = tc.conv_acc(P, tc.weight_rows(w, G, transposed), zx, zw, False)
    if b is not None:
        acc = tc.wrap32(acc + ok.bias_int(b, sx, sw, np.float64))
    return tc.nchw(ok.naive_f64(acc, sx, sw, sy, zy, zy if relu else 0, 255, "premul"), O)


def pt2e(rng):
    """Dequantize, convolve in float32 in any order, quantize."""
    def run(x, zx, sx, w, zw, sw, b, sy, zy, relu, G, transposed, **g):
        P, ok_, O = tc.patches(x, zx, w.shape[2:], transposed=transposed, **g)
        rows = tc.weight_rows(w, G, transposed)
        scales = np.broadcast_to(np.asarray(sw, f32), G * rows.shape[1]).reshape(G, -1, 1)
        parts = []
        for group in range(G):
            icg = P.shape[3] // G
            xf = tk.dequantize(P[..., group * icg:(group + 1) * icg].reshape(P.shape[0] * P.shape[1], -1), sx, zx)
            wf = rows[group].reshape(rows.shape[1], -1).astype(f32) * scales[group]
            v = np.zeros((len(xf), len(wf)), f32)
            for k in rng.permutation(xf.shape[1]):
                v = v + xf[:, k:k + 1] * wf[None, :, k]
            parts.append(v)
        v = np.concatenate(parts, 1)
        v = v if b is None else v + b
        v = np.maximum(v, f32(0)) if relu else v
        y = tk.decomposed_quantize(v, sy, zy, 0, 255).reshape(P.shape[0], P.shape[1], -1)
        return tc.nchw(y, O)
    return run


MODELS = {
    "fbgemm": lambda *L, **g: tc.fbgemm_conv(*L, **g, isa="vnni", path="im2col"),
    "fbgemm-vnni": lambda *L, **g: tc.fbgemm_conv(*L, **g, isa="vnni"),
    "fbgemm-avx2": lambda *L, **g: tc.fbgemm_conv(*L, **g, isa="avx2"),
    "qnnpack": tc.qnnpack_conv,
    "numpy": script,
    **{kernel: onednn(kernel) for kernel in ISA},
}


def has(kernel, x, w, G, st, pad, dil, transposed, **_):
    direct = tc.fbgemm_path(w.shape, G, st, pad, dil, transposed, False) == "direct"
    if kernel in ("fbgemm-vnni", "fbgemm-avx2") and direct:
        return len(x) == 1 and st[0] == 1  # else wrong in PyTorch 2.13: all but the first sample, and rows
    if kernel == "qnnpack":
        return not (transposed and w.ndim == 5)  # PyTorch 2.13's is wrong, and has no model
    return not (transposed and "pointwise" in kernel)  # qconv_pointwise has none


def rivals(kernel, family):
    if family != "convolutions-near-ties":
        own = {"fbgemm-vnni": ["fbgemm"] if family == "convolutions" else ["fbgemm-avx2"], "fbgemm-avx2": ["fbgemm", "onednn-avx512"], "onednn-avx512": ["onednn", "fbgemm-avx2", "onednn-avx2"],
               "onednn-avx2": ["onednn", "onednn-avx512"], "onednn-sse41": ["onednn", "onednn-avx512"], "onednn-pointwise-avx2": ["onednn-pointwise"]}
        return own.get(kernel, ["fbgemm-avx2"])
    own = {"fbgemm": ["onednn", "qnnpack", "numpy"], "fbgemm-vnni": ["onednn", "qnnpack"], "onednn-amx": ["fbgemm", "onednn"], "onednn-pointwise-amx": ["fbgemm", "onednn-pointwise"],
           "fbgemm-avx2": ["onednn", "qnnpack"], "qnnpack": ["fbgemm", "onednn", "numpy"],
           "numpy": ["fbgemm", "qnnpack"], "onednn-pointwise": ["fbgemm", "onednn-pointwise-avx2"],
           "onednn-pointwise-avx2": ["fbgemm", "onednn-pointwise"], "onednn-avx2": ["fbgemm", "onednn", "onednn-pointwise-avx2"],
           "onednn-sse41": ["fbgemm", "onednn"], "onednn": ["fbgemm", "onednn-avx2", "onednn-pointwise"]}
    return own.get(kernel, ["fbgemm", "qnnpack"])


# Kernels of engines that have dynamic convolutions.
DYNAMIC = ["fbgemm", "fbgemm-vnni", "fbgemm-avx2", "qnnpack", "onednn", "onednn-avx512", "onednn-avx2", "onednn-sse41", "onednn-amx"]
DYNAMIC_RIVALS = {"fbgemm": ["fbgemm-avx2"], "fbgemm-vnni": ["fbgemm", "fbgemm-avx2"], "fbgemm-avx2": ["fbgemm", "fbgemm-vnni"], "qnnpack": ["fbgemm"],
                  "onednn": ["onednn-avx2"], "onednn-avx512": ["onednn", "onednn-avx2"], "onednn-avx2": ["onednn"], "onednn-sse41": ["onednn"],
                  "onednn-amx": ["onednn-avx2"]}


def dynamic_convolutions(kernel, seed, fixture_of, write):
    fixture = fixture_of(kernel, "convolutions-dynamic")
    fixture.batches([1, 1])
    engine = "qnnpack" if kernel == "qnnpack" else "fbgemm"
    for tag, (x, w, zw, sw, b, reduce_range), g in dynamic_layers(rng_for(seed, kernel, "convolutions-dynamic"), not kernel.startswith("onednn")):
        if not has(kernel, x[:1], w, **g):
            continue
        calls = [tc.conv_dynamic(MODELS[kernel], part, w, zw, sw, b, reduce_range, engine, **g) for part in (x[:1], x[1:])]
        fixture.dynamic_convolution(tag, x, w, zw, sw, b, reduce_range, g, np.concatenate(calls))
    write(fixture, DYNAMIC_RIVALS[kernel])


# What is fused on real values: a second value, or a curve.
FUSED = {**{kernel: ["add", "add relu"] for kernel in (*ISA, "numpy")},
         **{kernel: ["add", "hardswish", "silu", "add relu", "silu float", "hardswish float", "add float relu"] for kernel in ISA if "pointwise" in kernel}}


def fused(kernel, kind, L, g, added):
    x, zx, sx, w, zw, sw, b, sy, zy, relu = L
    a, s_a, zp_a = added or (None, 1.0, 0)
    if kernel == "numpy":
        P, _, O = tc.patches(x, zx, w.shape[2:], g["st"], g["pad"], g["dil"])
        acc = tc.wrap32(tc.conv_acc(P, tc.weight_rows(w, g["G"], False), zx, zw, False) + (0 if b is None else ok.bias_int(b, sx, sw, np.float64)))
        v = tc.nchw(acc * (np.asarray(sw, np.float64) * sx / sy), O) * sy + (a.astype(np.int64) - zp_a) * s_a
        return np.clip(np.rint(v / sy) + zy, zy if relu else 0, 255).astype(np.uint8)
    how = tc.onednn_kernel(ISA[kernel], w.shape, g["G"], places(x, w, **g), g["dil"], False)
    how = dict(zip(("sat", "order", "scaling"), how))
    if "pointwise" not in kernel:
        return tc.onednn_conv_add(x, zx, sx, w, zw, sw, b, sy, zy, relu, a, zp_a, s_a, fma=kernel != "onednn-sse41", **how, **g)
    attr = kind.split()[0]
    attr = {"add": "none", "silu": "swish-ref" if how["scaling"] == "ref" else "swish"}.get(attr, attr)
    return tc.onednn_qconv_pointwise(x, zx, sx, w, sw, b, sy, zy, attr, accum=a, zp_a=zp_a, s_a=s_a, relu=relu, f32_out="float" in kind, **how, **g)


def fused_convolutions(kernel, seed, fixture_of, write):
    fixture = fixture_of(kernel, "convolutions-fused")
    for kind, L, g, added in fused_layers(rng_for(seed, kernel, "convolutions-fused"), FUSED[kernel]):
        activation = "relu" if L[9] else "none" if added else kind.split()[0]
        fixture.fused_convolution(kind.replace(" ", "-"), L, g, added, activation, fused(kernel, kind, L, g, added))
    own = {"onednn-pointwise-avx2": "onednn-pointwise", "onednn-avx2": "onednn", "onednn-sse41": "onednn", "onednn-avx512": "onednn-avx2"}
    write(fixture, [own.get(kernel, "onednn-pointwise-avx2"), "numpy" if kernel != "numpy" else "onednn"])


def convolution_families(kernel, seed, fixture_of, write):
    reference = kernel == "pt2e-reference"
    zero_points = not kernel.startswith("onednn") and not reference
    for family in CONVOLUTION_FAMILIES[:2 if reference else None]:
        rng = rng_for(seed, kernel, family)
        run = pt2e(rng) if reference else MODELS[kernel]
        fixture = fixture_of(kernel, family)
        for tag, L, g in convolution_family(family, rng, zero_points, exact):
            if has(kernel, L[0], L[3], **g):
                fixture.convolution(tag, L, g, run(*L, **g).astype(np.uint8))
            if family == "convolutions-random" and fixture.values > (75_000 if reference else 40_000):
                break
        write(fixture, ["fbgemm-avx2"] if reference else rivals(kernel, family), **({"flow": "pt2e-reference"} if reference else {}))
