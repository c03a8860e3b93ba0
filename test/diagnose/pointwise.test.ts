import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { kernels } from '../../src/kernels/registry.js';
import { quantizeDivision, quantizeZeroPointAfter } from '../../src/kernels/steps/quantize.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { ElementwiseForm, Layer, Model } from '../../src/nouns/model.js';
import type { QuantParams, ValueParams } from '../../src/nouns/value.js';
import { stepsFor } from '../support/steps.js';
import { capturedValue, captureOf, quant, randomFrom } from './world.js';

const SAMPLES = 64;
const FEATURES = 40;
const params = quant(0.03125, 100);
const float: ValueParams = { dtype: 'float32' };

/** Codes around the zero point; half of them below it. */
function codes(seed: number): Int32Array {
  const random = randomFrom(seed);
  return Int32Array.from({ length: SAMPLES * FEATURES }, () =>
    Math.min(255, Math.max(0, Math.round(100 + 60 * random.normal()))),
  );
}

/** Reals, a tenth of them exactly between two codes. */
function reals(seed: number): Float32Array {
  const random = randomFrom(seed);
  return Float32Array.from({ length: SAMPLES * FEATURES }, () =>
    random.uniform() < 0.1 ? (random.integer(-90, 150) + 0.5) * params.scale : 3 * random.normal(),
  );
}

async function diagnose(
  layer: Layer,
  input: ValueParams,
  x: NumericArray,
  captured: NumericArray,
  candidate?: NumericArray,
) {
  const producer = { framework: 'pytorch', flow: 'eager', engine: 'x86' };
  const model: Model = {
    path: 'model.json',
    producer,
    inputs: [{ name: 'x', params: input }],
    layers: [layer],
    warnings: [],
  };
  const capture = captureOf({ x: capturedValue(x, SAMPLES), y: capturedValue(captured, SAMPLES) }, SAMPLES);
  const own = candidate && captureOf({ y: capturedValue(candidate, SAMPLES) }, SAMPLES);
  const report = await compare(model, capture, { candidate: own });
  return (report.candidate_layers ?? report.layers)[0].diagnosis;
}

const layer = (op: string, output: ValueParams, clamp: ElementwiseForm['clamp'] = null): Layer => ({
  op,
  name: 'y',
  inputs: ['x'],
  output,
  form: { kind: 'elementwise', clamp, keepsParams: clamp !== null },
});
const relu = (output: QuantParams) => layer('relu', output, { lower: 0, upper: Number.POSITIVE_INFINITY });
const quantize = (output: QuantParams) => layer('quantize', output);
const dequantize = layer('dequantize', { dtype: 'float32' });

describe('relu', () => {
  const x = codes(1);
  test.each([
    ['relu-at-zero', x],
    ['output-zero-point-wrong', x.map((v) => Math.max(v, 93))],
    ['clamp-range', x.map((v) => Math.min(127, Math.max(v, 100)))],
    ['signedness', x.map((v) => Math.max(v, 100) - 128)],
    ['samples-misaligned', rotatedRows(x.map((v) => Math.max(v, 100)))],
    ['unexplained', x.map((v, i) => Math.max(v, 100) + (i % 50 === 7 ? 1 : 0))],
  ])('%s', async (cause, captured) => {
    expect((await diagnose(relu(params), params, x, captured))?.causes).toEqual([cause]);
  });

  test('clamping at 0 and not clamping at all are the same for unsigned codes, and both are said', async () => {
    const diagnosis = await diagnose(relu(params), params, x, x);
    expect(diagnosis?.indistinguishable).toContainEqual({ causes: ['capture-before-relu'], kernel: null });
  });
});

describe('quantize', () => {
  const x = reals(2);
  const declared = stepsFor(kernels[0], 'quantize').quantize!;
  const codesOf = (output: QuantParams, step = declared) => Int32Array.from(x, step.prepare(output));
  test.each([
    ['output-scale-wrong', codesOf({ ...params, scale: params.scale * 1.01 })],
    ['output-zero-point-wrong', codesOf({ ...params, zeroPoint: 103 })],
    // an odd zero point decides ties otherwise before rounding than after
    ['zero-point-before-rounding', codesOf(params, quantizeZeroPointAfter), quant(0.03125, 101)],
    ['signedness', codesOf(params).map((v) => v - 128)],
    ['clamp-range', codesOf(params).map((v) => Math.min(v, 127))],
  ] as [string, Int32Array, QuantParams?][])('%s', async (cause, captured, output = params) => {
    const values = cause === 'zero-point-before-rounding' ? codesOf(output, quantizeZeroPointAfter) : captured;
    expect((await diagnose(quantize(output), float, x, values))?.causes).toEqual([cause]);
  });

  test('a candidate that rounds ties away from zero', async () => {
    const away = Int32Array.from(x, (v) => {
      const steps = v / params.scale;
      const rounded = Math.sign(steps) * Math.floor(Math.abs(steps) + 0.5);
      return Math.min(255, Math.max(0, rounded + params.zeroPoint));
    });
    const diagnosis = await diagnose(quantize(params), float, x, codesOf(params), away);
    expect(diagnosis?.causes).toContain('rounding-half-away');
    expect(diagnosis?.subject).toBe('candidate');
  });

  test("ONNX's division is consistent with ONNX Runtime", async () => {
    const uneven = quant(0.0317, 101);
    const values = codesOf(uneven, quantizeDivision);
    const diagnosis = await diagnose(quantize(uneven), float, x, codesOf(uneven), values);
    if (diagnosis) expect(diagnosis.explained_by).toContain('ort');
  });
});

describe('dequantize', () => {
  const x = codes(3);
  const realsOf = (scale: number, zeroPoint: number) =>
    Float32Array.from(x, (v) => Math.fround(scale) * (v - zeroPoint));
  test.each([
    ['input-scale-wrong', realsOf(0.0313, 100)],
    ['activation-zero-point-missing', realsOf(params.scale, 0)],
    ['samples-misaligned', rotatedRows(realsOf(params.scale, 100))],
    ['unexplained', realsOf(params.scale, 100).map((v, i) => (i % 40 === 3 ? v * 1.5 + 1 : v))],
  ])('%s', async (cause, captured) => {
    expect((await diagnose(dequantize, params, x, captured))?.causes).toEqual([cause]);
  });
});

function rotatedRows<A extends NumericArray>(values: A): A {
  const moved = values.slice() as A;
  moved.set(values.subarray(FEATURES) as never);
  moved.set(values.subarray(0, FEATURES) as never, values.length - FEATURES);
  return moved;
}
