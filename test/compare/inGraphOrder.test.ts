/** A captured value of an ONNX graph that is another's, or its own in another order of axes, and what that must not hide. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const output = { dtype: 'uint8', scale: 0.5, zero_point: 0 };
const part = (name: string, start: number) => ({
  name,
  op: 'slice',
  input: 'x',
  dim: 1,
  start,
  end: start + 1,
  nodes: ['split', `quantize_${name}`],
});
const model = (framework: string) => ({
  format: 'qdiff-model',
  version: 1,
  producer: { framework },
  inputs: [{ name: 'x', ...output, shape: [2, 3, 3] }],
  layers: [
    part('first', 0),
    part('last', 1),
    { name: 'turned', op: 'permute', input: 'first', dims: [0, 1, 3, 2], nodes: ['turn'] },
    { name: 'end', op: 'permute', input: 'last', dims: [0, 1, 3, 2], nodes: ['end'] },
  ],
});

const SAMPLES = 4;
const codes = Array.from({ length: SAMPLES * 18 }, (_, i) => (i * 37) % 251);
const partOf = (half: number) => codes.filter((_, i) => Math.floor(i / 9) % 2 === half);
const transposed = (of: readonly number[]) => of.map((_, i) => of[i - (i % 9) + (i % 3) * 3 + Math.floor((i % 9) / 3)]);

const right = { first: partOf(0), last: partOf(1), turned: transposed(partOf(0)), end: transposed(partOf(1)) };

async function compared(wrong: Partial<typeof right>, framework = 'onnxruntime') {
  const folder = mkdtempSync(join(tmpdir(), 'order-'));
  const [path, capture] = ['model.json', 'c.npz'].map((name) => join(folder, name));
  const values = Object.entries({ ...right, ...wrong }).map(
    ([name, data]) => [name, npy('uint8', [SAMPLES, 1, 3, 3], data)] as const,
  );
  writeFileSync(path, JSON.stringify(model(framework)));
  writeFileSync(capture, npz({ x: npy('uint8', [SAMPLES, 2, 3, 3], codes), ...Object.fromEntries(values) }));
  const report: Report = JSON.parse((await cli()([path, capture, '--reporter', 'json'])).stdout);
  const status = report.layers.map((layer) => `${layer.name} ${layer.status}`);
  return { status, said: report.warnings.filter(({ code }) => code === 'layout').map(({ message }) => message) };
}

it('in another order of axes: compared in the graph’s, and so is what reads it', async () => {
  expect(await compared({ first: transposed(partOf(0)) })).toEqual({
    status: ['first match', 'last match', 'turned match', 'end match'],
    said: [
      "1 value with axes in another order than in the graph, as the optimizer moves Transposes, compared in the graph's: first",
    ],
  });
});

it('another output of the same node, in any order: set aside, what reads it is compared', async () => {
  expect(await compared({ first: transposed(partOf(1)) })).toEqual({
    status: ['first not-captured', 'last match', 'turned match', 'end match'],
    said: ['1 value with what another output of the same node gives, as the capture names it, not compared: first'],
  });
});

test.each([
  ['one value of it wrong', { first: transposed(partOf(0)).with(5, 255) }, 'onnxruntime', 'first'],
  ['what the graph gives out', { end: partOf(1) }, 'onnxruntime', 'end'],
  ['another runtime', { first: transposed(partOf(0)) }, 'tflite', 'first'],
])('%s: it differs', async (_, wrong, framework, name) => {
  const { status, said } = await compared(wrong, framework);
  expect([status.includes(`${name} mismatch`), said]).toEqual([true, []]);
});
