/** Codes at the clamp are what any arithmetic gives: they name none. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { validateModel } from '../../src/validate/model.js';
import { captureOf } from '../support/convolution.js';

const scale = Math.fround(1 / 255);

/** ONNX Runtime's softmax of codes multiplies by floor(1 / sy), which is 254 here. */
async function diagnosed(x: readonly number[], captured: readonly number[], own: readonly number[]) {
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'onnxruntime', kernel: 'ort' },
    inputs: [{ name: 'x', dtype: 'uint8', scale: 0.25, zero_point: 0, shape: [5] }],
    layers: [{ name: 'y', op: 'softmax', input: 'x', dim: -1, output: { dtype: 'uint8', scale, zero_point: 0 } }],
  };
  const model = await validateModel(raw, 'model.json', 'none');
  const capture = captureOf(model, 5, { x: Uint8Array.from(x), y: Uint8Array.from(captured) });
  const candidate = captureOf(model, 5, { y: Uint8Array.from(own) });
  const report = await compare(model, capture, { candidate });
  expect(report.layers[0].mismatched).toBe(0);
  return report.candidate_layers![0].diagnosis!.causes;
}

test('a softmax of one answer', async () => {
  const x = [200, 0, 0, 0, 0, 0, 0, 200, 0, 0];
  const captured = x.map((code) => (code === 200 ? 254 : 0));
  expect(
    await diagnosed(
      x,
      captured,
      x.map((code) => (code === 200 ? 255 : 0)),
    ),
  ).toEqual(['unexplained']);
});
