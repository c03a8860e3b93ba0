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

const folder = mkdtempSync(join(tmpdir(), 'order-'));
const save = (name: string, bytes: string | Buffer) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const values = (wrong: Partial<typeof right>) =>
  Object.entries({ ...right, ...wrong }).map(([name, data]) => [name, npy('uint8', [SAMPLES, 1, 3, 3], data)] as const);
const captured = (name: string, wrong: Partial<typeof right>) =>
  save(name, npz({ x: npy('uint8', [SAMPLES, 2, 3, 3], codes), ...Object.fromEntries(values(wrong)) }));

async function statusOf(args: readonly string[]) {
  const report: Report = JSON.parse((await cli()([...args, '--reporter', 'json'])).stdout);
  const status = (report.candidate_layers ?? report.layers).map((layer) => `${layer.name} ${layer.status}`);
  return { status, said: report.warnings.filter(({ code }) => code === 'layout').map(({ message }) => message) };
}

async function compared(wrong: Partial<typeof right>, framework = 'onnxruntime') {
  return statusOf([save('m.json', JSON.stringify(model(framework))), captured('c.npz', wrong)]);
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

test.each([
  ['that says who computed it', { framework: 'onnxruntime' }, 'match'],
  ['of one’s own', undefined, 'mismatch'],
])('a candidate %s: first %s', async (_, producer, status) => {
  const said = producer && { producer: npy('uint8', [37], [...Buffer.from(JSON.stringify(producer).padEnd(37))]) };
  const arrays = { ...Object.fromEntries(values({ first: transposed(partOf(0)) })), ...said };
  const files = [save('m.json', JSON.stringify(model('onnxruntime'))), captured('c.npz', {})];
  const found = await statusOf([...files, '--candidate', save('own.npz', npz(arrays))]);
  expect([found.status[0], found.said.length]).toEqual([`first ${status}`, producer ? 1 : 0]);
});

it('explained in the graph’s order', async () => {
  const files = [
    save('m.json', JSON.stringify(model('onnxruntime'))),
    captured('c.npz', { first: transposed(partOf(0)) }),
  ];
  const { stdout } = await cli()(['explain', ...files, '--layer', 'first', '--sample', '0', '--at', '0,1']);
  expect(stdout).toContain('captured 37');
});
