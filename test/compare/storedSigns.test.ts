/** A candidate that stores its codes with the other sign: each layer is judged on what it read, not on how that is written. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import { cli } from '../support/cli.js';
import { type NpyDtype, npy, npz } from '../support/npz.js';

const qdiff = cli();
const folder = mkdtempSync(join(tmpdir(), 'qdiff-signs-'));

interface Layer {
  readonly name: string;
  readonly diagnosis: { readonly causes: readonly string[]; readonly evidence: Record<string, unknown> } | null;
}

type Write = (code: number, name: string, i: number) => number;

/** The causes by layer, and the file's warnings, of the capture's own codes of a dtype, written so. */
async function judged(model: string, capture: string, from: string, to: NpyDtype, write: Write) {
  const file = await openNpz(nodeFileSystem, capture);
  const arrays: [string, Buffer][] = [];
  for (const [name, source] of file.arrays) {
    const { dtype, shape } = source;
    if (dtype !== from) continue;
    const codes = Array.from((await source.read()) as Uint8Array, (code, i) => write(code, name, i));
    arrays.push([name, npy(to, shape, codes)]);
  }
  await file.close();
  const candidate = join(folder, `${arrays.length}-${to}.npz`);
  writeFileSync(candidate, npz(Object.fromEntries(arrays)));
  const { stdout } = await qdiff([model, capture, '--candidate', candidate, '--reporter', 'json']);
  const { candidate_layers: layers, warnings } = JSON.parse(stdout);
  return { layers, warnings };
}

const CNN = ['fixtures/pytorch/cnn-x86/model.json', 'fixtures/pytorch/cnn-x86/capture.npz'] as const;
const NET = ['fixtures/onnx/net-qdq-s8/model.onnx', 'fixtures/onnx/net-qdq-s8/capture.npz'] as const;
const signed = (code: number) => (code > 127 ? code - 256 : code);

test.each<[string, readonly [string, string], string, NpyDtype, Write, 128 | 256]>([
  ['less 128', CNN, 'uint8', 'int8', (code) => code - 128, 128],
  ['less 128, in int32', CNN, 'uint8', 'int32', (code) => code - 128, 128],
  ['as the same bytes', CNN, 'uint8', 'int8', signed, 256],
  ['plus 128', NET, 'int8', 'uint8', (code) => code + 128, 128],
])('%s: signedness alone, in every layer that computes', async (_, [model, capture], from, to, write, by) => {
  const { layers } = await judged(model, capture, from, to, write);
  const differing = layers.filter(({ diagnosis }: Layer) => diagnosis !== null);
  const named = differing.filter(({ diagnosis }: Layer) => diagnosis!.causes.join() === 'signedness');
  for (const { diagnosis } of named) expect(diagnosis.evidence.signedness).toMatchObject({ of: 'output', off_by: by });
  // what only moves values hands them on as they are stored
  const others = differing.filter((layer: Layer) => !named.includes(layer));
  expect(others.map(({ diagnosis }: Layer) => diagnosis!.causes.join())).toEqual(others.map(() => 'inherited'));
  expect(others.length).toBeLessThan(3);
  expect(named.length).toBeGreaterThan(3);
});

const causesIn = (layers: readonly Layer[]) => new Map(layers.map(({ name, diagnosis }) => [name, diagnosis?.causes]));

test.each([
  ['pw', 'grp'],
  ['dw', 'pw'],
])('a mistake of %s in all of its values: named there, and %s reads what that means', async (wrong, next) => {
  const { layers } = await judged(...CNN, 'uint8', 'int8', (code, name) =>
    Math.min(127, code - 128 + (name === wrong ? 3 : 0)),
  );
  const causes = causesIn(layers);
  expect(causes.get(wrong)).toEqual(expect.arrayContaining(['signedness', 'output-zero-point-wrong']));
  expect(causes.get('stem')).toEqual(['signedness']);
  expect(causes.get(next)).toContain('signedness'); // and it did not read what is wrong here
});

test('codes that are right in another dtype stay as they are', async () => {
  const { layers } = await judged(...CNN, 'uint8', 'int32', (code) => code);
  expect(layers.map(({ status }: { status: string }) => status)).not.toContain('mismatch');
});
