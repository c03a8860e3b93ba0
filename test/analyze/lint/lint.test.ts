import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bitsOf, lint } from '../../../src/analyze/lint/lint.js';
import { compare } from '../../../src/compare/compare.js';
import type { LintDocument } from '../../../src/documents/lint.js';
import { openCapture, openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { type Json, smallCapture, smallModel } from '../../support/models.js';
import { npy } from '../../support/npz.js';

const PYTORCH = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'pytorch');

async function opened(name: string) {
  const model = await openModel(nodeFileSystem, join(PYTORCH, name, 'model.json'));
  return { model, capture: await openCapture(nodeFileSystem, join(PYTORCH, name, 'capture.npz'), model) };
}

/** Channels with a finding of a code, by layer. */
function channelsOf({ findings }: LintDocument, code: string, layer: string): (number | null)[] {
  return [...new Set(findings.filter((f) => f.code === code && f.layer === layer).map(({ channel }) => channel))];
}

describe.each(['iris-avx2', 'digits-avx2'])('%s, captured without VNNI', async (name) => {
  const { model, capture } = await opened(name);
  const report = await compare(model, capture);
  const without = await lint(model, null);
  const withCapture = await lint(model, capture);

  it('without a capture no channel that differs is missed', () => {
    for (const layer of report.layers.filter(({ op }) => op === 'linear')) {
      const differing = layer.channels!.map(({ channel }) => channel);
      expect(channelsOf(without, 'int16-saturation', layer.name)).toEqual(expect.arrayContaining(differing));
    }
    expect(report.verdict).toBe('mismatch');
  });

  it('with the capture, an error is a channel whose accumulators did saturate', () => {
    for (const layer of report.layers.filter(({ op }) => op === 'linear')) {
      const errors = withCapture.findings.filter((f) => f.layer === layer.name && f.severity === 'error');
      const differing = layer.channels!.map(({ channel }) => channel);
      expect(errors.map(({ channel }) => channel)).toEqual(expect.arrayContaining(differing));
    }
  });
});

it('fc1 of iris: exactly the channels that differ, without a capture', async () => {
  const { model, capture } = await opened('iris-avx2');
  const differing = (await compare(model, capture)).layers[0].channels!.map(({ channel }) => channel);
  expect(channelsOf(await lint(model, null), 'int16-saturation', 'fc1')).toEqual(differing);
  expect(differing.length).toBe(13);
});

it("accumulator bits: two's complement, bias included", async () => {
  const { model, capture } = await opened('iris-avx2');
  const [fc1] = (await lint(model, capture)).layers;
  expect(fc1).toMatchObject({ name: 'fc1', accumulator_bits: { worst: 18, observed: 17 } });
  expect((await lint(model, null)).layers[0].accumulator_bits).toEqual({ worst: 18, observed: null });
  expect([-129, -128, -2, -1, 0, 1, 2, 127, 128, 2 ** 31 - 1, -(2 ** 31)].map(bitsOf)).toEqual([
    9, 8, 2, 1, 1, 2, 3, 8, 9, 32, 32,
  ]);
});

async function lintSmall(
  change: (model: Json) => void,
  capture?: Record<string, Buffer | null>,
): Promise<LintDocument> {
  const model = smallModel();
  change(model);
  const files = memoryFiles({
    'model.json': JSON.stringify(model),
    ...(capture ? { 'capture.npz': smallCapture(capture) } : {}),
  });
  const read = await openModel(files, 'model.json');
  return lint(read, capture ? await openCapture(files, 'capture.npz', read) : null);
}

const codesOf = (document: LintDocument) => [
  ...new Set(document.findings.map(({ code, severity }) => `${code} ${severity}`)),
];

describe('what a capture of 7-bit codes says of saturating weights', () => {
  const saturating = (model: Json) => {
    model.layers[0].weight[0] = [127, 127, 0, 0];
  };
  const quant = (codes: number[]) => ({ quant: npy('uint8', [5, 4], codes) });

  it.each([
    ['no capture: error', undefined, 'error'],
    ['codes to 127: safe within calibration', quant(Array(20).fill(127)), 'info'],
    ['codes above 127 that do not meet', quant([200, 0, 0, 0, ...Array(15).fill(0), 200]), 'warning'],
    ['a pair that saturates', quant([200, 200, ...Array(18).fill(0)]), 'error'],
  ])('%s', async (_, capture, severity) => {
    const { findings } = await lintSmall(saturating, capture);
    const found = findings.filter(({ code, layer }) => code === 'int16-saturation' && layer === 'fc1');
    expect(found.map((finding) => [finding.channel, finding.severity])).toEqual([[0, severity]]);
  });

  it('7-bit codes are what reduce_range of a dynamic layer guarantees', async () => {
    const dynamic = (reduceRange: boolean) => (model: Json) => {
      model.inputs = [{ name: 'x', dtype: 'float32' }];
      const { weight, weight_scale, bias } = model.layers[0];
      model.layers = [
        { name: 'fc1', op: 'linear_dynamic', input: 'x', weight, weight_scale, bias, reduce_range: reduceRange },
      ];
      model.layers[0].weight[0] = [127, 127, 0, 0];
    };
    expect(codesOf(await lintSmall(dynamic(true)))).not.toContain('int16-saturation error');
    expect(codesOf(await lintSmall(dynamic(false)))).toContain('int16-saturation error');
  });

  it('a ReLU before the layer keeps codes above the zero point', async () => {
    const withRelu = (zeroPoint: number) => (model: Json) => {
      model.layers[0].output.zero_point = zeroPoint;
      model.layers[1].output.zero_point = zeroPoint;
    };
    expect((await lintSmall(withRelu(100))).layers[1].input_range.worst).toEqual([100, 255]);
    expect((await lintSmall(withRelu(0))).layers[1].input_range.worst).toEqual([0, 255]);
  });
});

it('a model of torchao: only kernels that run it, and its own words', async () => {
  const { model } = await opened('torchao');
  const { findings, layers } = await lint(model, null);
  const saturating = findings.filter(({ code }) => code === 'int16-saturation');
  expect(new Set(saturating.flatMap(({ kernels }) => kernels))).toEqual(new Set(['torchao-avx2']));
  const worst = new Map(layers.map(({ name, input_range }) => [name, input_range.worst]));
  expect(worst.get('per_token')).toEqual([-128, 127]); // multiplied as they are, whatever the zero point
  expect(worst.get('reduced_zero_point')).toEqual([-64, 63]);
  expect(saturating[0].fix).toContain('Int8DynamicActivationInt8WeightConfig(..., reduce_range=True)');
});
