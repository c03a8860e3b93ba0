import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import type { Layer, Model } from '../../src/nouns/model.js';
import { OF_MATRICES } from '../../src/validate/shapes.js';
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

async function diagnose(scene: PointwiseScene) {
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
  const report = await compare(model, capture, { candidate });
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
