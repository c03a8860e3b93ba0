"""numpy models of PyTorch's quantized Linear kernels on a CPU, bit by bit; verified against the real runtimes (fixtures/kernels/README.md).

Written from the sources and from what the kernels were seen to do, before qdiff and without it: that is why it may judge qdiff.

Array conventions (everything is plain numpy):
  x_u8 [M,K] uint8 activations      zp_x int      s_x python float (q_scale(): a double)
  w_s8 [N,K] int8 weights           zp_w int or int[N]   s_w float or float[N]
  bias_f32 [N] float32 or None      s_y, zp_y output qparams     relu: fused ReLU
Per-tensor weights  <=> zp_w and s_w are scalars; per-channel <=> both are length-N arrays.
All float arithmetic is IEEE float32, round-to-nearest-even, one rounding per written operation.
"""
import numpy as np

f32 = np.float32
I32MIN = -2147483648


# ----------------------------------------------------------------- small exact building blocks
def fma32(a, b, c):
    """float32 fused multiply-add a*b+c with ONE rounding (via float64 + round-to-odd)."""
    p = np.asarray(a, np.float64) * np.asarray(b, np.float64)      # exact: 24+24 <= 53 bits
    c = np.asarray(c, np.float64)
    s = p + c
    t = s - p
    err = (p - (s - t)) + (c - t)                                   # TwoSum: s+err is exact
    odd = (np.ascontiguousarray(s).view(np.int64) & 1).astype(bool)
    bump = np.where(err > 0, np.inf, -np.inf)
    s = np.where((err != 0) & ~odd & np.isfinite(s), np.nextafter(s, bump), s)
    return s.astype(f32)


def rne_i32(v):
    """CVTPS2DQ: round half to even; NaN or outside int32 -> INT32_MIN. Returns int64 array."""
    v = np.asarray(v, f32)
    with np.errstate(invalid="ignore"):
        r = np.rint(v.astype(np.float64))
        ok = (r >= -2147483648.0) & (r <= 2147483647.0)
        return np.where(ok, r, float(I32MIN)).astype(np.int64)


def sat16(v):
    return np.clip(v, -32768, 32767)


def wrap32(v):
    return ((np.asarray(v, np.int64) + 2**31) & 0xFFFFFFFF) - 2**31


def pack_u8(r_i32, zp_y, lo=0, hi=255):
    """PACKSSDW -> PADDSW(zero point) -> PACKUSWB -> min/max, i.e. both adds saturate at int16."""
    v = sat16(sat16(r_i32) + int(zp_y))
    return np.clip(np.clip(v, 0, 255), lo, hi).astype(np.uint8)


def is_per_channel(s_w):
    return np.ndim(s_w) > 0


# ----------------------------------------------------------------- integer accumulators
def acc_exact(x_u8, zp_x, w_s8, zp_w):
    """sum_k (x-zp_x)(w-zp_w), int32 (wraps mod 2^32)."""
    x = x_u8.astype(np.int64) - int(zp_x)
    w = w_s8.astype(np.int64) - np.reshape(np.asarray(zp_w, np.int64), (-1, 1))
    return wrap32(x @ w.T)


def acc_sat16(x_u8, zp_x, w_s8, zp_w, kblocks=None):
    """VPMADDUBSW: raw (zero-point-free) u8*s8 products of k=(0,1),(2,3),... summed with int16
    saturation; the pair sums are added exactly in int32 (VPMADDWD by ones + VPADDD).
    Odd K: the last pair is (x[K-1]*w, 0).  Zero points are corrected AFTER, exactly, in int32.
    kblocks: list of K-block lengths; pairing restarts at each block (only matters when odd)."""
    x = x_u8.astype(np.int64)
    w = w_s8.astype(np.int64)
    K = x.shape[1]
    raw = np.zeros((x.shape[0], w.shape[0]), np.int64)
    k0 = 0
    for n in (kblocks or [K]):
        for k in range(k0, k0 + n, 2):
            p = np.outer(x[:, k], w[:, k])
            if k + 1 < k0 + n:
                p = p + np.outer(x[:, k + 1], w[:, k + 1])
            raw += sat16(p)
        k0 += n
    zw = np.broadcast_to(np.asarray(zp_w, np.int64), (w.shape[0],))
    col = w.sum(1) - zw * K
    return wrap32(raw - int(zp_x) * col[None, :] - x.sum(1)[:, None] * zw[None, :])


