import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import type { Layer, Model } from '../../src/nouns/model.js';
import type { QuantParams, ValueParams } from '../../src/nouns/value.js';
import { elementwiseFunction } from '../../src/replay/elementwise.js';
import { OF_MATRICES } from '../../src/validate/shapes.js';
import { stepsFor } from '../support/steps.js';
import {
  CLAMPS,
  codes,
  DIVISION,
  DIVISION_WITHOUT_ZERO_POINT,
  NEARLY,
  type PointwiseScene,
  RAISED,
  SAMPLES,
} from './pointwiseScenes.js';
import { capturedValue, captureOf, quant } from './world.js';

async function diagnose(scene: PointwiseScene & { readonly kernel?: string }) {
  const { op, input, output, x, wrong, right } = scene;
  const clamp = CLAMPS[op] ?? null;
  const form = { kind: 'elementwise', clamp, keepsParams: !op.includes('quantize') } as const;
  const layer: Layer = { op, name: 'y', inputs: ['x'], output, form };
  const model: Model = {
    path: 'model.json',
    producer: scene.producer ?? { framework: 'pytorch', flow: 'eager', engine: 'x86' },
    ...OF_MATRICES,
    inputs: [{ name: 'x', params: input }],
    layers: [layer],
    warnings: [],
  };
  const capture = captureOf({ x: capturedValue(x, SAMPLES), y: capturedValue(right ?? wrong, SAMPLES) }, SAMPLES);
  const candidate = right && captureOf({ y: capturedValue(wrong, SAMPLES) }, SAMPLES);
  const report = await compare(model, capture, { candidate, kernel: scene.kernel });
  return (report.candidate_layers ?? report.layers)[0].diagnosis;
}

describe('raised', () => {
  test.each(RAISED)('$op, $what: $code', async ({ code, also = [], ...scene }) => {
    const diagnosis = await diagnose({ code, ...scene });
    expect(diagnosis?.causes).toEqual([code]);
    expect(diagnosis).toMatchObject({ explained: diagnosis!.of, lost: 0 });
    if (scene.right) expect(diagnosis?.subject).toBe('candidate');
    const said = diagnosis!.indistinguishable.map(({ causes }) => causes.join('+'));
    expect(said).toEqual(expect.arrayContaining([...also]));
  });
});

test.each([
  ['clamped above alone', 'below'],
  ['clamped below alone', 'above'],
  ['its magnitude', 'sign'],
])('what leaves the range at one end alone says which: %s', async (what, where) => {
  const diagnosis = await diagnose(RAISED.find((scene) => scene.what === what)!);
  expect(diagnosis!.evidence['output-wraps']).toMatchObject({ where });
});

test('requantize, rounded down under a scale that is another: both', async () => {
  const [input, output] = [quant(0.0217, 117), quant(0.0317, 101)];
  const x = codes(1);
  const down = (scale: number) => (v: number) => {
    return Math.min(255, Math.max(0, Math.floor((v - 117) * (0.0217 / scale)) + 101));
  };
  const [right, wrong] = [x.map(down(0.0317)), x.map(down(0.0317 * 1.1))];
  const scene = { code: 'rounding-floor', what: 'two', op: 'requantize', input, output, x, wrong, right } as const;
  expect((await diagnose(scene))?.causes).toEqual(expect.arrayContaining(['rounding-floor', 'output-scale-wrong']));
});

/** Declared and true numbers of the input and the output; null: floats. */
type Numbers = readonly [scale: number, zeroPoint: number] | null;

test.each<
  [op: PointwiseScene['op'], kernel: string, declared: [Numbers, Numbers], made: [Numbers, Numbers], causes: string[]]
>([
  [
    'dequantize',
    'fbgemm',
    [[0.03, 20], null],
    [[0.0411, 0], null],
    ['activation-zero-point-missing+input-scale-wrong'],
  ],
  [
    'dequantize',
    'fbgemm',
    [[0.03, 0], null],
    [[0.0411, 20], null],
    ['activation-zero-point-missing+input-scale-wrong'],
  ],
  [
    'requantize',
    'tflite-single',
    [
      [0.0219, 113],
      [0.0469, 121],
    ],
    [
      [0.0216, 113],
      [0.0469, 114],
    ],
    ['output-scale-wrong+output-zero-point-wrong', 'input-scale-wrong+output-zero-point-wrong'],
  ],
])('%s under %s, two numbers at once', async (op, kernel, declared, made, causes) => {
  const paramsOf = (numbers: Numbers): ValueParams => (numbers ? quant(...numbers) : { dtype: 'float32' });
  const [input, output] = declared.map(paramsOf);
  const [madeFrom, madeTo] = made.map(paramsOf);
  const x = codes(1);
  const by = elementwiseFunction(stepsFor(kernel, op), { input: madeFrom, output: madeTo, clamp: null });
  const wrong = output.dtype === 'float32' ? Float32Array.from(x, by) : Int32Array.from(x, by);
  const scene = { code: '', what: '', op, input, output, x, wrong, kernel, producer: { kernel } } as const;
  const { causes: named, indistinguishable } = (await diagnose(scene))!;
  const sets = [named, ...indistinguishable.map((other) => other.causes)].map((set) => [...set].sort().join('+'));
  expect(sets[0]).toBe(causes[0]);
  expect(sets).toEqual(expect.arrayContaining(causes));
});

