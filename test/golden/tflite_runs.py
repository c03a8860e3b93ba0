"""Golden vectors of TFLite's operators that the numpy model does not have: what the runtimes themselves computed.
usage: python test/golden/tflite_runs.py [--check]     writes fixtures/tflite-ops/runs.json (ai-edge-litert 2.3.0, tflite_micro)
A file of one operator each, its inputs hashes of their index, a call a sample; which runtime refuses an operator has no row for it."""
import hashlib, os, sys
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'verify'), os.path.join(HERE, 'oracle')]
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_micro.python.tflite_micro import runtime
from tflite_cases import CPUS, KERNELS, RANGE, RELEASES, codes, params, value, write
from tflite_file import Net

OUT = os.path.join(HERE, '..', '..', 'fixtures', 'tflite-ops', 'runs.json')
RESOLVERS = {'ref': OpResolverType.BUILTIN_REF, 'opt': OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, 'xnn': OpResolverType.BUILTIN}
SHAPE, SAMPLES = (20, 21, 25), 10
BOOL = {'dtype': 'bool'}
cases = []


def called(blob, calls, kernel):
    """The output of each call, or None where the runtime refuses the file; of XNNPACK also where it leaves the operator."""
    try:
        if kernel == 'tflm':
            micro = runtime.Interpreter.from_bytes(blob, arena_size=1 << 22)
            out = []
            for call in calls:
                for i, x in enumerate(call):
                    micro.set_input(x, i)
                micro.invoke()
                out.append(micro.get_output(0).copy())
            return out
        litert = Interpreter(model_content=blob, experimental_op_resolver_type=RESOLVERS[kernel], num_threads=1)
        litert.allocate_tensors()
        if kernel == 'xnn' and not any(op['op_name'] == 'DELEGATE' for op in litert._get_ops_details()):
            return None
        out = []
        for call in calls:
            for detail, x in zip(litert.get_input_details(), call):
                litert.set_tensor(detail['index'], x)
            litert.invoke()
            out.append(litert.get_tensor(litert.get_output_details()[0]['index']))
        return out
    except (RuntimeError, ValueError):
        return None


def add(name, op, code, inputs, output, fields=None, of=SHAPE, to=None, constants=(), version=1, samples=SAMPLES, **options):
    """inputs: (params, span or None, seed), [1, *of] each, the output [1, *to]; constants: int32 behind them."""
    net, drawn, given = Net(1), [], []
    for i, (x, span, seed) in enumerate(inputs):
        is_truth = x is BOOL
        own = value('uint8', 1, 0) if is_truth else x
        net.inputs.append(net.tensor((1, *of), x['dtype'], None if is_truth else x['scale'], 0 if is_truth else x['zero_point'], name=f'in{i}'))
        span = (0, 1) if is_truth else span
        drawn.append(codes(seed, (samples, *of), *(span or RANGE[x['dtype']])).astype(x['dtype']))
        given.append({'name': 'abc'[i], **own, 'shape': list(of), 'seed': seed, 'span': list(span) if span else None})
    scaled = 'scale' in output
    y = net.tensor((1, *(to or of)), output['dtype'], output['scale'] if scaled else None, output['zero_point'] if scaled else 0)
    net.op(code, [*net.inputs, *(net.ints(c) for c in constants)], [y], version, **options)
    net.outputs = [y]
    blob, calls = net.bytes(), [[d[i:i + 1] for d in drawn] for i in range(samples)]
    results = []
    for kernel in KERNELS:
        out = called(blob, calls, kernel)
        if out is None:
            continue
        bits = np.concatenate(out).astype('<i4').reshape(-1)
        results.append({'kernel': KERNELS[kernel], 'framework': RELEASES['litert23'][0], 'framework_version': RELEASES['litert23'][1],
                        'cpu_capability': CPUS['avx'], 'values': int(bits.size), 'first': [int(v) for v in bits[:4]],
                        'sha256': hashlib.sha256(bits.tobytes()).hexdigest()})
    assert results, name
    layer = {'name': 'y', 'op': op, 'input': [i['name'] for i in given] if len(given) > 1 else given[0]['name'], **(fields or {})}
    declared = value('uint8', 1, 0) if output is BOOL else output if scaled else None
    cases.append({'name': name, 'samples': samples, 'weights': [], 'inputs': given, 'layer': {**layer, **({'output': declared} if declared else {})}, 'results': results})


