import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { channelsKept, type DetailsInput, detailsOf } from '../../src/analyze/explain/details.js';
import { compare } from '../../src/compare/compare.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { channelsWorstFirst } from '../../src/report/arrange.js';

const ROOT = join(import.meta.dirname, '../../fixtures/pytorch');

interface Options {
  readonly candidate?: string;
  readonly against?: 'replay';
  /** The capture has nothing but these. */
  readonly inputsOnly?: true;
  readonly kernel?: string;
  readonly mode?: 'propagated';
  readonly to?: number;
}

async function opened(set: string, options: Options = {}) {
  const model = await openModel(nodeFileSystem, join(ROOT, set, 'model.json'));
  const whole = await openCapture(nodeFileSystem, join(ROOT, set, 'capture.npz'), model);
  const inputs = [...whole.values].filter(([name]) => model.inputs.some((input) => input.name === name));
  const capture = options.inputsOnly ? { ...whole, values: new Map(inputs) } : whole;
  const path = options.candidate && join(ROOT, options.candidate, 'capture.npz');
  const candidate = path
    ? await openCandidate(nodeFileSystem, path, model, capture, undefined, options.against)
    : undefined;
  const samples = { from: 0, to: options.to ?? capture.samples };
  const report = await compare(model, capture, { ...options, candidate, samples });
  const input: DetailsInput = { model, capture, candidate, report, ...samples, worstFirst: channelsWorstFirst };
  const details = await detailsOf(input);
  await Promise.all([model.close(), whole.close(), candidate?.close()]);
  return { report, details };
}

describe.each([
  ['iris-avx2', {}],
  ['digits-avx2', {}],
  ['iris-avx2', { mode: 'propagated' }],
  ['iris-avx2', { candidate: 'iris-vnni' }],
  ['iris-avx2', { to: 20 }],
  ['iris-avx2', { candidate: 'iris-vnni', against: 'replay', kernel: 'fbgemm-avx2', inputsOnly: true }],
  ['iris-avx2', { candidate: 'iris-avx2', against: 'replay', kernel: 'fbgemm' }],
] as const)('%s %j', (set, options) => {
  test('single values are those that were compared', async () => {
    const { report, details } = await opened(set, options);
    const judged = (report.candidate_layers ?? report.layers).filter(({ status }) => status === 'mismatch');
    expect(details.map(({ name }) => name)).toEqual(judged.map(({ name }) => name));
    for (const [i, { channels }] of details.entries()) {
      expect(channels.map(({ channel }) => channel)).toEqual(channelsWorstFirst(judged[i]).slice(0, 6));
      for (const { channel, points, explained } of channels) {
        const compared = judged[i].channels!.find((c) => c.channel === channel)!;
        const off = points.map(({ expected, actual }) => Math.abs(actual - expected));
        expect(Math.max(...off)).toBe(compared.max_abs_diff);
        if (points.length === report.samples) expect(off.filter((o) => o > 0)).toHaveLength(compared.mismatched);
        const worst = points.find(({ sample }) => sample === explained?.sample);
        if (worst && !report.candidate_layers) {
          expect([explained!.captured, explained!.columns[0].value]).toEqual([worst.expected, worst.actual]);
        }
      }
    }
  });
});

test('of many samples some are kept, and the worst of all', async () => {
  const { details, report } = await opened('digits-avx2');
  expect(report.samples).toBe(297);
  const counts = details.flatMap(({ channels }) => channels.map(({ points }) => points.length));
  expect(new Set(counts)).toEqual(new Set([149, 150])); // every other one; and the worst, where it is not among them
});

test('of a layer that is not replayed, a candidate has the capture’s shape', async () => {
  const root = join(ROOT, '../coverage/conv-not-replayed');
  const model = await openModel(nodeFileSystem, join(root, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(root, 'capture.npz'), model);
  const candidate = await openCandidate(nodeFileSystem, join(root, 'candidate.npz'), model, capture);
  const samples = { from: 0, to: capture.samples };
  const report = await compare(model, capture, { candidate, samples });
  const [{ name, channels }] = await detailsOf({
    model,
    capture,
    candidate,
    report,
    ...samples,
    worstFirst: channelsWorstFirst,
  });
  const compared = report.candidate_layers!.find((layer) => layer.name === name)!;
  const off = channels.flatMap(({ points }) => points.map(({ expected, actual }) => Math.abs(actual - expected)));
  expect(compared.positions).toBeGreaterThan(1);
  expect(Math.max(...off)).toBe(compared.max_abs_diff);
  await Promise.all([model.close(), capture.close(), candidate.close()]);
});

test.each([
  [0, 5e6, 6], // of the first layers, however large
  [23, 5e6, 6],
  [24, 5e6, 0],
  [24, 1e5, 1],
  [239, 10, 1],
  [240, 10, 0],
])('of the layer %i behind the first, of %i values, %i channels are kept', (position, values, kept) => {
  expect(channelsKept(position, { values })).toBe(kept);
});
