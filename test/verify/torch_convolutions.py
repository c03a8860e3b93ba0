"""Convolutions of test/golden/convolution_layers.py, run by PyTorch. Called by runtimes.py."""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
sys.path.insert(0, str(Path(__file__).parents[1] / "golden" / "oracle"))
import torch_conv as geometry_of  # noqa: E402, which path FBGEMM takes, and the exact sums that near ties are mined on
from convolution_layers import CONVOLUTION_FAMILIES, convolution_family, dynamic_layers, fused_layers  # noqa: E402
from convolutions import exact, places  # noqa: E402
from layers import f32, rng_for  # noqa: E402


def is_reliable(engine, x, w, g, avx512):
    """Not what PyTorch 2.13 computes wrongly, or by what lies in memory."""
    kernel, st = w.shape[2:], g["st"]
    path = geometry_of.fbgemm_path(w.shape, g["G"], st, g["pad"], g["dil"], g["transposed"], avx512)
    if engine == "fbgemm" and path == "direct":
        return len(x) == 1 and st[0] == 1
    if engine == "fbgemm" and path == "groupwise":
        return g["G"] % geometry_of.fbgemm_groups_together(w.shape[1], w.shape[0] // g["G"], avx512) == 0
    if engine == "qnnpack" and g["transposed"]:
        return w.ndim < 5
    if engine == "onednn" and g["transposed"]:
        return len(st) == 1 or st[-2] < g["dil"][-2] * (kernel[-2] - 1) + 3
    return engine != "onednn" or st[-1] == 1 or places(x, w, **g)[-1] > 1


def by_cost(engine, kernel_of, w, g):
    """oneDNN on AVX512 without VNNI takes the code for one input channel by what it estimates that each would cost: no model."""
    return engine == "onednn" and kernel_of("") == ["onednn-avx512"] and w.shape[1] == 1 and not g["transposed"] and (g["G"] == 1 or len(w) > g["G"])


def run_convolution(torch, weight_of, L, g):
    x, zx, sx, w, zw, sw, b, sy, zy, relu = L
    ops, axes, bias = torch.ops.quantized, w.ndim - 2, None if L[6] is None else torch.from_numpy(L[6])
    q = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), sx, zx)
    weight, window = weight_of(torch, w, zw, sw), [list(g["st"]), list(g["pad"])]
    if g["transposed"]:
        pack, op = getattr(ops, f"conv_transpose{axes}d_prepack"), getattr(ops, f"conv_transpose{axes}d")
        packed = pack(weight, bias, *window, list(g["outpad"] or (0,) * axes), list(g["dil"]), g["G"])
    else:
        pack, op = getattr(ops, f"conv{axes}d_prepack"), getattr(ops, f"conv{axes}d_relu" if relu else f"conv{axes}d")
        packed = pack(weight, bias, *window, list(g["dil"]), g["G"])
    return op(q, packed, sy, zy).int_repr().numpy()


def run_dynamic(torch, weight_of, L, g):
    """Two calls of one image each."""
    x, w, zw, sw, b, reduce_range = L
    ops, kind = torch.ops.quantized, f"conv{'_transpose' if g['transposed'] else ''}{w.ndim - 2}d"
    window = [list(g["st"]), list(g["pad"]), *([list(g["outpad"] or (0,) * (w.ndim - 2))] if g["transposed"] else []), list(g["dil"]), g["G"]]
    packed = getattr(ops, f"{kind}_prepack")(weight_of(torch, w, zw, sw), None if b is None else torch.from_numpy(b), *window)
    return np.concatenate([getattr(ops, f"{kind}_dynamic")(torch.from_numpy(part), packed, reduce_range).numpy() for part in (x[:1], x[1:])])


def dynamic_convolutions(torch, weight_of, fixture_of, engine, kernel_of, seed, avx512, producer):
    torch.backends.quantized.engine = engine
    fixtures = {}
    for tag, L, g in dynamic_layers(rng_for(seed, "torch", engine, "convolutions-dynamic"), engine in ("fbgemm", "qnnpack")):
        x, w = L[:2]
        if engine == "onednn":
            g = {**g, "outpad": None}
        if not is_reliable(engine, x[:1], w, g, avx512) or by_cost(engine, kernel_of, w, g):
            continue
        y = run_dynamic(torch, weight_of, L, g)
        path = geometry_of.fbgemm_path(w.shape, g["G"], g["st"], g["pad"], g["dil"], g["transposed"], avx512)
        for kernel in kernel_of(path):
            fixture = fixtures.setdefault(kernel, fixture_of(kernel, f"{engine}-convolutions-dynamic"))
            fixture.batches([1, 1])
            fixture.dynamic_convolution(tag, *L, g, y)
    for fixture in fixtures.values():
        fixture.write({"family": "convolutions-dynamic"}, **producer)