/** A candidate whose codes come from a rule of its own; right: what the kernel makes of them. */
async function requantized(kernel: string, rule: (steps: number) => number, [input, output]: readonly QuantParams[]) {
  const x = codes(1, input);
  const right = Int32Array.from(x, elementwiseFunction(stepsFor(kernel, 'requantize'), { input, output, clamp: null }));
  const codeOf = (v: number) => rule((v - input.zeroPoint) * (input.scale / output.scale)) + output.zeroPoint;
  const wrong = x.map((v) => Math.min(output.quantMax, Math.max(output.quantMin, codeOf(v))));
  const scene = { code: '', what: '', op: 'requantize', input, output, x, wrong, right, kernel } as const;
  return (await diagnose(scene))?.causes;
}

describe('where an integer multiplier takes codes to codes', () => {
  const params = [quant(0.0217, 117), quant(0.0317, 101)];
  test.each(['tflite-single', 'tflite-double', 'xnnpack', 'cmsis-nn'])('%s, rounded down', async (kernel) => {
    expect(await requantized(kernel, Math.floor, params)).toContain('rounding-floor');
  });

  test.each([0.01, 0.02, 0.004])('a scale %f off in floats is no scale left out and another one found', async (off) => {
    const named = await requantized('tflite-reference', (v) => Math.round(v * (1 - off)), params);
    expect(named).not.toContain('rescale-missing');
    expect(named).not.toContain('scale-rounded');
  });

  test('another scale under two roundings', async () => {
    const [input, output] = params;
    const by = (scale: number) =>
      elementwiseFunction(stepsFor('cmsis-nn', 'requantize'), { input, output: { ...output, scale }, clamp: null });
    const x = codes(1, input);
    const [right, wrong] = [output.scale, output.scale * 1.3].map((scale) => Int32Array.from(x, by(scale)));
    const scene = { code: '', what: '', op: 'requantize', input, output, x, wrong, right, kernel: 'cmsis-nn' } as const;
    expect((await diagnose(scene))?.causes).toEqual(['output-scale-wrong']);
  });
});

test('a scale as it is printed that moves halves only: the other rule for halves', async () => {
  const toward0 = (v: number) => (Math.abs(v % 1) === 0.5 ? Math.trunc(v) : Math.round(v));
  const named = await requantized('numpy', toward0, [quant(0.03125, 101), quant(0.0625, 100)]);
  expect(named).not.toContain('scale-rounded');
});

test('a ReLU of zero point 0 whose codes are off by 128', async () => {
  const params = quant(0.03125, 0);
  const x = codes(1, params);
  const scene = {
    code: '',
    what: '',
    op: 'relu',
    input: params,
    output: params,
    x,
    wrong: x.map((v) => v - 128),
  } as const;
  expect((await diagnose(scene))?.causes).toEqual(['signedness']);
});

test('rows in another order beside no ReLU', async () => {
  const params = quant(0.03125, 100);
  const x = codes(1, params).subarray(0, SAMPLES * 4);
  const wrong = Int32Array.from([...x.subarray(8), ...x.subarray(0, 8)]);
  const scene = { code: '', what: '', op: 'relu', input: params, output: params, x, wrong } as const;
  expect((await diagnose(scene))?.causes).toContain('samples-misaligned');
});

describe('nearly', () => {
  test.each(NEARLY)('$op, $what: not $code', async ({ code, ...scene }) => {
    const diagnosis = await diagnose({ code, ...scene });
    const said = [diagnosis!, ...diagnosis!.indistinguishable].flatMap(({ causes }) => causes);
    expect(said).not.toContain(code);
  });

  test('relu, noise on a value in fifty: unexplained', async () => {
    const params = quant(0.03125, 100);
    const x = codes(1);
    const wrong = x.map((v, i) => Math.max(v, 100) + (i % 50 === 7 ? 1 : 0));
    const scene = { code: 'unexplained', what: 'noise', op: 'relu', input: params, output: params, x, wrong } as const;
    expect((await diagnose(scene))?.causes).toEqual(['unexplained']);
  });

  test('dequantize, one value in forty another: unexplained', async () => {
    const params = quant(0.03125, 100);
    const x = codes(3);
    const wrong = Float32Array.from(
      x,
      (v, i) => (v - 100) * params.scale * (i % 40 === 3 ? 1.5 : 1) + (i % 40 === 3 ? 1 : 0),
    );
    const output = { dtype: 'float32' } as const;
    const scene = { code: 'unexplained', what: 'noise', op: 'dequantize', input: params, output, x, wrong } as const;
    expect((await diagnose(scene))?.causes).toEqual(['unexplained']);
  });
});

test("ONNX's division is consistent with ONNX Runtime, and not with PyTorch", async () => {
  const diagnosis = await diagnose(DIVISION);
  expect(diagnosis?.causes).toEqual(['zero-point-before-rounding']);
  expect(diagnosis?.explained_by).toContain('ort');
  expect(diagnosis?.explained_by).not.toContain('fbgemm');
});

test('without a zero point, a division is named as one', async () => {
  const diagnosis = await diagnose(DIVISION_WITHOUT_ZERO_POINT);
  expect(diagnosis?.causes).toEqual(['multiplier-precision']);
  expect(diagnosis?.indistinguishable).toEqual([]);
});