def onednn_gemm_kblocks(K, bk=384):
    """oneDNN gemm:jit K blocking; bk=384 on AVX2, 256 on AVX / SSE4.1.  One block up to K=256,
    two halves (K+1)//2 and the rest while K < 2*bk, then blocks of bk.
    => pairing differs from (0,1),(2,3).. exactly when 256 < K < 2*bk and K % 4 in (1, 2)."""
    if K <= 256:
        return [K]
    n = (K + 1) // 2 if K < 2 * bk else bk
    return [n] * (K // n) + ([K % n] if K % n else [])


ACC = {False: acc_exact, True: acc_sat16}


def _onednn_acc(x_u8, zp_x, w_s8, sat16, gemm_bk):
    if sat16 and gemm_bk:
        return acc_sat16(x_u8, zp_x, w_s8, 0, onednn_gemm_kblocks(x_u8.shape[1], gemm_bk))
    return ACC[sat16](x_u8, zp_x, w_s8, 0)


# ----------------------------------------------------------------- FBGEMM (engines fbgemm, x86)
def fbgemm_linear(x_u8, zp_x, s_x, w_s8, zp_w, s_w, bias_f32, s_y, zp_y, relu, sat16=False,
                  fma=True):
    """sat16=False: AVX512-VNNI.  sat16=True: AVX2, and AVX512 without VNNI."""
    acc = ACC[sat16](x_u8, zp_x, w_s8, zp_w)
    aw = f32(s_x) * np.asarray(s_w, f32)              # act_times_w_scale
    mult = aw / f32(s_y)                              # C_multiplier
    v = acc.astype(f32)                               # int32 -> float32, RNE
    if bias_f32 is not None:
        b = np.asarray(bias_f32, f32)
        if is_per_channel(s_w):
            v = v + (b / aw)                          # div, then add
        else:
            r = f32(1) / aw                           # reciprocal, then (fused) multiply-add
            v = fma32(b, r, v) if fma else v + b * r
    v = v * mult
    return pack_u8(rne_i32(v), zp_y, lo=int(zp_y) if relu else 0)


def fbgemm_linear_sat(*a, **k):
    return fbgemm_linear(*a, sat16=True, **k)


def fbgemm_linear_dynamic(x_f32, w_s8, zp_w, s_w, bias_f32, relu=False, reduce_range=True,
                          sat16=False, fma=True, quantize=None):
    s, zp = choose_qparams(x_f32.min(), x_f32.max(), reduce_range)
    x_u8 = (quantize or quantize_vec)(x_f32, s, zp)   # clamps to [0,255] even if reduce_range
    acc = ACC[sat16](x_u8, zp, w_s8, zp_w)
    mult = f32(s) * np.asarray(s_w, f32)
    v = acc.astype(f32)
    if bias_f32 is None:
        v = v * mult
    else:
        b = np.asarray(bias_f32, f32)
        v = fma32(v, mult, b) if fma else v * mult + b
    return np.maximum(f32(0), v) if relu else v


# ----------------------------------------------------------------- QNNPACK
def qnnpack_qbias(bias_f32, s_x, s_w):
    """bias -> int32 with scale float32(double(s_w)*double(s_x)), x*(1/scale), RNE, clamp."""
    sb = (np.asarray(s_w, np.float64) * float(s_x)).astype(f32) if is_per_channel(s_w) \
        else f32(float(s_w) * float(s_x))
    v = np.rint(np.asarray(bias_f32, f32) * (f32(1) / sb)).astype(np.float64)
    return np.clip(v, -2147483648.0, 2147483647.0).astype(np.int64)


def qnnpack_linear(x_u8, zp_x, s_x, w_s8, zp_w, s_w, bias_f32, s_y, zp_y, relu):
    acc = acc_exact(x_u8, zp_x, w_s8, zp_w)
    if bias_f32 is not None:
        acc = wrap32(acc + qnnpack_qbias(bias_f32, s_x, s_w))
    mult = (np.asarray(s_w, f32) * f32(s_x)) * (f32(1) / f32(s_y))
    return pack_u8(rne_i32(acc.astype(f32) * mult), zp_y, lo=int(zp_y) if relu else 0)


def qnnpack_linear_dynamic(x_f32, w_s8, zp_w, s_w, bias_f32, relu=False, reduce_range=True,
                           quantize=None):
    s, zp = choose_qparams(x_f32.min(), x_f32.max(), False)         # reduce_range is ignored
    x_u8 = (quantize or quantize_vec)(x_f32, s, zp)
    acc = acc_exact(x_u8, zp, w_s8, zp_w)
    mult = (np.asarray(s_w, f32) * f32(s)) * (f32(1) / f32(1))
    v = mult * acc.astype(f32)
    if bias_f32 is not None:
        v = v + np.asarray(bias_f32, f32)
    return np.maximum(v, f32(0)) if relu else v


# ----------------------------------------------------------------- oneDNN
def _recip2(s):
    """PyTorch hands ideep 1/scale, ideep inverts again: float32(1/float32(1/scale))."""
    return f32(1.0 / np.float64(f32(1.0 / float(s))))


def _onednn_wscale(s_w):
    if is_per_channel(s_w):
        r = f32(1) / np.asarray(s_w, f32)
        return (1.0 / r.astype(np.float64)).astype(f32)
    return _recip2(s_w)


def takes_amx(M, K, N):
    """oneDNN 3.12 on an AMX CPU runs such calls as brg_matmul:avx10_1_512_amx, which scales as gemm:jit does."""
    return K > 16 and (M > 32 or M * N > 256)


def _onednn_scaled(acc, ss, sw, gemm):
    """brgemm (AVX512): (acc*s_src)*s_wei, two roundings.  gemm:jit: acc*(s_src*s_wei)."""
    v = acc.astype(f32)
    return v * (ss * sw) if gemm else (v * ss) * sw


def onednn_linear(x_u8, zp_x, s_x, w_s8, zp_w, s_w, bias_f32, s_y, zp_y, relu, sat16=False,
                  gemm_bk=0, amx=False):
    """zp_w must be 0.  Implementations (ONEDNN_VERBOSE=1 names them):
      brg_matmul:avx512_core_vnni  sat16=False, gemm_bk=0
      brg_matmul:avx512_core       sat16=True,  gemm_bk=0    (AVX512 without VNNI)
      gemm:jit on AVX2             sat16=True,  gemm_bk=384
      gemm:jit on AVX / SSE4.1     sat16=True,  gemm_bk=256"""
    acc = _onednn_acc(x_u8, zp_x, w_s8, sat16, gemm_bk)
    gemm = gemm_bk > 0 or (amx and takes_amx(*x_u8.shape, len(w_s8)))
    v = _onednn_scaled(acc, _recip2(s_x), _onednn_wscale(s_w), gemm)
    if bias_f32 is not None:
        v = v + np.asarray(bias_f32, f32)
    if relu:
        v = np.maximum(v, f32(0))
    inv = f32(1) / f32(1.0 / np.float64(f32(1.0 / float(s_y))))
    v = v * inv
    v = v + f32(zp_y)                                  # zero point added in float, BEFORE rounding
    v = np.minimum(np.maximum(v, f32(0)), f32(255))
    return rne_i32(v).astype(np.uint8)


# ----------------------------------------------------------------- quantize / dequantize
def quantize_vec(x_f32, scale, zp, qmin=0, qmax=255):
    """torch.quantize_per_tensor to quint8/qint8 on AVX2+ (all lengths incl. tails), and the
    activation quantizer inside FBGEMM/QNNPACK dynamic Linear:  rint(fma(x, 1/scale, zp))."""
    inv = f32(1) / f32(scale)
    with np.errstate(over="ignore", invalid="ignore"):
        t = fma32(np.asarray(x_f32, f32), inv, f32(zp))
        t = np.where(t < f32(2147483520), t, f32(2147483520))       # MINPS: NaN -> the bound
    return np.clip(rne_i32(t), qmin, qmax).astype(np.uint8 if qmin >= 0 else np.int8)


def quantize_scalar(x_f32, scale, zp, qmin, qmax):
    """torch.quantize_per_channel (scale/zp broadcastable), qint32, and CPUs without AVX2:
    rint(x*(1/scale) + zp), two float32 roundings before the rint."""
    inv = f32(1) / np.asarray(scale, np.float64).astype(f32)
    with np.errstate(over="ignore", invalid="ignore"):
        t = np.rint(np.asarray(x_f32, f32) * inv + np.asarray(zp).astype(f32))
    t = np.where(np.isnan(t), 0.0, t.astype(np.float64))
    return np.clip(t, qmin, qmax).astype(np.int64)


def dequantize(q, scale, zp):
    """per-tensor: scale is the q_scale() double, cast to float32 first."""
    return f32(scale) * (np.asarray(q, np.int64) - zp).astype(f32)


def choose_qparams(xmin, xmax, reduce_range):
    """quant_utils::ChooseQuantizationParams(qmin=0,qmax=255): returns (double scale, int zp)."""
    qmin, qmax = (0, 127) if reduce_range else (0, 255)
    mn = min(f32(xmin), f32(0))
    mx = max(f32(xmax), f32(0))
    s = (float(mx) - float(mn)) / (qmax - qmin)
    with np.errstate(divide="ignore", over="ignore"):
        if f32(s) == 0 or np.isinf(f32(1) / f32(s)):
            s = 0.1
    T = f32(6.1e-5)
    if s < float(T):
        org = f32(s)
        s = float(T)
        if mn == 0:
            mx = T * f32(qmax - qmin)
        elif mx == 0:
            mn = -T * f32(qmax - qmin)
        else:
            amp = T / org
            mn, mx = mn * amp, mx * amp
    a, b = float(mn) / s, float(mx) / s
    zp = qmin - a if (abs(qmin) - abs(a)) < (abs(qmax) - abs(b)) else qmax - b
    return s, int(np.rint(min(max(zp, qmin), qmax)))


def onednn_quantize(x_f32, scale_recip, zp):
    """oneDNN f32->u8 reorder used by the dynamic path (scale_recip = the dst scale it was given)."""
    v = np.asarray(x_f32, f32) * (f32(1) / scale_recip)
    v = v + f32(zp)
    return rne_i32(np.minimum(np.maximum(v, f32(0)), f32(255))).astype(np.uint8)


def onednn_linear_dynamic(x_f32, w_s8, zp_w, s_w, bias_f32, relu=False, reduce_range=True, sat16=False,
                          gemm_bk=0, amx=False):
    s, zp = choose_qparams(x_f32.min(), x_f32.max(), reduce_range)
    ss = _recip2(s)
    x_u8 = onednn_quantize(x_f32, ss, zp)
    gemm = gemm_bk > 0 or (amx and takes_amx(*x_f32.shape, len(w_s8)))
    v = _onednn_scaled(_onednn_acc(x_u8, zp, w_s8, sat16, gemm_bk), ss, _onednn_wscale(s_w), gemm)
    if bias_f32 is not None:
        v = v + np.asarray(bias_f32, f32)
    return np.maximum(v, f32(0)) if relu else v


def onednn_qlinear_pointwise(x_u8, zp_x, s_x, w_s8, s_w, bias_f32, s_y, zp_y, relu, sat16=False,
                             f32_out=False, gemm_bk=0, amx=False):
    """torch.ops.onednn.qlinear_pointwise (what Inductor/PT2E x86 calls): scales used as given."""
    gemm = gemm_bk > 0 or (amx and takes_amx(*x_u8.shape, len(w_s8)))
    v = _onednn_scaled(_onednn_acc(x_u8, zp_x, w_s8, sat16, gemm_bk), f32(s_x), np.asarray(s_w, f32), gemm)
    if bias_f32 is not None:
        v = v + np.asarray(bias_f32, f32)
    if relu:
        v = np.maximum(v, f32(0))
    if f32_out:
        return v
    v = v * (f32(1) / f32(s_y))
    v = np.minimum(np.maximum(v + f32(zp_y), f32(0)), f32(255))
    return rne_i32(v).astype(np.uint8)


# ----------------------------------------------------------------- PT2E reference path
def decomposed_quantize(x_f32, scale, zp, qmin, qmax):
    """quantized_decomposed.quantize_per_tensor: x * float32(1/double(scale)), round, + zp, clamp."""
    t = np.rint(np.asarray(x_f32, f32) * f32(1.0 / float(scale)))
    return np.clip(t + f32(zp), qmin, qmax).astype(np.int64)


def reference_linear_bound(x_f32, w_f32, bias_f32):
    """(exact float64 result, rigorous bound on |float32 linear - exact| for ANY summation order/FMA)."""
    x, w = x_f32.astype(np.float64), w_f32.astype(np.float64)
    b = 0.0 if bias_f32 is None else bias_f32.astype(np.float64)
    n = x.shape[1] + 1
    u = 2.0 ** -24
    mag = np.abs(x) @ np.abs(w).T + np.abs(b)
    return x @ w.T + b, (n * u / (1 - n * u)) * mag + 1e-300