def run_pointwise(torch, L, g, attr=None, limits=(), added=None, to_float=False):
    """onednn::qconv_pointwise, what PT2E models are lowered to; attr: what it fuses, added: its second value, which it overwrites."""
    x, zx, sx, w, zw, sw, b, sy, zy, relu = L
    axes, scales = w.ndim - 2, np.broadcast_to(np.asarray(sw, f32), len(w)).copy()
    window = [list(g["st"]), list(g["pad"]), list(g["dil"]), g["G"]]
    packed = torch.ops.onednn.qconv_prepack(torch.from_numpy(w), torch.from_numpy(scales), sx, zx, *window)
    op = torch.ops.onednn.qconv2d_pointwise if axes == 2 else getattr(torch.ops.onednn, f"qconv{axes}d_pointwise")
    zeros, bias = torch.zeros(len(w), dtype=torch.long), None if b is None else torch.from_numpy(b)
    attr = attr or ("relu" if relu else "none")
    to = (1.0, 0, torch.float32) if to_float else (sy, zy, torch.uint8)
    if added is None:
        return op(torch.from_numpy(x), sx, zx, packed, torch.from_numpy(scales), zeros, bias, *window, *to, attr, list(limits), "").numpy()
    a, sa, za = added
    joined = torch.from_numpy(a.copy()).contiguous(memory_format=torch.channels_last)
    return op.binary(torch.from_numpy(x), sx, zx, packed, torch.from_numpy(scales), zeros, joined, bias, *window, *to, sa, za, "sum", 1.0, attr, [], "").numpy()


def run_add(torch, weight_of, L, g, added):
    """quantized::conv2d_add(_relu), which overwrites what is added."""
    x, zx, sx, w, zw, sw, b, sy, zy, relu = L
    a, sa, za = added
    quantized = torch._make_per_tensor_quantized_tensor
    window = [list(g["st"]), list(g["pad"]), list(g["dil"]), g["G"]]
    packed = torch.ops.quantized.conv2d_prepack(weight_of(torch, w, zw, sw), None if b is None else torch.from_numpy(b), *window)
    op = torch.ops.quantized.conv2d_add_relu if relu else torch.ops.quantized.conv2d_add
    return op(quantized(torch.from_numpy(x), sx, zx), quantized(torch.from_numpy(a.copy()), sa, za), packed, sy, zy).int_repr().numpy()


CURVES = {"silu": "swish", "hardswish": "hardswish", "relu6": "hardtanh"}
FUSED = {"onednn": ["add", "add relu"],
         "pointwise": ["add", "hardswish", "silu", "relu6", "add relu", "silu float", "hardswish float", "add float relu"]}


def fused_convolutions(torch, weight_of, fixture_of, engine, kernel_of, seed, avx512, producer):
    """What is fused on real values: a second value, or a curve."""
    torch.backends.quantized.engine = "onednn"
    [kernel] = kernel_of("")
    fixture = fixture_of(kernel, f"{engine}-convolutions-fused")
    for kind, L, g, added in fused_layers(rng_for(seed, "torch", engine, "convolutions-fused"), FUSED[engine]):
        if not is_reliable("onednn", L[0], L[3], g, avx512) or by_cost("onednn", kernel_of, L[3], g):
            continue
        attr, to_float = kind.split()[0], "float" in kind
        if engine == "onednn":
            y = run_add(torch, weight_of, L, g, added)
        elif added:
            y = run_pointwise(torch, L, g, None, (), added, to_float)
        else:
            y = run_pointwise(torch, L, g, CURVES[attr], (0.0, 6.0) if attr == "relu6" else (), None, to_float)
        activation = "relu" if L[9] else "none" if added else attr
        fixture.fused_convolution(kind.replace(" ", "-"), L, g, added, activation, y)
    fixture.write({"family": "convolutions-fused"}, **producer)


def convolutions(torch, weight_of, fixture_of, engine, kernel_of, seed, size, avx512, producer):
    """kernel_of: the kernels that a path of FBGEMM (another engine: any) is. engine pointwise: the op of lowered models."""
    pointwise = engine == "pointwise"
    if not pointwise:
        torch.backends.quantized.engine = engine
    for family in CONVOLUTION_FAMILIES:
        fixtures = {}
        for tag, L, g in convolution_family(family, rng_for(seed, "torch", engine, family), engine in ("fbgemm", "qnnpack"), exact, size):
            x, w = L[0], L[3]
            if (pointwise and (g["transposed"] or (L[9] and w.ndim != 4))) or not is_reliable("onednn" if pointwise else engine, x, w, g, avx512):
                continue
            if engine == "onednn":
                g = {**g, "outpad": None}
            y = run_pointwise(torch, L, g) if pointwise else run_convolution(torch, weight_of, L, g)
            if by_cost(engine, kernel_of, w, g):
                continue
            path = geometry_of.fbgemm_path(w.shape, g["G"], g["st"], g["pad"], g["dil"], g["transposed"], avx512)
            for kernel in kernel_of(path):
                fixtures.setdefault(kernel, fixture_of(kernel, f"{engine}-{family}")).convolution(tag, L, g, y)
        for fixture in fixtures.values():
            fixture.write({"family": family}, **producer)