def pairs():
    for dtype, seed in (('int8', 1000), ('uint8', 1010), ('int16', 1020)):
        (s1, z1), (s2, z2), (sy, zy) = (params(dtype, seed + i) for i in range(3))
        a, b, y = value(dtype, s1, z1), value(dtype, s2, z2), value(dtype, sy, zy)
        for code in ('MAXIMUM', 'MINIMUM'):
            add(f'{code} {dtype}', code.lower(), code, [(a, None, seed), (a, None, seed + 1)], a, version=2)
        if dtype != 'int16':
            above = (z2 + 1, RANGE[dtype][1])
            add(f'DIV {dtype}', 'div', 'DIV', [(a, None, seed), (b, above, seed + 1)], y, {'activation': 'none'}, version=2, fusedActivationFunction=0)
            add(f'DIV {dtype} relu6', 'div', 'DIV', [(a, None, seed), (b, (RANGE[dtype][0], z2 - 1), seed + 1)], value(dtype, sy * 8, zy), {'activation': 'relu6'}, version=2, fusedActivationFunction=3)
            add(f'PRELU {dtype}', 'prelu_of_two', 'PRELU', [(a, None, seed), (b, None, seed + 1)], y)
            for code in ('GREATER', 'GREATER_EQUAL', 'LESS', 'LESS_EQUAL', 'EQUAL', 'NOT_EQUAL'):
                add(f'{code} {dtype}', 'compare', code, [(a, None, seed), (b, None, seed + 1)], BOOL, {'by': code.lower()}, version=2, samples=2)
        if dtype == 'int8':
            add('SQUARED_DIFFERENCE int8', 'squared_difference', 'SQUARED_DIFFERENCE', [(a, None, seed), (b, None, seed + 1)], value(dtype, sy * 4, zy), version=2)
        if dtype != 'uint8':
            add(f'SELECT_V2 {dtype}', 'where', 'SELECT_V2', [(BOOL, None, seed + 2), (a, None, seed), (a, None, seed + 1)], a)


def functions():
    for dtype, seed in (('int8', 1100), ('int16', 1120)):
        (s, z), (sy, zy) = params(dtype, seed), params(dtype, seed + 1)
        lowest = RANGE['int8'][0] if dtype == 'int8' else 0
        x, y, positive = value(dtype, s, z), value(dtype, sy, zy), value(dtype, s, lowest)
        ones = (lowest, RANGE[dtype][1])
        add(f'ABS {dtype}', 'abs', 'ABS', [(x, None, seed)], y, version=2 if dtype == 'int8' else 3)
        add(f'EXP {dtype}', 'exp', 'EXP', [(x, None, seed)], value(dtype, sy * 2, zy), version=2)
        add(f'LOG {dtype}', 'log', 'LOG', [(positive, ones, seed)], y, version=2)
        add(f'RSQRT {dtype}', 'rsqrt', 'RSQRT', [(positive, (ones[0] + 1, ones[1]), seed)], y, version=2 if dtype == 'int8' else 3)
        add(f'GELU {dtype}, tanh', 'gelu', 'GELU', [(x, None, seed)], y, {'approximate': 'tanh'}, version=2, approximate=True)
    (s, z), (sy, zy) = params('int8', 1150), params('int8', 1151)
    x, y = value('int8', s, z), value('int8', sy, zy)
    add('GELU int8, erf', 'gelu', 'GELU', [(x, None, 1150)], y, {'approximate': 'none'}, version=2, approximate=False)
    add('ELU int8', 'elu', 'ELU', [(x, None, 1151)], y)
    add('SQRT int8', 'sqrt', 'SQRT', [(value('int8', s, -128), None, 1152)], y, version=2)
    add('L2_NORMALIZATION int8', 'l2_normalize', 'L2_NORMALIZATION', [(x, None, 1153)], value('int8', 1 / 128, 0), version=2, fusedActivationFunction=0)


def choices():
    for dtype, seed in (('int8', 1200), ('uint8', 1210), ('int16', 1220)):
        x = value(dtype, *params(dtype, seed))
        for code, op in (('REDUCE_MAX', 'amax'), ('REDUCE_MIN', 'amin')):
            for axis, shape, kept in ((2, (90, 3, 60), (90, 1, 60)), (3, (90, 60, 3), (90, 60, 1))):
                add(f'{code} {dtype} {axis}', op, code, [(x, None, seed)], x, {'dim': [axis], 'keepdim': True}, shape, kept, [[axis]], 2, keepDims=True)
    x = value('int8', *params('int8', 1230))
    for code, op in (('ARG_MAX', 'argmax'), ('ARG_MIN', 'argmin')):
        add(f'{code} int8', op, code, [(x, None, 1231)], {'dtype': 'int32'}, {'dim': 3}, (105, 100, 3), (105, 100), [[3]], 2, outputType=2)


def main():
    for make in (pairs, functions, choices):
        make()
    write(cases, OUT)


if __name__ == '__main__':
    main()
