/** What is open in one layer of an implementation, and told by another. */
import { describe, expect, it, test } from 'vitest';
import { settledByOthers } from '../../src/compare/candidate/settled.js';
import type { LayerReport, Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const report = (name: string, causes: string[], open: string[][] = [], mismatched = 8): LayerReport =>
  ({
    name,
    mismatched,
    diagnosis: { causes, subject: 'candidate', indistinguishable: open.map((one) => ({ causes: one, kernel: null })) },
  }) as never;
const settled = (...layers: LayerReport[]) => settledWith(new Map(), layers);
const settledWith = (found: Parameters<typeof settledByOthers>[1], layers: LayerReport[]) =>
  Object.fromEntries([...settledByOthers(layers, found)].map(([name, { causes }]) => [name, causes]));

describe('by another layer', () => {
  const open = report('relu', ['inherited', 'output-order', 'away'], [['up'], ['twice']]);

  test('that has one of what is open, and not what is named', () => {
    expect(settled(open, report('fc', ['inherited', 'up'], [['twice']]))).toEqual({ relu: ['up'] });
    expect(settled(report('relu', ['away'], [['short', 'up']]), report('fc', ['up', 'short']))).toEqual({
      relu: ['short', 'up'],
    });
  });

  test('beside a mistake of its own, which no other has', () => {
    const beside = report('relu', ['away', 'own'], [['own', 'up']]);
    expect(settled(beside, report('fc', ['up', 'short']))).toEqual({ relu: ['own', 'up'] });
    expect(settled(beside, report('fc', ['up', 'short'], [['away', 'short']]))).toEqual({});
    expect(settled(beside, report('fc', ['up', 'short']), report('last', ['away', 'short']))).toEqual({});
    expect(settled(report('relu', ['away', 'own'], [['away']]), report('fc', ['away']))).toEqual({});
  });

  test('not where that is open there too, few values tell it, or nothing is open', () => {
    expect(settled(open, report('fc', ['up'], [['away']]))).toEqual({});
    expect(settled(open, report('fc', ['up'], [], 7))).toEqual({});
    expect(settled(report('relu', ['away']), report('fc', ['up']))).toEqual({});
    expect(settled(report('relu', ['unexplained'], [['up']]), report('fc', ['up']))).toEqual({});
  });

  test('one value of a layer that could not have it speaks against it, and a layer of another op says nothing', () => {
    const witness = report('fc', ['up']);
    expect(settled(open, witness, report('few', ['away'], [], 1))).toEqual({});
    expect(settled(open, { ...witness, op: 'add' })).toEqual({});
  });

  test('a layer of another op tells what it does after its sums, where no other of its op does', () => {
    const witness = { ...report('add', ['up']), op: 'add' };
    const change = {
      cause: 'rounding-half-up',
      coordinate: 'round',
      freedom: 0,
      label: 'up',
      apply: (own: unknown) => own,
    };
    const found = (coordinate: string) => new Map([['add', { changes: [{ ...change, coordinate }] as never }]]);
    expect(settledWith(found('round'), [open, witness])).toEqual({ relu: ['up'] });
    expect(settledWith(found('weights'), [open, witness])).toEqual({});
    expect(settledWith(found('round'), [open, witness, report('fc', ['away'], [], 1)])).toEqual({});
    expect(settledWith(found('round'), [open, witness, report('fc', ['twice'])])).toEqual({ relu: ['twice'] });
  });

  test('not where layers tell two forms of it', () => {
    const down = report('down', ['up']);
    const told = { ...down, diagnosis: { ...down.diagnosis!, evidence: { up: { ties_go: 'down' } } } };
    expect(settled(open, told)).toEqual({ relu: ['up'] });
    expect(settled(open, told, report('fc', ['up']))).toEqual({});
  });

  test('not where two layers tell two of them, or one tells what is named', () => {
    expect(settled(open, report('fc', ['up']), report('conv', ['twice']))).toEqual({});
    expect(settled(open, report('fc', ['up']), report('conv', ['away']))).toEqual({});
  });
});

const value = { dtype: 'int8', scale: 1, zero_point: 0 };
const x = Array.from({ length: 60 }, (_, i) => i - 30);
/** Every second sum of each layer is a tie. */
const layer = (name: string, activation: string) => {
  return { name, op: 'linear', input: 'x', weight: [[1]], weight_scale: 0.5, activation, output: value };
};
const rounded = (round: (v: number) => number) => {
  const of = (least: number) =>
    npy(
      'int8',
      [60, 1],
      x.map((code) => Math.max(least, round(code / 2))),
    );
  return { relu: of(0), fc: of(-128), last: of(0) };
};
const even = (v: number) => (v % 1 === 0 ? v : 2 * Math.round(v / 2));
const files = new Map<string, string>(
  Object.entries({
    'model.json': JSON.stringify({
      format: 'qdiff-model',
      version: 1,
      producer: { framework: 'litert', kernel: 'xnnpack' },
      inputs: [{ name: 'x', ...value }],
      layers: [layer('relu', 'relu'), layer('fc', 'none'), layer('last', 'relu')],
    }),
    'capture.npz': npz({ x: npy('int8', [60, 1], x), ...rounded(even) }),
    'mine.npz': npz(rounded((v) => Math.floor(v + 0.5))),
  }) as never,
);
const run = cli(files);
const argv = ['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter'];
const causesIn = (text: string) =>
  (JSON.parse(text) as Report).candidate_layers!.map(({ diagnosis }) => diagnosis!.causes);

it('positive halves go up and away alike, negative ones do not: all layers are told by those, in each shard', async () => {
  const { stdout } = await run([...argv, 'json']);
  expect(causesIn(stdout)).toEqual([['rounding-half-up'], ['rounding-half-up'], ['rounding-half-up']]);
  for (const shard of ['1/3', '2/3', '3/3']) await run([...argv, `blob=${shard[0]}.blob`, '--shard', shard]);
  const merged = await run(['merge', '1.blob', '2.blob', '3.blob', '--reporter', 'json']);
  expect(causesIn(merged.stdout)).toEqual(causesIn(stdout));
  const text = (await run([...argv, 'table'])).stdout;
  expect(text).toContain('Yours: ties rounded up');
  expect(text).not.toContain('which is what explains');
});

it('where nothing tells it, the likelier is named', async () => {
  const { stdout } = await run([...argv, 'json', '--layer', 'relu', '--layer', 'last']);
  expect(causesIn(stdout)).toEqual([['rounding-half-away'], ['rounding-half-away']]);
});
