"""numpy models of quantized Linear kernels outside PyTorch, bit by bit; verified against the real runtimes (fixtures/kernels/README.md).

Written from the sources and from what the kernels were seen to do, before qdiff and without it: that is why it may judge qdiff.

Conventions for every model:
  xq  integer array [M,K]   quantized activations (values, any int dtype)
  wq  integer array [N,K]   quantized weights, one row per output channel
  bq  int32 array [N] or None   bias already in units of sx*sw
  sx, sy float32 scalars; sw float32 scalar (per tensor) or [N] (per channel)
  zx, zw, zy integer zero points (zw scalar or [N])
  act one of None, 'relu', 'relu6', 'relu_n1_to_1'
Result: int64 array [M,N] holding the quantized output values.
"""
import numpy as np

F, D, I32, I64 = np.float32, np.float64, np.int32, np.int64
INT8, UINT8 = (-128, 127), (0, 255)


def wrap32(v):
    """two's complement int32 value of an int64 array"""
    return np.asarray(v, I64).astype(np.uint32).view(I32).astype(I64)


# ---------------------------------------------------------------- accumulate
def acc_exact(xq, zx, wq, zw=0, bq=None):
    """sum (x-zx)*(w-zw) + b, int32 with wrap; order of additions is irrelevant."""
    x = np.asarray(xq, I64) - int(zx)
    w = np.asarray(wq, I64) - np.asarray(zw, I64).reshape(-1, 1)
    a = x @ w.T
    if bq is not None:
        a = a + np.asarray(bq, I64)
    return wrap32(a)


def acc_pmaddubsw(xq, zx, wq, zw=0, bq=None, x_signed=False, w_signed=True):
    """MLAS on AVX2 / AVX512 without VNNI.  Raw u8*s8 products of k=(0,1),(2,3).. are
    added in pairs and saturated to int16; zero points are corrected afterwards with
    exact sums.  Signed x is first xored with 0x80 (x+128, zx+128)."""
    x = np.asarray(xq, I64)
    w = np.asarray(wq, I64)
    zx = int(zx)
    zw = np.asarray(zw, I64).reshape(-1)
    if x_signed:
        x, zx = x + 128, zx + 128
    if not w_signed:
        w, zw = w - 128, zw - 128
    K = x.shape[1]
    if K & 1:
        x = np.pad(x, ((0, 0), (0, 1)))
        w = np.pad(w, ((0, 0), (0, 1)))
    p = (x[:, None, 0::2] * w[None, :, 0::2] + x[:, None, 1::2] * w[None, :, 1::2])
    raw = np.clip(p, -32768, 32767).sum(-1)
    a = raw - zx * w.sum(1) - x.sum(1)[:, None] * zw + K * zx * zw
    if bq is not None:
        a = a + np.asarray(bq, I64)
    return wrap32(a)


def acc_neon_mlal(xq, zx, wq, zw=0, bq=None, x_signed=False):
    """MLAS on ARM64 without dot product (Cortex-A53/A57/A72), signed weights.  x is made signed
    (u8 xor 0x80), then within every 16 k-values product k and product k+8 are added in int16,
    WRAPPING.  Wraps only for (-128*-128)+(-128*-128); equals acc_exact if no weight is -128."""
    x = np.asarray(xq, I64) - (0 if x_signed else 128)
    zx = int(zx) - (0 if x_signed else 128)
    w = np.asarray(wq, I64)
    zw = np.asarray(zw, I64).reshape(-1)
    K = x.shape[1]
    pad = -K % 16
    xp = np.pad(x, ((0, 0), (0, pad))).reshape(x.shape[0], 1, -1, 2, 8)
    wp = np.pad(w, ((0, 0), (0, pad))).reshape(1, w.shape[0], -1, 2, 8)
    raw = (xp * wp).sum(3).astype(np.uint16).view(np.int16).astype(I64).sum((-1, -2))
    a = raw - zx * w.sum(1) - x.sum(1)[:, None] * zw + K * zx * zw
    if bq is not None:
        a = a + np.asarray(bq, I64)
    return wrap32(a)


