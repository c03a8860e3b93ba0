/** HardSigmoid has numbers of its own in ONNX: PyTorch's are no others' by chance. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { tensorSteps } from '../../src/kernels/kernel.js';
import { kernelByName } from '../../src/kernels/registry.js';
import { openNpz } from '../../src/load/npz.js';
import { npzBytes } from '../../src/save/npz.js';
import { cli } from '../support/cli.js';

const FILES = ['model.onnx', 'capture.npz'].map((file) => `fixtures/onnx/hand-numbers/${file}`);
const qdiff = cli();

/** What a script in float32 makes of the input's codes. */
async function candidateOf(layer: string, gate: (x: number) => number): Promise<string> {
  const file = await openNpz(nodeFileSystem, FILES[1]);
  const { shape, read } = file.arrays.get('q_q')!;
  const codes = await read.call(file.arrays.get('q_q'));
  await file.close();
  const [sx, sy] = [0.03, 1 / 255].map(Math.fround);
  const real = (code: number) => Math.fround(gate(Math.fround(sx * (code - 110))));
  const halfEven = (v: number) => (v % 1 === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
  const data = Uint8Array.from(codes, (code) => halfEven(Math.fround(real(code) / sy)));
  const path = join(mkdtempSync(join(tmpdir(), 'gate-')), 'mine.npz');
  writeFileSync(path, await npzBytes(new Map([[layer, { shape, data }]])));
  return path;
}

const clamped = (v: number) => Math.min(1, Math.max(0, v));

test.each([
  ['usual_own_q', (x: number) => clamped(x / 6 + 0.5), 'hardsigmoid (x / 6 + 0.5)', 'np.clip(0.2 * x + 0.5, 0, 1)'],
  ['sixth_own_q', (x: number) => clamped(0.2 * x + 0.5), 'clamp(0.2 * x + 0.5, 0, 1)', 'np.clip(x / 6 + 0.5, 0, 1)'],
  ['steep_own_q', (x: number) => clamped(0.2 * x + 0.5), 'clamp(0.2 * x + 0.5, 0, 1)', 'np.clip(0.7 * x + 0.3, 0, 1)'],
])('%s computed with other numbers', async (layer, gate, name, own) => {
  const candidate = await candidateOf(layer, gate);
  const { stdout } = await qdiff([...FILES, '--candidate', candidate, '--layer', layer, '--reporter', 'json']);
  const [{ diagnosis }] = JSON.parse(stdout).candidate_layers;
  expect(diagnosis.causes).toEqual(['table-entry']);
  expect(diagnosis.evidence['table-entry']).toMatchObject({ function: name });
  expect(diagnosis.fixes[0].text).toContain(own);
});

it.each(['fbgemm', 'qnnpack'])('is no gate of %s', (name) => {
  const steps = tensorSteps(kernelByName(name), { op: 'hardsigmoid' })!;
  const lacking = (slope: number, offset: number) => steps.lacks!({ attributes: { slope, offset } } as never);
  expect(lacking(1 / 6, 0.5)).toBeNull();
  expect(lacking(0.2, 0.5)).toBe('an alpha of 0.2 and a beta of 0.5');
});
