"""numpy models of PyTorch's quantized convolutions on a CPU, bit by bit; verified against the real runtimes (fixtures/kernels/README.md).

Written from the sources and from what the kernels were seen to do, before qdiff and without it: that is why it may judge qdiff.

  x_u8 [N,C,*S]   w_s8 [OC,C/G,*K] (transposed: [C,OC/G,*K])   1, 2 or 3 spatial dimensions
  stride, pad, dil, outpad: tuples, one entry a spatial dimension      result uint8 [N,OC,*O]
Scales, zero points, bias as in torch_kernels.py.  A row is one output position, its K axis is
(kd,kh,kw,ic): ic runs fastest.
"""
import numpy as np
from torch_kernels import (f32, fma32, rne_i32, sat16, wrap32, pack_u8, is_per_channel, qnnpack_qbias,
                           choose_qparams, quantize_vec, _recip2)


# ----------------------------------------------------------------- geometry
def _taps(n, k, st, p, d, op, transposed):
    """for every output position and tap along one axis: (input index, inside the image?)"""
    t = np.arange(k) * d
    if not transposed:
        o = (n + 2 * p - d * (k - 1) - 1) // st + 1
        i = np.arange(o)[:, None] * st - p + t
        return i, (i >= 0) & (i < n)
    o = (n - 1) * st - 2 * p + d * (k - 1) + op + 1
    v = np.arange(o)[:, None] + p - t
    i = v // st
    return i, (v % st == 0) & (i >= 0) & (i < n)


def patches(x, fill, k, st, pad, dil, outpad=None, transposed=False):
    """-> raw u8 [N, O, T, C] (fill outside the image and in a transposed conv's holes), inside [O, T], out shape"""
    nd = len(k)
    ax = [_taps(x.shape[2 + a], k[a], st[a], pad[a], dil[a], (outpad or (0,) * nd)[a], transposed) for a in range(nd)]
    xs = np.moveaxis(x, 1, -1)
    idx, ok = [], True
    for a, (i, v) in enumerate(ax):
        sh = [1] * (2 * nd)
        sh[a], sh[nd + a] = v.shape
        idx.append(np.where(v, i, 0).reshape(sh))
        ok = ok & v.reshape(sh)
    P = xs[(slice(None),) + tuple(np.broadcast_arrays(*idx))]            # N, O..., K..., C
    O, T = tuple(ok.shape[:nd]), int(np.prod(k))
    ok = ok.reshape(int(np.prod(O)), T)
    P = np.where(ok[None, :, :, None], P.reshape(x.shape[0], ok.shape[0], T, x.shape[1]), np.uint8(fill))
    return P, ok, O