# ------------------------------------------------- float32 requantization family
def requant_f32(acc, scale, zy, lo, hi):
    """f32(acc) (nearest even) * f32 scale -> f32; clamp in f32 to [lo-zy, hi-zy];
    round half to even; + zy."""
    f = np.asarray(acc).astype(I32).astype(F) * np.asarray(scale, F)
    f = np.minimum(np.maximum(f, F(lo - zy)), F(hi - zy))
    return np.rint(f).astype(I64) + zy


def scale_f32(sx, sw, sy):
    """f32(f32(sx*sw)/sy): ORT QLinearMatMul/QGemm (alpha=1) and XNNPACK"""
    return (F(sx) * np.asarray(sw, F)).astype(F) / F(sy)


def quantize_linear(x, s, z, lo, hi):
    """ONNX/ORT QuantizeLinear f32: divide (not multiply by 1/s), half to even, + z, saturate."""
    f = np.asarray(x, F) / F(s)
    f = np.minimum(np.maximum(f, F(lo - z)), F(hi - z))
    return np.rint(f).astype(I64) + z


def dequantize_linear(q, s, z):
    """f32(q - z) * s"""
    return (np.asarray(q, I64) - np.asarray(z, I64)).astype(F) * np.asarray(s, F)


def ort_matmul_int_to_float(acc, sx, sw, bias=None, fma=False):
    """MatMulIntegerToFloat / DynamicQuantizeMatMul tail: f32(acc) * f32(sx*sw), then + bias.
    x86: multiply rounds, then add rounds.  fma=True (ARM64 NEON): one fused rounding."""
    a = np.asarray(acc).astype(I32).astype(F)
    s = (F(sx) * np.asarray(sw, F)).astype(F)
    if bias is None:
        return a * s
    if fma:                       # product of two f32 is exact in long double
        return (a.astype(np.longdouble) * s + np.asarray(bias, F)).astype(F)
    return (a * s + np.asarray(bias, F)).astype(F)


def ort_dynamic_quant_params(x):
    """DynamicQuantizeLinear to uint8: returns (scale f32, zero point)."""
    mn = min(F(np.min(x)), F(0))
    mx = max(F(np.max(x)), F(0))
    s = F(1) if mx == mn else (F(mx) - F(mn)) / F(255)
    z = F(0) - F(mn) / s
    z = min(max(z, F(0)), F(255))
    return F(s), int(np.rint(z))


# ------------------------------------------------------------- XNNPACK (x86, qs8)
def xnn_bound(v, sy, zy, lo, hi):
    """fused min/max -> quantized bound: f32(v/sy)+f32(zy), clamp, half to even"""
    if np.isinf(v):
        return lo if v < 0 else hi
    f = F(v) / F(sy) + F(zy)
    return int(np.rint(min(max(f, F(lo)), F(hi))))


def act_float_range(act):
    return {None: (-np.inf, np.inf), 'relu': (0., np.inf), 'relu6': (0., 6.),
            'relu_n1_to_1': (-1., 1.)}[act]


def xnnpack_fc(xq, zx, sx, wq, sw, bq, zy, sy, act=None, out=INT8, zw=0, acc=acc_exact):
    """XNNPACK qs8/qc8w fully connected (fp32 requantization)."""
    vmin, vmax = act_float_range(act)
    lo, hi = xnn_bound(vmin, sy, zy, *out), xnn_bound(vmax, sy, zy, *out)
    return requant_f32(acc(xq, zx, wq, zw, bq), scale_f32(sx, sw, sy), zy, lo, hi)


# ------------------------------------------------------ gemmlowp / TFLite / CMSIS
def round_half_away(v):
    v = np.asarray(v, D)
    a = np.abs(v)
    f = np.floor(a)
    return np.copysign(f + (a - f >= 0.5), v)


def quantize_multiplier(d, single=False):
    """double -> (int32 mantissa in [2^30,2^31), exponent): d ~= m * 2^(e-31)"""
    d = float(d)
    if d == 0.0:
        return 0, 0
    q, e = np.frexp(d)
    e = int(e)
    f = float(q) * 2147483648.0            # exact in double
    m = int(np.floor(f))                    # f > 0: half away == half up
    if f - m >= 0.5:
        m += 1
    if m == 1 << 31:
        m >>= 1
        e += 1
    if e < -31:
        return 0, 0
    if single and e > 30:
        return (1 << 31) - 1, 30
    return m, e


