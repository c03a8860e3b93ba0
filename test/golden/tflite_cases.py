"""Golden vectors of TFLite's four runtimes, every operator: inputs from a counter and SHA-256 of what oracle/tflite_ops.py makes of them.
usage: python test/golden/tflite_cases.py [--check]     writes fixtures/tflite-ops/cases.json (numpy)
Codes and floats are hashes of their index (`codes`, `floats` below; test/kernels/tflite.test.ts draws the same), so that 100,000
values a case take no room. Of each case also its first values, to look at."""
import hashlib, json, os, sys
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, 'oracle'))
import numpy as np
import tflite_ops as T
from tflite_ops import Q, F, I64, RANGE

OUT = os.path.join(HERE, '..', '..', 'fixtures', 'tflite-ops', 'cases.json')
KERNELS = {'ref': 'tflite-reference', 'opt': 'tflite-builtin', 'xnn': 'xnnpack', 'tflm': 'tflm'}
RELEASES = {'litert23': ('ai-edge-litert', '2.3.0'), 'litert14': ('ai-edge-litert', '1.4.0'), 'litert12': ('ai-edge-litert', '1.2.0'),
            'tf221': ('tensorflow', '2.21.0'), 'rt214': ('tflite-runtime', '2.14.0')}
CPUS = {'avx': 'AVX2', 'sse': 'SSE4.1'}
cases = []


def mixed(seed, n):
    """32-bit hashes of seed + 0 .. seed + n - 1 (Wellons' lowbias32)"""
    x = (np.arange(n, dtype=np.uint64) + np.uint64(seed * 2654435761 % 2 ** 32)) & np.uint64(0xffffffff)
    mask = np.uint64(0xffffffff)
    x = ((x ^ (x >> np.uint64(16))) * np.uint64(0x7feb352d)) & mask
    x = ((x ^ (x >> np.uint64(15))) * np.uint64(0x846ca68b)) & mask
    return x ^ (x >> np.uint64(16))


def codes(seed, shape, lo, hi):
    return (mixed(seed, int(np.prod(shape))) % np.uint64(hi - lo + 1)).astype(I64).reshape(shape) + lo


def floats(seed, shape, size):
    return ((mixed(seed, int(np.prod(shape))).astype(np.float64) / 2 ** 32 - .5) * size).astype(F).reshape(shape)


def value(dtype, s, z):
    return {'dtype': dtype, 'scale': float(F(s)), 'zero_point': z} if dtype != 'float32' else {'dtype': dtype}


def add_case(name, op, kernels, inputs, output, fields, run, samples, weights=None, eras=('litert23',), cpus=('avx',)):
    """inputs: (name, params, shape, seed, range or None); run(kernel, values) -> one sample's output"""
    drawn = []
    for key, params, shape, seed, span in inputs:
        whole = (samples,) + tuple(shape)
        drawn.append(floats(seed, whole, span) if params['dtype'] == 'float32' else codes(seed, whole, *(span or RANGE[params['dtype']])))
    results = []
    for kernel in kernels:
        for era in eras:
            for cpu in cpus:
                T.ERA, T.CPU = T.ERAS[era], cpu
                own = 'opt-portable' if kernel == 'opt' and era == 'rt214' else kernel
                out = np.concatenate([np.asarray(run(own, [d[i:i + 1] for d in drawn])) for i in range(samples)])
                bits = out.astype(F).view(np.int32) if output['dtype'] == 'float32' else out.astype(np.int32)
                results.append({
                    'kernel': KERNELS[kernel], 'framework': RELEASES[era][0], 'framework_version': RELEASES[era][1], 'cpu_capability': CPUS[cpu],
                    'values': int(out.size), 'first': [int(v) for v in bits.reshape(-1)[:4]],
                    'sha256': hashlib.sha256(np.ascontiguousarray(bits.astype('<i4')).tobytes()).hexdigest()})
    T.ERA, T.CPU = T.ERAS['litert23'], 'avx'
    cases.append({
        'name': name, 'samples': samples, 'weights': weights or [],
        'inputs': [{'name': k, **p, 'shape': list(s), 'seed': sd, 'span': sp if np.isscalar(sp) or sp is None else list(sp)} for k, p, s, sd, sp in inputs],
        'layer': {'name': 'y', 'op': op, 'input': [i[0] for i in inputs] if len(inputs) > 1 else inputs[0][0], 'output': output, **fields},
        'results': results})


ALL = ('ref', 'opt', 'xnn', 'tflm')
OLD = ('litert23', 'litert14', 'litert12', 'tf221')


def int_weights(shape, seed):
    return codes(seed, shape, -127, 127)


def scales(seed, n, size):
    return (np.abs(floats(seed, (n,), 1)) * size + size / 4).astype(F)