def weight_rows(w, G, transposed):
    """-> [G, OC/G, T, IC/G]; a transposed conv's kernel is NOT flipped"""
    if transposed:
        w = w.reshape((G, w.shape[0] // G) + w.shape[1:]).swapaxes(1, 2)
    else:
        w = w.reshape((G, w.shape[0] // G) + w.shape[1:])
    g, o, i = w.shape[:3]
    return np.moveaxis(w.reshape(g, o, i, -1), 2, 3)


# ----------------------------------------------------------------- accumulators ([M,K] rows x [N,K] weights)
def dot_exact(X, W):
    return np.rint(X.astype(np.float64) @ W.T.astype(np.float64)).astype(np.int64)


def dot_sat16(X, W):
    """pairs k = (0,1),(2,3),... saturate at int16 (VPMADDUBSW); a lone last k never does"""
    X, W = X.astype(np.int64), W.astype(np.int64)
    out = np.zeros((X.shape[0], W.shape[0]), np.int64)
    for k in range(0, X.shape[1], 2):
        out += sat16(X[:, k:k + 2] @ W[:, k:k + 2].T)
    return out


def per_tap(A):
    """[R, T, C] -> [R, T*C'], every tap padded with zeros to even C': pairs never cross a tap"""
    if A.shape[2] % 2:
        A = np.concatenate([A, np.zeros(A.shape[:2] + (1,), A.dtype)], 2)
    return A.reshape(A.shape[0], -1)


def flat(A):
    return A.reshape(A.shape[0], -1)


def conv_acc(P, Wr, zp_x, zp_w, sat, order=flat, ok=None, rowsum_max=None):
    """int32 accumulators [N, O, OC].  sat False: exact.  order: how (tap, ic) become k.
    ok: taps to leave out altogether (direct conv), instead of multiplying the fill value."""
    N, O, T, C = P.shape
    G, ocg = Wr.shape[:2]
    icg = C // G
    out = []
    zw_all = np.broadcast_to(np.asarray(zp_w, np.int64), (G * ocg,)).reshape(G, ocg)
    for g in range(G):
        A = P[..., g * icg:(g + 1) * icg].reshape(N * O, T, icg)
        W = Wr[g]
        if ok is not None:
            A = A * ok[None, :, :, None].repeat(N, 0).reshape(N * O, T, 1)
        raw = dot_sat16(order(A), order(W)) if sat else dot_exact(flat(A), flat(W))
        rs = A.astype(np.int64).sum((1, 2))
        if rowsum_max is not None:
            rs = np.minimum(rs, rowsum_max)
        if ok is None:
            col = W.astype(np.int64).sum((1, 2)) - zw_all[g] * T * icg
            corr = int(zp_x) * col[None, :]
        else:
            cw = W.astype(np.int64).sum(2) - zw_all[g][:, None] * icg                 # [ocg, T]
            corr = int(zp_x) * np.tile(ok.astype(np.int64) @ cw.T, (N, 1))
        out.append(raw - corr - rs[:, None] * zw_all[g][None, :])
    return wrap32(np.stack(out, 1).reshape(N, O, G * ocg))


def nchw(y, O):
    N, _, C = y.shape
    return np.moveaxis(y, 1, 2).reshape((N, C) + O)


# ----------------------------------------------------------------- FBGEMM
def fbgemm_groups_together(ic, oc, avx512):
    """the groupwise kernel writes out of bounds (wrong results, crashes) unless G is a multiple of this"""
    return max((64 if avx512 else 32) // oc // max(ic, 4), 1)


def fbgemm_path(w_shape, G, st, pad, dil, transposed, avx512):
    """Which kernel.  A 1-d conv is a 2-d conv with kernel (1,k)."""
    k = tuple(w_shape[2:])
    IC, OC = (w_shape[0], w_shape[1] * G) if transposed else (w_shape[1] * G, w_shape[0])
    if len(k) == 1:
        k, st, pad, dil = (1,) + k, (1,) + tuple(st), (0,) + tuple(pad), (1,) + tuple(dil)
    nd, one = len(k), all(d == 1 for d in dil)
    if (not transposed and G == IC and OC in (G, 2 * G) and G % 8 == 0 and all(s in (1, 2) for s in st)
            and k[-1] == k[-2] and all(a in (3, 5, 7) for a in k) and one
            and all(p == (a - 1) // 2 for p, a in zip(pad, k))):
        return "depthwise"
    ic, oc = IC // G, OC // G
    together = fbgemm_groups_together(ic, oc, avx512)
    if (not transposed and ic == oc and ic in (2, 4, 8, 16) and G >= together and all(a == 3 for a in k)
            and all(p == 1 for p in pad) and one and st[-1] == st[-2] and st[-1] in (1, 2)):
        return "groupwise"
    if not transposed and all(a == 1 for a in k + tuple(st) + tuple(dil)) and not any(pad):
        return "pointwise"
    if (transposed and G == 1 and IC % 8 == 0 and OC % 8 == 0 and nd == 2 and all(s in (1, 2) for s in st)
            and k[0] == 2 and k[1] <= 6 and one and not any(pad)):
        return "direct"
    return "im2col"


def fbgemm_requant(acc, s_x, s_w, bias, s_y, zp_y, relu, fma=True):
    """acc [N,O,OC]; the same operations as fbgemm_linear"""
    aw = f32(s_x) * np.asarray(s_w, f32)
    v = acc.astype(f32)
    if bias is not None:
        b = np.asarray(bias, f32)
        if is_per_channel(s_w):
            v = v + b / aw
        else:
            v = fma32(b, f32(1) / aw, v) if fma else v + b * (f32(1) / aw)
    return pack_u8(rne_i32(v * (aw / f32(s_y))), zp_y, lo=int(zp_y) if relu else 0)


def fbgemm_conv(x, zp_x, s_x, w, zp_w, s_w, bias, s_y, zp_y, relu, G=1, st=(1, 1), pad=(0, 0), dil=(1, 1),
                outpad=None, transposed=False, isa="vnni", cpu=None, fma=True, path=None):
    """isa: what FBGEMM_ENABLE_INSTRUCTIONS, or else the CPU, allows: "vnni" (AVX512-VNNI), "avx512", "avx2".
    cpu: the CPU itself (default isa) - the choice of kernel and the groupwise kernel look at nothing else."""
    cpu = cpu or isa
    path = path or fbgemm_path(w.shape, G, st, pad, dil, transposed, cpu != "avx2")
    if path == "direct":
        return fbgemm_direct(x, zp_x, s_x, w, zp_w, s_w, bias, s_y, zp_y, relu, st)
    P, ok, O = patches(x, zp_x, w.shape[2:], st, pad, dil, outpad, transposed)
    Wr = weight_rows(w, G, transposed)
    sat = path == "depthwise" or (cpu if path == "groupwise" else isa) != "vnni"
    acc = conv_acc(P, Wr, zp_x, zp_w, sat, rowsum_max=32767 if path == "depthwise" else None)
    return nchw(fbgemm_requant(acc, s_x, s_w, bias, s_y, zp_y, relu, fma), O)


# ----------------------------------------------------------------- QNNPACK
def qnnpack_conv(x, zp_x, s_x, w, zp_w, s_w, bias, s_y, zp_y, relu, G=1, st=(1, 1), pad=(0, 0), dil=(1, 1),
                 outpad=None, transposed=False):
    P, ok, O = patches(x, zp_x, w.shape[2:], st, pad, dil, outpad, transposed)
    acc = conv_acc(P, weight_rows(w, G, transposed), zp_x, zp_w, False)
    if bias is not None:
        acc = wrap32(acc + qnnpack_qbias(bias, s_x, s_w))
    mult = (np.asarray(s_w, f32) * f32(s_x)) * (f32(1) / f32(s_y))
    v = acc.astype(f32)
    if G == w.shape[0] and w.shape[1:] == (1, 3, 3, 3) and G > 1 and not transposed:
        q = np.rint(acc.astype(np.float64) * mult.astype(np.float64))   # the 3-d depthwise kernel multiplies in double
        q = np.where(np.abs(q) < 2.0 ** 31, q, -2.0 ** 31).astype(np.int64)
    else:
        q = rne_i32(v * mult)
    return nchw(pack_u8(q, zp_y, lo=int(zp_y) if relu else 0), O)


# ----------------------------------------------------------------- FBGEMM direct kernel (transposed, kernel height 2)
def fbgemm_direct(x, zp_x, s_x, w, zp_w, s_w, bias, s_y, zp_y, relu, st):
    """What engine fbgemm really returns for image 0: the kernel takes the height stride as 1 (rows past
    IH+1 stay 0) while the zero-point term uses the true one.  Images 1.. are uninitialised memory."""
    k = w.shape[2:]
    _, ok, O = patches(x[:1], zp_x, k, st, (0, 0), (1, 1), None, True)
    P1, ok1, _ = patches(x[:1], zp_x, k, (1, st[1]), (0, 0), (1, 1), None, True)
    Wr = weight_rows(w, 1, True)
    acc = np.zeros((1, ok.shape[0], w.shape[1]), np.int64)
    part = conv_acc(P1, Wr, 0, zp_w, True, ok=ok1)
    acc[:, :part.shape[1]] = part
    cw = Wr[0].astype(np.int64).sum(2) - int(zp_w) * w.shape[0]
    acc = wrap32(acc - int(zp_x) * (ok.astype(np.int64) @ cw.T))
    return nchw(fbgemm_requant(acc, s_x, s_w, bias, s_y, zp_y, relu), O)


# ----------------------------------------------------------------- oneDNN
def row_wi(k):
    """pairs along (kw,ic) inside one kernel row, every row padded to even"""
    return lambda A: per_tap(A.reshape(A.shape[0], -1, k[-1] * A.shape[2]))


def whi(k):
    """k = (kw,kh,ic): brgemm's "relo" of single-channel inputs"""
    return lambda A: flat(A.reshape(A.shape[0], k[-2], k[-1], -1).swapaxes(1, 2))


def onednn_guess(isa, w_shape, G, out, dil, transposed=False):
    """the likely implementation where ONEDNN_VERBOSE was not at hand """
    ic, oc = (w_shape[0] // G, w_shape[1]) if transposed else (w_shape[1], w_shape[0] // G)
    dw, odd, k = G > 1 and ic == oc == 1, ic % 4 or oc % 4, w_shape[2:]
    if transposed and G > 1 and odd and not dw:
        return "conv:any+gemm"
    if isa in ("avx2", "sse41"):
        return "ref:any" if not transposed and G > 1 and odd and not (dw and len(k) < 3) else "jit_uni_int8"
    if transposed:
        return "jit_deconvolution"
    if isa == "avx512" and (dw or ic == 1 and G > 1 and len(k) == 2 and k[0] == 1):
        return "gemm" if len(k) == 3 or not dw else "jit_int8"
    return "brgconv_amx" if isa == "amx" and not dw else "brgconv"


def onednn_kernel(isa, w_shape, G, out, dil, transposed=False, vbmi=True, impl=None):
    """(sat, order, scaling).  isa: "amx", "vnni" (both exact), "avx512" (ONEDNN_MAX_CPU_ISA=AVX512_CORE), "avx2",
    "sse41".  impl: the name that ONEDNN_VERBOSE=1 prints; without it, onednn_guess().  out: output's spatial shape."""
    impl = impl or onednn_guess(isa, w_shape, G, out, dil, transposed)
    sat = isa not in ("amx", "vnni")
    if "conv:any" in impl:                                          # transposed as gemm
        return sat, per_tap, "ref"
    if "gemm" in impl:
        return sat, flat, "product"
    if "ref:any" in impl:
        return False, flat, "ref"
    if "uni" in impl:
        return sat, per_tap, "product"
    if "amx" in impl and "deconv" not in impl:
        return sat, per_tap, "product"                              # or "sequential"
    k, d = ((1,) + tuple(w_shape[2:]), (1,) + tuple(dil)) if len(w_shape) == 3 else (w_shape[2:], dil)
    if sat and vbmi and "brg" in impl and "1x1" not in impl and w_shape[1] == 1 and not transposed and d[-1] == 1:
        if len(k) == 2 and k[0] > 1 and out[-1] > 4 and d[0] == 1:
            return True, whi(k), "sequential"
        if k[-1] > 1:
            return True, row_wi(k), "sequential"
    return sat, per_tap, "sequential"


def onednn_requant(acc, s_x, s_w, bias, s_y, zp_y, relu, scaling="product", given=False, post=None, f32_out=False):
    """s_x and s_y pass through two reciprocals, weight scales do not (given=True: none does)."""
    rx, ry = (f32(s_x), f32(s_y)) if given else (_recip2(s_x), _recip2(s_y))
    sw = np.asarray(s_w, np.float64).astype(f32)
    v = acc.astype(f32)
    v = v * (rx * sw) if scaling == "product" else (v * rx) * sw
    if bias is not None:
        v = v + np.asarray(bias, f32)
    if post is not None:
        v = post(v)
    if relu:
        v = np.maximum(v, f32(0))
    if f32_out:
        return v
    v = (v / ry if scaling == "ref" else v * (f32(1) / ry)) + f32(zp_y)
    return rne_i32(np.minimum(np.maximum(v, f32(0)), f32(255))).astype(np.uint8)


def scrambled(w, G):
    """The weights a oneDNN ConvTranspose of torch 2.13.0 really uses: wrong wherever IC/G != OC/G."""
    g = (G, w.shape[0] // G, w.shape[1])
    k = w.shape[2:]
    A = np.ascontiguousarray(w).reshape((G, g[2], g[1]) + k)              # memory [g,i,o] read as [g,o,i]
    A = np.ascontiguousarray(A.swapaxes(1, 2)).reshape((G, g[2], g[1]) + k)
    return np.ascontiguousarray(A.swapaxes(1, 2)).reshape(w.shape)


def onednn_acc(x, zp_x, w, G=1, st=(1, 1), pad=(0, 0), dil=(1, 1), outpad=None, transposed=False, sat=False, order=per_tap):
    """padding (and a transposed conv's holes) are left out of the sum, not filled with zp_x"""
    P, ok, O = patches(x, 0, w.shape[2:], st, pad, dil, outpad, transposed)
    return conv_acc(P, weight_rows(scrambled(w, G) if transposed else w, G, transposed), zp_x, 0, sat, order, ok), O


def onednn_conv(x, zp_x, s_x, w, zp_w, s_w, bias, s_y, zp_y, relu, sat=False, order=per_tap, scaling="product", **geom):
    acc, O = onednn_acc(x, zp_x, w, sat=sat, order=order, **geom)
    return nchw(onednn_requant(acc, s_x, s_w, bias, s_y, zp_y, relu, scaling), O)


def _join(d, S, v, fma):
    return fma32(d, S, v) if fma else v + d * S


def onednn_conv_add(x, zp_x, s_x, w, zp_w, s_w, bias, s_y, zp_y, relu, accum, zp_a, s_a, sat=False, order=per_tap,
                    scaling="product", fma=True, **geom):
    """quantized::conv2d_add(_relu): the other addend joins by one FMA (fma=False: sse41), before ReLU and requantization"""
    acc, O = onednn_acc(x, zp_x, w, sat=sat, order=order, **geom)
    d = (np.moveaxis(accum.reshape(accum.shape[:2] + (-1,)), 1, 2).astype(np.int64) - int(zp_a)).astype(f32)
    S = f32(1.0 / np.float64(f32(1.0 / np.float64(f32(s_a)))))
    return nchw(onednn_requant(acc, s_x, s_w, bias, s_y, zp_y, relu, scaling, post=lambda v: _join(d, S, v, fma)), O)


def logistic(v):
    """jit_uni_eltwise_injector: exp of -|v| by 2^n and a polynomial, one rounding each; 1 - y on the other side"""
    bits = lambda word: np.uint32(word).view(f32)
    x = -np.abs(v)
    n = np.floor(x * bits(0x3fb8aa3b) + f32(.5))
    r = fma32(-n, bits(0x3f317218), x)
    y = np.full_like(r, bits(0x3c07cfce))
    for word in (0x3d2b9d0d, 0x3e2aad40, 0x3efffee3, 0x3f7ffffb, 0x3f800000):
        y = fma32(y, r, bits(word))
    e = np.where(x < bits(0xc2aeac50), f32(0), (y * np.ldexp(f32(1), (n - 1).astype(int))) * f32(2))
    y = e / (e + f32(1))
    return np.where(np.signbit(v), y, f32(1) - y)


THIRTYSECONDS = np.float64([2.0 ** (i / 32) for i in range(32)])


def expf(x):
    """glibc: 2^(n/32) and a polynomial of degree 3, in double"""
    z = np.float64(x) * (32 / np.log(2))
    n = np.rint(z)
    r = z - n
    c = np.float64([0.05550361559341535, 0.2402284522445722, 0.6931471806916203]) / np.float64([32 ** 3, 32 ** 2, 32])
    n = n.astype(int)
    return (((c[0] * r + c[1]) * r * r + c[2] * r + 1) * np.ldexp(THIRTYSECONDS[n % 32], n // 32)).astype(f32)


POINTWISE = {"swish": lambda v, s: v * logistic(v), "swish-ref": lambda v, s: v * (f32(1) / (f32(1) + expf(-v))), "none": lambda v, s: v, "relu": lambda v, s: np.maximum(v, f32(0)),
             "hardtanh": lambda v, s: np.minimum(np.maximum(v, f32(s[0])), f32(s[1])),
             "hardswish": lambda v, s: v * np.minimum(np.maximum(v * f32(1 / 6) + f32(.5), f32(0)), f32(1))}


def onednn_qconv_pointwise(x, zp_x, s_x, w, s_w, bias, s_y, zp_y, attr="none", scalars=(), accum=None, zp_a=0, s_a=1.0,
                           relu=False, sat=False, order=per_tap, scaling="product", fma=True, f32_out=False, **geom):
    """torch.ops.onednn.qconv*_pointwise (PT2E, Inductor): scales as given; accum: the .binary form, "sum" """
    acc, O = onednn_acc(x, zp_x, w, sat=sat, order=order, **geom)
    if accum is None:
        post = lambda v: POINTWISE[attr](v, scalars)
    else:
        d = (np.moveaxis(accum.reshape(accum.shape[:2] + (-1,)), 1, 2).astype(np.float64) - int(zp_a)).astype(f32)
        post = lambda v: _join(d, f32(s_a), v, fma)
    return nchw(onednn_requant(acc, s_x, s_w, bias, s_y, zp_y, relu, scaling, True, post, f32_out), O)


# ----------------------------------------------------------------- engine x86, dynamic
def x86_uses_onednn(cpu_has_avx512_vnni, G, zp_w, outpad=None):
    """decided at packing, from the CPU (no environment variable changes it)"""
    return bool(cpu_has_avx512_vnni and G <= 100 and not np.any(np.asarray(zp_w)) and not any(outpad or ()))


def conv_dynamic(conv, x_f32, w, zp_w, s_w, bias, reduce_range, engine="fbgemm", **kw):
    """x quantized over the whole tensor, the STATIC conv with the INPUT's scale and zero point as its
    output's (so the result is clipped to the input's range), dequantized.  No dynamic ReLU exists."""
    s, zp = choose_qparams(x_f32.min(), x_f32.max(), reduce_range and engine != "qnnpack")
    q = conv(quantize_vec(x_f32, s, zp), zp, s, w, zp_w, s_w, bias, s, zp, False, **kw)
    return f32(s) * (q.astype(np.int64) - zp).astype(f32)