def srdhm(a, b):
    """SaturatingRoundingDoublingHighMul: (a*b + 2^30) >> 31, ties toward +inf.
    The only saturating case a==b==-2^31 cannot occur with m>0."""
    return (np.asarray(a, I64) * np.asarray(b, I64) + (1 << 30)) >> 31


def rdivpot(x, n):
    """RoundingDivideByPOT: ties away from zero"""
    x = np.asarray(x, I64)
    mask = (I64(1) << n) - 1
    thr = (mask >> 1) + (x < 0)
    return (x >> n) + ((x & mask) > thr)


def mbqm_double(x, m, e):
    """two roundings: gemmlowp, TFLite reference + gemmlowp backend, TFLM, CMSIS-NN default"""
    e = np.asarray(e, I64)
    left, right = np.maximum(e, 0), np.maximum(-e, 0)
    return rdivpot(wrap32(srdhm(wrap32(np.asarray(x, I64) << left), m)), right)


def mbqm_double_up(x, m, e):
    """srdhm, then rounding right shift with ties toward +inf (not away from zero): two roundings,
    differs from gemmlowp only on negative second-step ties.  ruy AVX/AVX2/AVX512 kernels and
    TFLite's custom GEMV (vqrdmulh + vrshl)."""
    e = np.asarray(e, I64)
    left, right = np.maximum(e, 0), np.maximum(-e, 0)
    t = wrap32(srdhm(wrap32(np.asarray(x, I64) << left), m))
    nudge = np.where(right > 0, I64(1) << np.maximum(right - 1, 0), 0)
    return (t + nudge) >> right


def mbqm_single(x, m, e):
    """one rounding, ties toward +inf: ruy NEON (sqdmulh+srshl) and ruy portable C++,
    TFLITE_SINGLE_ROUNDING, CMSIS_NN_USE_SINGLE_ROUNDING"""
    t = 31 - np.asarray(e, I64)
    return wrap32((np.asarray(x, I64) * np.asarray(m, I64) + (I64(1) << (t - 1))) >> t)


def tfl_bound(v, sy, zy):
    """zy + int(round_half_away(f32(v/sy)))"""
    return int(zy) + int(round_half_away(F(v) / F(sy)))


def tfl_act_range(act, sy, zy, lo, hi):
    if act == 'relu':
        return max(lo, tfl_bound(0., sy, zy)), hi
    if act == 'relu6':
        return max(lo, tfl_bound(0., sy, zy)), min(hi, tfl_bound(6., sy, zy))
    if act == 'relu_n1_to_1':
        return max(lo, tfl_bound(-1., sy, zy)), min(hi, tfl_bound(1., sy, zy))
    return lo, hi


def tfl_multipliers(sx, sw, sy, single=False, of_doubles=False):
    """per tensor: double(f32(sx*sw))/double(sy); per channel (len>1), and of_doubles (TFLM): double(sx)*double(sw[i])/double(sy)"""
    sw = np.asarray(sw, F)
    if sw.size == 1 and not of_doubles:
        ds = [D(F(sx) * F(sw.reshape(-1)[0])) / D(F(sy))]
    else:
        ds = [D(F(sx)) * D(s) / D(F(sy)) for s in sw.reshape(-1)]
    me = [quantize_multiplier(d, single) for d in ds]
    return np.array([a for a, _ in me], I64), np.array([b for _, b in me], I64)


def tflite_fc(xq, zx, sx, wq, sw, bq, zy, sy, act=None, out=INT8, zw=0, rounding='double_up', acc=acc_exact, of_doubles=False):
    """TFLite/LiteRT FULLY_CONNECTED int8 without XNNPACK.
    rounding: 'double'  gemmlowp double rounding: BUILTIN_REF of TF<=2.x / tflite_runtime 2.14, TFLM
              'double_up' / 'single'  optimized kernels, see tflite_opt_rounding()
              'float64' BUILTIN_REF of LiteRT 2.x"""
    lo, hi = tfl_act_range(act, sy, zy, *out)
    acc = acc(xq, zx, wq, zw, bq)
    if rounding == 'float64':
        eff = D(F(sx)) * np.asarray(sw, F).astype(D) / D(F(sy))
        v = round_half_away(acc.astype(D) * eff).astype(I64)
    else:
        m, e = tfl_multipliers(sx, sw, sy, rounding == 'single', of_doubles)
        v = {'double': mbqm_double, 'single': mbqm_single, 'double_up': mbqm_double_up}[rounding](acc, m, e)
    return np.minimum(np.maximum(v + zy, lo), hi)