def convolution(name, dtype, seed, h, w, c, n, kh, kw, stride, padding, kernels, act=None, groups=1, kind='conv2d', bias='int32',
                eras=('litert23',), cpus=('avx',), dilation=(1, 1), power=False, samples=1):
    """weights in TFLite's order; model.json's axes are made here"""
    depth = kind == 'depthwise'
    wide = dtype == 'int16'
    sx, sy = (F(2) ** -5, F(2) ** -2) if power else (F(.037), F(.21))
    if wide:
        sx, sy = F(sx / 256), F(sy / 256)
    zx, zy = (0, 0) if wide else (-7, 3) if dtype == 'int8' else (117, 131)
    k = kh * kw * (1 if depth else c // groups)
    ws = np.full(n, F(2) ** -9) if power else scales(seed, n, .004 / np.sqrt(k) * 3)
    zw = 0
    if dtype == 'uint8':
        ws, zw = ws[:1], 9
    shape = {'conv2d': (n, kh, kw, c // groups), 'depthwise': (1, kh, kw, n), 'transpose': (n, kh, kw, c)}[kind]
    wq = int_weights(shape, seed + 1)
    bq = codes(seed + 2, (n,), -3000, 3000) if bias else None
    x, y = Q(sx, zx), Q(sy, zy)
    if kind == 'transpose':
        oh, ow = (h * stride[0], w * stride[1]) if padding == 'SAME' else ((h - 1) * stride[0] + kh, (w - 1) * stride[1] + kw)
        pads = [max((i - 1) * s + kk - o, 0) for i, s, kk, o in zip((h, w), stride, (kh, kw), (oh, ow))]
    else:
        oh, ow = T.out_size(h, kh, stride[0], dilation[0], padding), T.out_size(w, kw, stride[1], dilation[1], padding)
        pads = [max((o - 1) * s + (kk - 1) * d + 1 - i, 0) if padding == 'SAME' else 0 for i, s, kk, o, d in zip((h, w), stride, (kh, kw), (oh, ow), dilation)]

    def run(kernel, v):
        xq = v[0]
        wz = wq - zw
        if wide:
            f = {'conv2d': lambda: T.conv_acc(xq, 0, wq, bq, stride, dilation, padding, wrap=False),
                 'depthwise': lambda: T.dwconv_acc(xq, 0, wq, bq, n // c, stride, dilation, padding, wrap=False),
                 'transpose': lambda: T.tconv_acc(xq, 0, wq, bq, stride, padding, (oh, ow), wrap=False)}[kind]()
            return T.requant_acc16(f, sx, ws, y, act, bias or 'int64', kernel, use_ruy=groups == 1)
        if kind == 'conv2d':
            return T.conv2d(xq, x, wz, ws, bq, y, stride, dilation, padding, act, kernel, dtype)
        if kind == 'depthwise':
            return T.depthwise(xq, x, wz, ws, bq, y, n // c, stride, dilation, padding, act, kernel, dtype)
        return T.transpose_conv(xq, x, wz, ws, bq, y, (oh, ow), stride, padding, act, kernel, dtype)
    order = {'conv2d': (0, 3, 1, 2), 'depthwise': (3, 0, 1, 2), 'transpose': (3, 0, 1, 2)}[kind]
    fields = {'weight': {'array': 'w'}, 'weight_dtype': 'int8', 'weight_scale': [float(s) for s in ws] if len(ws) > 1 else float(ws[0]), 'weight_zero_point': zw,
              'stride': list(stride), 'padding': [[p // 2, p - p // 2] for p in pads], 'activation': act or 'none', 'shape': [oh, ow, n]}
    weights = [{'key': 'w', 'seed': seed + 1, 'shape': list(shape), 'span': [-127, 127], 'axes': list(order), 'dtype': 'int8'}]
    if bias:
        fields.update(bias={'array': 'b'}, bias_dtype=bias)
        weights.append({'key': 'b', 'seed': seed + 2, 'shape': [n], 'span': [-3000, 3000], 'axes': [0], 'dtype': bias})
    if kind == 'transpose':
        fields['output_padding'] = [o - ((i - 1) * s + kk - p) for i, s, kk, o, p in zip((h, w), stride, (kh, kw), (oh, ow), pads)]
        fields['groups'] = 1
    else:
        fields.update(dilation=list(dilation), groups=c if depth else groups)
    if depth:
        fields['depthwise'] = True
    if padding == 'SAME':
        fields['same'] = True
    op = 'conv_transpose2d' if kind == 'transpose' else 'conv2d'
    add_case(name, op, kernels, [('x', value(dtype, sx, zx), (h, w, c), seed + 3, None)], value(dtype, sy, zy), fields, run, samples, weights, eras, cpus)


def convolutions():
    convolution('conv int8', 'int8', 10, 40, 40, 5, 64, 3, 3, (1, 1), 'SAME', ALL, 'relu6', cpus=('avx', 'sse'))
    convolution('conv int8 ties', 'int8', 20, 40, 40, 3, 64, 3, 2, (1, 1), 'VALID', ALL, power=True)
    convolution('conv int8 dilated, one channel', 'int8', 30, 31, 29, 4, 11, 3, 3, (1, 1), 'SAME', ALL, 'relu', dilation=(2, 1))
    convolution('conv int8 grouped', 'int8', 40, 24, 24, 8, 48, 3, 3, (2, 2), 'SAME', ALL, 'relu_n1_to_1', groups=4)
    convolution('conv int8 kernel below stride', 'int8', 50, 21, 23, 3, 10, 2, 1, (3, 3), 'SAME', ('ref', 'xnn'), eras=OLD)
    convolution('depthwise int8', 'int8', 60, 40, 40, 43, 43, 3, 3, (1, 1), 'SAME', ALL, 'relu', kind='depthwise', eras=('litert23',))
    convolution('depthwise int8 multiplied', 'int8', 70, 30, 30, 7, 21, 3, 3, (2, 1), 'VALID', ALL, kind='depthwise', power=True)
    convolution('depthwise int8 without vectors', 'int8', 80, 20, 20, 12, 12, 3, 3, (1, 1), 'SAME', ('ref', 'opt'), kind='depthwise', eras=('rt214',))
    convolution('transpose int8', 'int8', 90, 10, 10, 6, 29, 3, 4, (2, 2), 'SAME', ALL, kind='transpose', samples=7)
    convolution('transpose int8 valid', 'int8', 95, 9, 8, 5, 13, 2, 3, (3, 2), 'VALID', ALL, kind='transpose', power=True, samples=4)
    convolution('conv uint8', 'uint8', 100, 40, 40, 5, 24, 3, 3, (1, 1), 'SAME', ('ref', 'opt', 'xnn'), 'relu6')
    convolution('conv uint8 without vectors', 'uint8', 105, 20, 20, 5, 24, 3, 3, (1, 1), 'SAME', ('opt',), eras=('rt214',))
    convolution('depthwise uint8', 'uint8', 110, 40, 40, 24, 24, 3, 3, (1, 1), 'SAME', ('ref', 'opt', 'xnn'), kind='depthwise')
    convolution('transpose uint8', 'uint8', 115, 9, 9, 5, 11, 3, 3, (2, 2), 'SAME', ('ref', 'opt', 'xnn'), kind='transpose')
    convolution('transpose uint8 ties', 'uint8', 117, 17, 17, 5, 11, 3, 3, (2, 2), 'SAME', ('ref', 'opt', 'xnn'), kind='transpose', power=True, samples=3)
    convolution('conv 16x8', 'int16', 120, 30, 30, 5, 24, 3, 3, (1, 1), 'SAME', ('ref', 'opt', 'tflm'), 'relu', bias='int64')
    convolution('conv 16x8 without bias', 'int16', 125, 20, 20, 5, 24, 3, 3, (1, 1), 'SAME', ('ref', 'opt', 'tflm'), bias=None)
    convolution('conv 16x8, int32 bias', 'int16', 130, 30, 30, 5, 24, 3, 3, (1, 1), 'SAME', ('ref', 'opt', 'tflm'), bias='int32', power=True, cpus=('avx', 'sse'))
    convolution('depthwise 16x8', 'int16', 140, 30, 30, 8, 24, 3, 3, (1, 1), 'SAME', ('ref', 'opt', 'tflm'), kind='depthwise', bias='int64')
    convolution('transpose 16x8', 'int16', 150, 12, 12, 5, 14, 3, 3, (2, 2), 'SAME', ('ref', 'opt', 'tflm'), kind='transpose', bias='int64')


def fully_connected(name, dtype, seed, m, k, n, kernels, act=None, one=False, zw=0, bias='int32', eras=('litert23',), cpus=('avx',), power=False, samples=1):
    wide = dtype == 'int16'
    sx, sy = (F(2) ** -5, F(2) ** -2) if power else (F(.031), F(.23))
    if wide:
        sx, sy = F(sx / 256), F(sy / 256)
    zx, zy = (0, 0) if wide else (5, -9) if dtype == 'int8' else (100, 140)
    ws = np.full(1 if one else n, F(2) ** -10) if power else scales(seed, 1 if one else n, .02 / np.sqrt(k))
    wq = int_weights((n, k), seed + 1)
    bq = codes(seed + 2, (n,), -4000, 4000) if bias else None
    x, y = Q(sx, zx), Q(sy, zy)

    def run(kernel, v):
        xq = v[0].reshape(-1, k)
        if wide:
            acc = xq @ wq.T + (0 if bq is None else bq)
            return T.fc16(acc, sx, ws, y, act, bias, kernel).reshape(v[0].shape[:-1] + (n,))
        return T.fully_connected(xq, x, wq, ws, bq, y, act, kernel, zw, out=dtype).reshape(v[0].shape[:-1] + (n,))
    fields = {'weight': {'array': 'w'}, 'weight_dtype': 'int8', 'weight_scale': float(ws[0]) if one else [float(s) for s in ws], 'weight_zero_point': zw, 'activation': act or 'none'}
    weights = [{'key': 'w', 'seed': seed + 1, 'shape': [n, k], 'span': [-127, 127], 'axes': [0, 1], 'dtype': 'int8'}]
    if bias:
        fields.update(bias={'array': 'b'}, bias_dtype=bias)
        weights.append({'key': 'b', 'seed': seed + 2, 'shape': [n], 'span': [-4000, 4000], 'axes': [0], 'dtype': bias})
    shape = (k,) if m == 1 else (m, k)
    add_case(name, 'linear', kernels, [('x', value(dtype, sx, zx), shape, seed + 3, None)], value(dtype, sy, zy), fields, run, samples, weights, eras, cpus)


def linears():
    everywhere = OLD + ('rt214',)
    fully_connected('linear int8', 'int8', 200, 400, 37, 65, ALL, 'relu', cpus=('avx', 'sse'))
    fully_connected('linear int8, one scale', 'int8', 210, 400, 24, 65, ALL, 'relu6', one=True, power=True)
    fully_connected('linear int8, releases', 'int8', 220, 60, 33, 17, ('ref', 'opt'), one=True, eras=everywhere)
    fully_connected('linear int8, weights with a zero point', 'int8', 230, 60, 33, 17, ('ref', 'opt', 'xnn'), one=True, zw=11, eras=OLD)
    fully_connected('linear int8, one row', 'int8', 240, 1, 40, 9, ('opt',), cpus=('avx', 'sse'), samples=150)
    fully_connected('linear uint8', 'uint8', 250, 300, 24, 40, ('ref', 'opt', 'xnn'), one=True, zw=13, samples=2)
    fully_connected('linear uint8 without vectors', 'uint8', 255, 30, 24, 40, ('opt',), one=True, zw=13, eras=('rt214',))
    for seed, bias in ((260, 'int64'), (270, 'int32'), (280, None)):
        fully_connected(f'linear 16x8, {bias or "no"} bias', 'int16', seed, 200, 24, 40, ('ref', 'opt', 'tflm'), bias=bias, eras=('litert23',), cpus=('avx', 'sse'))
        fully_connected(f'linear 16x8, {bias or "no"} bias, releases', 'int16', seed + 4, 50, 24, 20, ('ref',), one=True, bias=bias, eras=everywhere)


def params(dtype, seed, power=False):
    """some scale and zero point"""
    h = [float(v) / 2 ** 32 for v in mixed(seed, 4)]
    s = F(2) ** -(4 + int(h[0] * 4)) if power else F(.01 + .05 * h[0])
    lo, hi = RANGE[dtype]
    z = 0 if dtype == 'int16' else lo + 60 + int(h[1] * 130)
    return F(s / (256 if dtype == 'int16' else 1)), z


def binary():
    shape, one = (24, 24, 21), (21,)
    for op, seed in (('add', 300), ('sub', 340)):
        sign = 1 if op == 'add' else -1
        for dtype, kernels in (('int8', ALL), ('uint8', ('ref', 'opt', 'xnn')), ('int16', ('ref', 'opt', 'tflm'))):
            for act, power, other in ((None, False, shape), ('relu', True, shape), ('relu6', False, one)):
                seed += 1
                (s1, z1), (s2, z2), (sy, zy) = (params(dtype, seed * 10 + i, power) for i in range(3))
                for pot in ((False, True) if dtype == 'int16' else (False,)):
                    sy = F(max(s1, s2, sy)) if pot else sy
                    def run(k, v, a=(s1, z1), b=(s2, z2), y=(sy, zy), dtype=dtype, act=act, sign=sign, pot=pot):
                        if dtype == 'int16':
                            return T.add16(v[0], Q(*a), v[1], Q(*b), Q(*y), act, k, sign, pot)
                        return T.add(v[0], Q(*a), v[1], Q(*b), Q(*y), act, k, dtype, sign)
                    fields = {'activation': act or 'none', **({'pot_scale_int16': pot} if dtype == 'int16' else {})}
                    add_case(f'{op} {dtype}{" powers" if power else ""}{" broadcast" if other is one else ""}{" shifted" if pot else ""}', op, kernels,
                             [('a', value(dtype, s1, z1), shape, seed * 10, None), ('b', value(dtype, s2, z2), other, seed * 10 + 1, None)], value(dtype, sy, zy), fields, run, 3 if act is None else 1)
    for dtype, kernels, seed in (('int8', ALL, 380), ('uint8', ('ref', 'opt', 'xnn'), 390), ('int16', ('ref', 'opt', 'tflm'), 395)):
        for act, power in ((None, False), ('relu6', True)):
            seed += 1
            (s1, z1), (s2, z2), (sy, zy) = (params(dtype, seed * 10 + i, power) for i in range(3))
            run = lambda k, v, a=(s1, z1), b=(s2, z2), y=(sy, zy), dtype=dtype, act=act: T.mul(v[0], Q(*a), v[1], Q(*b), Q(*y), act, k, dtype)
            add_case(f'mul {dtype}{" powers" if power else ""}', 'mul', kernels,
                     [('a', value(dtype, s1, z1), shape, seed * 10, None), ('b', value(dtype, s2, z2), shape, seed * 10 + 1, None)], value(dtype, sy, zy), {'activation': act or 'none'}, run, 4)


def pools():
    for dtype, kernels, seed in (('int8', ALL, 400), ('uint8', ('ref', 'opt', 'xnn'), 410), ('int16', ('ref', 'opt', 'tflm'), 420)):
        s, z = params(dtype, seed)
        own = value(dtype, s, z)
        fields = {'kernel_size': [3, 2], 'stride': [2, 1], 'padding': [[0, 1], [0, 1]], 'activation': 'relu6'}
        add_case(f'max_pool {dtype}', 'max_pool2d', kernels, [('x', own, (30, 31, 25), seed, None)], own, fields,
                 lambda k, v, y=Q(s, z), dtype=dtype: T.max_pool(v[0], y, (3, 2), (2, 1), 'SAME', 'relu6', k, dtype), 9)
        add_case(f'avg_pool {dtype}', 'avg_pool2d', [k for k in kernels if k != 'xnn'], [('x', own, (30, 31, 25), seed + 1, None)], own, {**fields, 'count_include_pad': False, 'activation': 'none'},
                 lambda k, v, y=Q(s, z), dtype=dtype: T.average_pool(v[0], y, (3, 2), (2, 1), 'SAME', None, dtype), 9)


def reductions():
    for dtype, kernels, seed in (('int8', ALL, 450), ('uint8', ('ref', 'opt', 'xnn'), 460), ('int16', ('ref', 'opt', 'tflm'), 470)):
        for axes, keep, shape in (((1, 2), True, (7, 5, 203)), ((1, 2), False, (6, 4, 40)), ((2,), True, (40, 9, 20)), ((3,), False, (20, 20, 13))):
            seed += 1
            (s, z), (sy, zy) = params(dtype, seed * 10), params(dtype, seed * 10 + 1)
            span = None if axes == (3,) else (z - 40, z + 50) if dtype != 'int16' else (-4000, 6000)
            fields = {'dim': list(axes), 'keepdim': keep}
            add_case(f'mean {dtype} {axes}{" kept" if keep else ""}', 'mean', kernels, [('x', value(dtype, s, z), shape, seed, span)], value(dtype, sy, zy), fields,
                     lambda k, v, a=axes, kp=keep, x=Q(s, z), y=Q(sy, zy), d=dtype: T.mean(v[0], x, y, a, kp, k, d), 60, eras=('litert23', 'litert14') if dtype == 'int8' and axes == (3,) else ('litert23', 'rt214') if keep and kernels == ALL and len(axes) > 1 else ('litert23',))
            if axes in ((2,), (3,)):
                for own in kernels:
                    if own == 'ref' and dtype == 'int16':
                        continue
                    add_case(f'sum {dtype} {axes}', 'sum', [own], [('x', value(dtype, s, z), shape, seed, span)], value(dtype, F(sy * 3), zy), fields,
                             lambda k, v, a=axes, kp=keep, x=Q(s, z), y=Q(F(sy * 3), zy), d=dtype: T.sum_(v[0], x, y, a, kp, k, d), 45)


def conversions():
    for dtype, kernels, seed in (('int8', ALL, 500), ('uint8', ('ref', 'opt', 'xnn'), 510), ('int16', ('ref', 'opt', 'tflm'), 520)):
        s, z = params(dtype, seed)
        y = value(dtype, s, z)
        add_case(f'quantize {dtype}', 'quantize', kernels, [('x', {'dtype': 'float32'}, (3, 5, 701), seed, float(s) * (300 if dtype != 'int16' else 70000))], y, {},
                 lambda k, v, q=Q(s, z), d=dtype: T.quantize(v[0], q, k, d), 10, eras=('litert23',))
        add_case(f'dequantize {dtype}', 'dequantize', [k for k in kernels], [('x', y, (3, 5, 701), seed + 2, None)], {'dtype': 'float32'}, {},
                 lambda k, v, q=Q(s, z), d=dtype: T.dequantize(v[0], q, k if d != 'int16' else 'ref'), 10)
    pairs = (('int8', 'int8', ALL, 530), ('uint8', 'int8', ('ref', 'opt', 'tflm'), 540), ('int8', 'uint8', ('ref', 'opt', 'tflm'), 550), ('int16', 'int8', ('ref', 'opt', 'tflm'), 560), ('int8', 'int16', ('ref', 'opt', 'tflm'), 570))
    for a, b, kernels, seed in pairs:
        for power in (False, True):
            seed += 1
            (s, z), (sy, zy) = params(a, seed * 10, power), params(b, seed * 10 + 1, power)
            add_case(f'requantize {a} to {b}{" powers" if power else ""}', 'requantize', kernels, [('x', value(a, s, z), (7, 9, 33), seed, None)], value(b, sy, zy), {},
                     lambda k, v, x=Q(s, z), y=Q(sy, zy), a=a, b=b: T.requantize(v[0], x, y, k, b, a), 25 if kernels == ALL else 5)
    for dtype, seed in (('int8', 580), ('uint8', 585), ('int16', 590)):
        for act in ('relu', 'relu6', 'relu_n1_to_1'):
            seed += 1
            if dtype == 'int16' and act == 'relu_n1_to_1':
                continue
            (s, z), (sy, zy) = params(dtype, seed * 10), params(dtype, seed * 10 + 1)
            kernels = [k for k in ('ref', 'opt', 'tflm') if not (k == 'tflm' and (act == 'relu_n1_to_1' or dtype == 'uint8'))]
            add_case(f'{act} {dtype} rescaling', 'requantize', kernels, [('x', value(dtype, s, z), (7, 9, 33), seed, None)], value(dtype, sy, zy), {'activation': act},
                     lambda k, v, x=Q(s, z), y=Q(sy, zy), a=act, d=dtype: T.relu(v[0], x, y, a, d, k), 5)


def functions():
    for dtype, kernels, seed in (('int8', ALL, 600), ('uint8', ('ref', 'opt', 'xnn'), 620), ('int16', ('ref', 'opt', 'tflm'), 640)):
        for alpha in (.1, -.3, 1.5):
            seed += 1
            (s, z), (sy, zy) = params(dtype, seed * 10), params(dtype, seed * 10 + 1)
            if dtype == 'int16':
                sy = F(s * F(1.37))
            add_case(f'leaky_relu {dtype} {alpha}', 'leaky_relu', kernels, [('x', value(dtype, s, z), (7, 9, 33), seed, None)], value(dtype, sy, zy), {'negative_slope': float(F(alpha))},
                     lambda k, v, x=Q(s, z), y=Q(sy, zy), a=alpha, d=dtype: T.leaky_relu(v[0], x, y, a, k, d), 7, eras=('litert23', 'litert14') if alpha < 0 else ('litert23',))
        if dtype != 'int16':
            for i in range(3):
                seed += 1
                (s, z), (sy, zy) = params(dtype, seed * 10), params(dtype, seed * 10 + 1)
                add_case(f'hardswish {dtype} {i}', 'hardswish', [k for k in kernels if k != 'xnn'], [('x', value(dtype, F(s * (1, 3, .4)[i]), z), (2, 256), seed, None)], value(dtype, F(sy * (1, 3, .4)[i]), zy), {},
                         lambda k, v, x=Q(F(s * (1, 3, .4)[i]), z), y=Q(F(sy * (1, 3, .4)[i]), zy), d=dtype: T.hard_swish(v[0], x, y, d), 70)
                own = [k for k in kernels if not (k == 'tflm' and dtype == 'uint8')]
                for op, f, so, zo in (('sigmoid', T.logistic, F(1 / 256), RANGE[dtype][0]), ('tanh', T.tanh, F(1 / 128), RANGE[dtype][0] + 128)):
                    add_case(f'{op} {dtype} {i}', op, own, [('x', value(dtype, F(s * (1, 3, .4)[i]), z), (2, 256), seed, None)], value(dtype, so, zo), {},
                             lambda k, v, x=Q(F(s * (1, 3, .4)[i]), z), y=Q(so, zo), f=f, d=dtype: f(v[0], x, y, k, d), 35)
        else:
            for i, s in enumerate((F(2) ** -12, F(2) ** -11, F(.00031), F(.0021))):
                for op, f in (('sigmoid', T.logistic16), ('tanh', T.tanh16)):
                    add_case(f'{op} int16 {i}', op, kernels, [('x', value('int16', s, 0), (100, 101), seed * 10 + i, None)], value('int16', F(2) ** -15, 0), {},
                             lambda k, v, x=Q(s, 0), f=f: f(v[0], x, k), 5)
    for dtype, kernels, seed in (('int8', ('ref', 'opt', 'tflm'), 680), ('uint8', ('ref', 'opt'), 690), ('int16', ('ref', 'opt', 'tflm'), 700)):
        for beta, width in ((1., 10), (.5, 101)):
            seed += 1
            s = F(.07 if dtype != 'int16' else .00041)
            z = params(dtype, seed)[1]
            y = value(dtype, F(1 / 256) if dtype != 'int16' else F(2) ** -15, RANGE[dtype][0] if dtype != 'int16' else 0)

            def run(k, v, s=s, z=z, beta=beta, d=dtype, y=y):
                if d == 'int16':
                    return T.softmax16(v[0], Q(s, 0), beta, k)
                return (T.softmax_opt if k.startswith('opt') else T.softmax_ref)(v[0], Q(s, z), Q(F(y['scale']), y['zero_point']), beta, d, d)
            add_case(f'softmax {dtype} {beta}', 'softmax', kernels, [('x', value(dtype, s, z), (60, width), seed, None)], y, {'dim': -1, 'beta': beta}, run, 12)


def resizes():
    for dtype, kernels, seed in (('int8', ALL, 720), ('uint8', ('ref', 'opt', 'xnn'), 730), ('int16', ('ref', 'opt', 'tflm'), 740)):
        s, z = params(dtype, seed)
        own = value(dtype, s, z)
        for align, half, size in ((False, False, (23, 17)), (True, False, (9, 30)), (False, True, (31, 5)), (False, True, (40, 40))):
            seed += 1
            fields = {'size': list(size), 'align_corners': align, 'half_pixel_centers': half}

            def bilinear(k, v, d=dtype, a=(size, align, half)):
                if k == 'xnn':
                    return T.resize_bilinear_xnn(v[0], *a)
                return T.resize_bilinear_u8(v[0], *a, k) if d == 'uint8' else T.resize_bilinear(v[0], *a)
            add_case(f'bilinear {dtype} {size}{" aligned" if align else ""}{" half" if half else ""}', 'interpolate', kernels, [('x', own, (12, 13, 7), seed, None)], own, {**fields, 'mode': 'bilinear'}, bilinear, 10)
            add_case(f'nearest {dtype} {size}{" aligned" if align else ""}{" half" if half else ""}', 'interpolate', [k for k in kernels if k != 'xnn'], [('x', own, (12, 13, 7), seed, None)], own, {**fields, 'mode': 'nearest'},
                     lambda k, v, a=(size, align, half): T.resize_nearest(v[0], *a), 2)


def others():
    for dtype, kernels, seed in (('int8', ALL, 800), ('int16', ('ref', 'opt', 'tflm'), 820)):
        for ax, ay, z2 in ((False, False, 0), (False, True, 0), (True, False, 4)):
            seed += 1
            (s1, z1), (s2, _), (sy, zy) = (params(dtype, seed * 10 + i) for i in range(3))
            z2 = 0 if dtype == 'int16' else z2
            sy = F(sy * 12)
            a, b = ((3, 40, 33), (3, 33, 29))
            a, b = (a[:1] + a[:0:-1] if ax else a), (b[:1] + b[:0:-1] if ay else b)
            own = [k for k in kernels if not (k == 'xnn' and z2)]
            add_case(f'matmul {dtype}{" x turned" if ax else ""}{" y turned" if ay else ""}', 'matmul', own,
                     [('a', value(dtype, s1, z1), a, seed * 10, None), ('b', value(dtype, s2, z2), b, seed * 10 + 1, None)], value(dtype, sy, zy), {'adj_x': ax, 'adj_y': ay},
                     lambda k, v, q=(Q(s1, z1), Q(s2, z2), Q(sy, zy)), ax=ax, ay=ay, d=dtype: T.batch_matmul(v[0], q[0], v[1], q[1], q[2], ax, ay, k, d), 15,
                     eras=('litert23', 'litert14') if dtype == 'int8' and 'xnn' not in own else ('litert23',))
    (s1, z1), (s2, z2), (sy, zy) = (params('uint8', 850 + i) for i in range(3))
    add_case('cat uint8 rescaling', 'cat', ('ref', 'opt'), [('a', value('uint8', s1, z1), (20, 20, 7), 850, None), ('b', value('uint8', s2, z2), (20, 20, 5), 851, None), ('c', value('uint8', sy, zy), (20, 20, 2), 852, None)],
             value('uint8', sy, zy), {'dim': 3}, lambda k, v: T.concat_uint8(v, [Q(s1, z1), Q(s2, z2), Q(sy, zy)], Q(sy, zy), 3), 20)


def hybrids():
    seed = 900
    for one, asymmetric in ((False, True), (True, True), (True, False)):
        seed += 5
        k, n = 37, 40
        ws, wq, b = scales(seed, 1 if one else n, .01), int_weights((n, k), seed + 1), codes(seed + 2, (n,), -30, 30)
        fields = {'weight': {'array': 'w'}, 'weight_dtype': 'int8', 'weight_scale': float(ws[0]) if one else [float(s) for s in ws], 'weight_zero_point': 0, 'bias': {'array': 'b'},
                  'bias_dtype': 'float32', 'activation': 'relu6', 'reduce_range': False, 'asymmetric_quantize_inputs': asymmetric}
        weights = [{'key': 'w', 'seed': seed + 1, 'shape': [n, k], 'span': [-127, 127], 'axes': [0, 1], 'dtype': 'int8'},
                   {'key': 'b', 'seed': seed + 2, 'shape': [n], 'span': [-30, 30], 'axes': [0], 'dtype': 'float32'}]
        add_case(f'hybrid linear{" one scale" if one else ""}{"" if asymmetric else " symmetric"}', 'linear_dynamic', ('ref', 'opt', 'xnn'), [('x', {'dtype': 'float32'}, (25, k), seed + 3, 7.)], {'dtype': 'float32'}, fields,
                 lambda kk, v, ws=ws, wq=wq, b=b, a=asymmetric: T.hybrid(v[0].reshape(-1, k), lambda q, z: (q - z) @ wq.T, ws, b, 'relu6', kk, 'FULLY_CONNECTED', a).reshape(1, 25, n), 34, weights)
    for name, depth, kh, n, one, stride in (('conv', False, 3, 26, False, 1), ('conv one scale', False, 3, 26, True, 1), ('conv 1x1', False, 1, 26, False, 1), ('conv 1x1 stride 2', False, 1, 26, False, 2), ('depthwise', True, 3, 11, False, 1)):
        seed += 5
        c, h = (11 if depth else 6), 15
        shape = (1, kh, kh, n) if depth else (n, kh, kh, c)
        ws, wq, b = scales(seed, 1 if one else n, .01), int_weights(shape, seed + 1), codes(seed + 2, (n,), -9, 9)
        o = -(-h // stride)
        p = max((o - 1) * stride + kh - h, 0)
        fields = {'weight': {'array': 'w'}, 'weight_dtype': 'int8', 'weight_scale': float(ws[0]) if one else [float(s) for s in ws], 'weight_zero_point': 0, 'bias': {'array': 'b'}, 'bias_dtype': 'float32',
                  'stride': [stride] * 2, 'padding': [[p // 2, p - p // 2]] * 2, 'same': True, 'dilation': [1, 1], 'groups': c if depth else 1, 'activation': 'relu', **({'depthwise': True} if depth else {})}
        weights = [{'key': 'w', 'seed': seed + 1, 'shape': list(shape), 'span': [-127, 127], 'axes': [3, 0, 1, 2] if depth else [0, 3, 1, 2], 'dtype': 'int8'},
                   {'key': 'b', 'seed': seed + 2, 'shape': [n], 'span': [-9, 9], 'axes': [0], 'dtype': 'float32'}]

        def run(kk, v, ws=ws, wq=wq, b=b, depth=depth, n=n, s=stride, kh=kh):
            geo = ((s, s), (1, 1), 'SAME')
            acc = (lambda q, z: T.dwconv_acc(q, z, wq, None, 1, *geo)) if depth else lambda q, z: T.conv_acc(q, z, wq, None, *geo)
            return T.hybrid(v[0], acc, ws, b, 'relu', kk, 'DEPTHWISE_CONV_2D' if depth else 'CONV_2D', True, not depth and kh == 1 and s == 1)
        add_case(f'hybrid {name}', 'conv2d_dynamic', ('ref', 'opt') if depth else ('ref', 'opt', 'xnn'), [('x', {'dtype': 'float32'}, (h, h, c), seed + 3, 5.)], {'dtype': 'float32'}, fields, run, 6, weights)


def write(cases, out):
    """Or, with --check, says whether the file is the same."""
    text = '[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + '\n]\n'
    if '--check' in sys.argv:
        same = open(out).read() == text
        print(f'{len(cases)} cases compared, {0 if same else "some"} differ')
        return
    os.makedirs(os.path.dirname(out), exist_ok=True)
    open(out, 'w').write(text)
    print(f'{len(cases)} cases, {sum(r["values"] for c in cases for r in c["results"])} values')


def main():
    for make in (convolutions, linears, binary, pools, reductions, conversions, functions, resizes, others, hybrids):
        make()
    write(cases, OUT)


if __name__ == '__main__':
    main()
