/**
 * Golden vectors: fixtures/kernels/KERNEL/FAMILY, made by independent numpy models of the kernels (make_golden.py, oracle/).
 * Every value must be equal, and the rivals that a family names must fail on it: data that nothing fails proves nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { kernels } from '../../src/kernels/registry.js';
import type { Capture } from '../../src/nouns/capture.js';
import type { Model } from '../../src/nouns/model.js';
import { SAME_PRODUCTS, vectorsOf } from '../support/vectors.js';

const ROOT = join(import.meta.dirname, '..', '..', 'fixtures', 'kernels');

interface Expected {
  readonly mismatched: number;
  readonly values: number;
  readonly rivals: readonly string[];
}

const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const fixtures = folders.flatMap(({ name: kernel }) =>
  readdirSync(join(ROOT, kernel)).map((family) => {
    const folder = join(ROOT, kernel, family);
    const expected: Expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
    return { kernel, family, folder, expected };
  }),
);
const fixturesOf = (kernel: string) => fixtures.filter((fixture) => fixture.kernel === vectorsOf(kernel));

async function withFixture<T>(folder: string, use: (model: Model, capture: Capture) => Promise<T>): Promise<T> {
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  try {
    return await use(model, capture);
  } finally {
    await model.close();
    await capture.close();
  }
}

/** Values that differ, by layer; layers that this kernel does not replay count none. */
async function mismatches(model: Model, capture: Capture, kernel?: string) {
  const report = await compare(model, capture, { kernel, diagnose: false });
  const differing = report.layers.filter((layer) => layer.mismatched);
  return {
    kernel: report.kernel,
    values: report.layers.reduce((sum, layer) => sum + (layer.values ?? 0), 0),
    mismatched: differing.reduce((sum, layer) => sum + layer.mismatched!, 0),
    layers: differing.map((layer) => `${layer.name}: ${layer.mismatched} of ${layer.values}`),
    warnings: report.warnings.filter(({ code }) => code !== 'int32-overflow' && code !== 'kernel-defect'),
  };
}

describe.each(fixtures)('$kernel $family', ({ kernel, folder, expected }) => {
  it('equals every value', () =>
    withFixture(folder, async (model, capture) => {
      const { values, mismatched } = expected;
      expect(await mismatches(model, capture)).toEqual({ kernel, values, mismatched, layers: [], warnings: [] });
    }));

  for (const rival of expected.rivals) {
    it(`is failed by ${rival}`, () =>
      withFixture(folder, async (model, capture) => {
        expect((await mismatches(model, capture, rival)).mismatched).toBeGreaterThan(0);
      }));
  }

  it('holds outputs that are not all equal', () =>
    withFixture(folder, async (model, capture) => {
      const outputs = model.layers.map((layer) => capture.values.get(layer.name)!);
      const large = outputs.filter((output) => output.features * capture.samples >= 16);
      const values = await Promise.all(large.map((output) => output.read(0, capture.samples)));
      const varied = values.filter((codes) => new Set(codes).size > 1); // some overflow or clamp throughout
      expect(varied.length).toBeGreaterThan(0.6 * large.length);
    }));
});

/** A text runs nowhere, so nothing of it is golden. */
const run = kernels.filter(({ name }) => name !== 'onnx-spec');

test.each(run.map((k) => k.name))('%s has at least 100,000 values', (kernel) => {
  expect(fixturesOf(kernel).reduce((sum, { expected }) => sum + expected.values, 0)).toBeGreaterThanOrEqual(100_000);
});

const copies = Object.keys(SAME_PRODUCTS).flatMap((kernel) =>
  fixturesOf(kernel)
    .filter(({ family }) => !family.startsWith('convolutions'))
    .map((fixture) => ({ ...fixture, kernel })),
);

test.each(copies)('$kernel equals every value of $family', ({ kernel, folder, expected }) =>
  withFixture(folder, async (model, capture) => {
    const { values, mismatched } = expected;
    expect(await mismatches(model, capture, kernel)).toEqual({ kernel, values, mismatched, layers: [], warnings: [] });
  }),
);

const ofPyTorch = kernels.filter(({ runtime, ops }) => runtime === 'pytorch' && ops.conv2d);
test.each(ofPyTorch.map((k) => k.name))('%s has at least 100,000 values of convolutions', (kernel) => {
  const own = fixtures.filter((fixture) => fixture.kernel === kernel && fixture.family.startsWith('convolutions'));
  expect(own.reduce((sum, { expected }) => sum + expected.values, 0)).toBeGreaterThanOrEqual(100_000);
});
