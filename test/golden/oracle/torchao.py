"""torchao's int8 linear (quantize_ with int8 activations and weights), eager, float32: a numpy model, written from torchao 0.18's
int8_tensor.py and quant_primitives.py and verified against torchao itself (test/verify/torchao.verify.ts)."""
import numpy as np

f32 = np.float32
EPS = f32(2.0 ** -23)


def choose(x, per_row, asymmetric, reduce_range):
    """(scale, zero_point) [rows or 1, 1], codes lo..hi."""
    lo, hi = (-64, 63) if reduce_range else (-128, 127)
    axis = 1 if per_row else None
    low = np.minimum(x.min(axis=axis, keepdims=True), f32(0))
    high = np.maximum(x.max(axis=axis, keepdims=True), f32(0))
    if asymmetric:
        scale = np.maximum(((high - low) / f32(hi - lo)).astype(f32), EPS)
        zero = np.clip(lo - np.rint((low / scale).astype(f32)), lo, hi)
    else:
        scale = np.maximum((np.maximum(-low, high) / f32((hi - lo) / 2)).astype(f32), EPS)
        zero = np.zeros_like(scale)
    return scale, zero.astype(f32), lo, hi


def quantize(x, scale, zero, lo, hi):
    return np.clip((np.rint((x * (f32(1) / scale)).astype(f32)) + zero).astype(f32), lo, hi).astype(np.int8)


def exact(q, w):
    return q.astype(np.int64) @ w.astype(np.int64).T


def product(q, scale, zero, w, sw, b, asymmetric, sums=exact):
    """q int8 [rows, K]; scale, zero [rows or 1, 1]; sw [N] or one; sums(q, w): how a CPU adds the products."""
    acc = sums(q, w)
    y = (acc.astype(np.int32).astype(f32) * scale).astype(f32)
    if asymmetric:
        sums = w.astype(np.int64).sum(axis=1).astype(f32)
        y = (y - ((zero * scale).astype(f32) * sums).astype(f32)).astype(f32)
    y = (y * np.asarray(sw, f32)).astype(f32)
    return y if b is None else (y + b.astype(f32)).astype(f32)


def linear_dynamic(x, w, sw, b, per_row=True, asymmetric=False, reduce_range=False, sums=exact):
    scale, zero, lo, hi = choose(x.astype(f32), per_row, asymmetric, reduce_range)
    return product(quantize(x.astype(f32), scale, zero, lo, hi), scale, zero, w, sw, b, asymmetric, sums)


def linear(q, zero, scale, w, sw, b, sums=exact):
    return product(q, f32(scale), f32(zero), w, sw, b, zero != 0, sums)