def tflite_opt_rounding(M, Kd, N, cpu):
    """which rounding TFLite's optimized (non-XNNPACK) int8 kernel uses; cpu 'avx', 'sse' or 'arm'"""
    gemv = M == 1 and N >= 4 and Kd >= 8
    return 'double_up' if cpu == 'avx' or gemv else 'single'


def cmsis_fc_s8(xq, zx, wq, bq, zy, m, e, lo=-128, hi=127, single=False, zw=0):
    """CMSIS-NN arm_fully_connected_s8 / _per_channel_s8: takes multiplier and shift ready made."""
    acc = acc_exact(xq, zx, wq, zw, bq)
    v = (mbqm_single if single else mbqm_double)(acc, m, e) + zy
    return np.minimum(np.maximum(v, lo), hi)


# ---------------------------------------------------------------- naive scripts
def bias_int(b, sx, sw, dtype=F):
    """round half to even of b/(sx*sw) computed in dtype"""
    return np.rint(np.asarray(b, dtype) / (dtype(sx) * np.asarray(sw, dtype))).astype(I64)


def naive_f64(acc, sx, sw, sy, zy, lo, hi, order='mul_div', prod32=False):
    """acc int32 times scales in float64 (what numpy does for int32 array * float scalar).
    order 'mul_div' : rint(acc*(sx*sw)/sy);  'premul': rint(acc*(sx*sw/sy)).
    prod32: scalar factors are np.float32 objects, so sx*sw (and M) is rounded to f32 first.
    add: + zy after rounding; clip last."""
    T = F if prod32 else D
    p = (T(sx) * np.asarray(sw, T)).astype(T)
    a = np.asarray(acc, D)
    f = a * p.astype(D) / D(T(sy)) if order == 'mul_div' else a * (p / T(sy)).astype(D)
    return np.clip(np.rint(f) + zy, lo, hi).astype(I64)


def naive_f32(acc, sx, sw, sy, zy, lo, hi, order='mul_div', zp_before_round=False):
    """the same with everything float32 (acc cast to f32 first)"""
    p = (F(sx) * np.asarray(sw, F)).astype(F)
    a = np.asarray(acc).astype(F)
    f = a * p / F(sy) if order == 'mul_div' else a * (p / F(sy)).astype(F)
    if zp_before_round:
        return np.clip(np.rint(f + F(zy)), lo, hi).astype(I64)
    return np.clip(np.rint(f) + F(zy), lo, hi).astype(I64)


# ------------------------------------------------------------- dynamic layers of a script
def script_quant_params(lo, hi, reduce_range, dtype):
    """The range with 0 over 0..255 (0..127), in Python floats or np.float32."""
    levels = dtype(127 if reduce_range else 255)
    lo, hi = dtype(min(F(lo), F(0))), dtype(max(F(hi), F(0)))
    s = (hi - lo) / levels
    if F(s) == 0:
        s = dtype(1)
    return s, int(np.rint(np.clip(-lo / s, 0, levels)))


def script_dynamic(x, w, zw, sw, b, relu, reduce_range, dtype):
    """dtype: float (float64 but for x / s, which numpy divides in float32) or np.float32."""
    s, zp = script_quant_params(x.min(), x.max(), reduce_range, dtype)
    q = np.clip(np.rint(x / F(s)) + zp, 0, 255).astype(np.int64)
    acc = (q - zp) @ (w.astype(np.int64) - np.reshape(np.asarray(zw, np.int64), (-1, 1))).T
    y = acc.astype(np.dtype(dtype)) * (s * np.asarray(sw, np.dtype(dtype)))
    y = y if b is None else y + b
    return np.maximum(y.astype(F), F(0)) if relu else y.astype(F)
