/** A layer whose few values do not show what gives them, beside one that shows it. */
import { describe, expect, it } from 'vitest';
import { isDenied } from '../../src/compare/candidate/settled.js';
import type { LayerReport, Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const value = { dtype: 'int8', scale: 1, zero_point: 0 };
const x = Array.from({ length: 60 }, (_, i) => i - 30);
const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
const up = (v: number) => Math.floor(v + 0.5);
const away = (v: number) => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);

interface Own {
  readonly name: string;
  readonly op?: 'linear' | 'conv1d';
  /** Of a half every second sum is a tie, of 1/32 those of 16 and -16. */
  readonly times: number;
  readonly activation?: 'relu';
  readonly mine: (v: number) => number;
}

const atLeast0 = (round: (v: number) => number) => (v: number) => Math.max(0, round(v));

const layer = ({ name, op = 'linear', times, activation }: Own) => {
  const own = { name, input: 'x', weight_scale: times, activation: activation ?? 'none', output: value };
  return op === 'linear'
    ? { op, ...own, weight: [[1]] }
    : { op, ...own, weight: [[[1]]], stride: [1], padding: [[0, 0]], dilation: [1], groups: 1, input: 'image' };
};

async function toldOf(layers: readonly Own[]) {
  const values = (round: (own: Own) => (v: number) => number) =>
    Object.fromEntries(
      layers.map((own) => {
        const dims = own.op === 'conv1d' ? [60, 1, 1] : [60, 1];
        return [
          own.name,
          npy(
            'int8',
            dims,
            x.map((code) => round(own)(code * own.times)),
          ),
        ];
      }),
    );
  const inputs = [
    { name: 'x', ...value },
    { name: 'image', ...value, shape: [1, 1] },
  ].filter(({ name }) => layers.some(({ op }) => (op === 'conv1d') === (name === 'image')));
  const codes = { x: npy('int8', [60, 1], x), image: npy('int8', [60, 1, 1], x) };
  const read = Object.fromEntries(inputs.map(({ name }) => [name, codes[name as 'x' | 'image']]));
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'litert', kernel: 'xnnpack' },
    inputs,
    layers: layers.map(layer),
  };
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ ...read, ...values(({ activation }) => (activation ? atLeast0(even) : even)) }),
      'mine.npz': npz(values(({ mine }) => mine)),
    }) as never,
  );
  const run = cli(files);
  const argv = ['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter'];
  const { stdout, stderr } = await run([...argv, 'json']);
  if (stdout === '') throw new Error(stderr);
  const report = JSON.parse(stdout) as Report;
  return { report, causes: report.candidate_layers!.map(({ diagnosis }) => diagnosis?.causes ?? []), run, argv };
}

const [many, few] = [{ name: 'many', times: 1 / 2, mine: up } as const, { name: 'few', times: 1 / 32 } as const];

describe('one value of 60', () => {
  it('tells what another layer shows, which is said', async () => {
    const { causes, report, run, argv } = await toldOf([{ ...few, mine: up }, many]);
    expect(causes).toEqual([['rounding-half-up'], ['rounding-half-up']]);
    const basis = report.candidate_layers![0].diagnosis!.evidence.basis;
    expect(basis).toMatchObject({ shown_by: { layer: 'many', values: 1, of: 60 } });
    const { stdout } = await run([...argv, 'table', '--layer', 'few', '--layer', 'many']);
    expect(stdout).toContain('many shows that; here 1 of 60 values tells');
  });

  it('leaves open what the other layer leaves open and it admits', async () => {
    const relu = (round: (v: number) => number) => ({ activation: 'relu' as const, mine: atLeast0(round) });
    const { report, causes } = await toldOf([
      { ...few, ...relu(up) },
      { ...many, ...relu(up) },
    ]);
    const [open, all] = report.candidate_layers!.map(({ diagnosis }) =>
      diagnosis!.indistinguishable.map((o) => o.causes),
    );
    expect(causes).toEqual([['rounding-half-away'], ['rounding-half-away']]);
    expect(open).toContainEqual(['rounding-half-up']);
    expect(all).toEqual(expect.arrayContaining(open));
  });

  it('of a convolution too: who rounds sums so rounds them so in each', async () => {
    const { causes } = await toldOf([{ ...few, op: 'conv1d', mine: up }, many]);
    expect(causes).toEqual([['rounding-half-up'], ['rounding-half-up']]);
  });

  it('tells nothing alone, where it is another value, or where what the other layer shows would move one more', async () => {
    expect((await toldOf([{ ...few, mine: up }])).causes).toEqual([['unexplained']]);
    const edited = (v: number) => even(v) + Number(v === 17 / 32);
    expect((await toldOf([{ ...few, mine: edited }, many])).causes[0]).toEqual(['unexplained']);
    const away16 = { ...many, mine: away };
    expect((await toldOf([{ ...few, mine: up }, away16])).causes[0]).toEqual(['unexplained']);
  });

  it('tells nothing where another layer of its op does otherwise', async () => {
    const other = { ...many, name: 'other', mine: Math.trunc };
    expect((await toldOf([{ ...few, mine: up }, many, other])).causes[0]).toEqual(['unexplained']);
  });
});

it('a layer that could have it too denies nothing', () => {
  const told = (name: string, causes: string[], open: string[][] = []) =>
    ({
      name,
      op: 'linear',
      mismatched: 9,
      diagnosis: {
        causes,
        subject: 'candidate',
        indistinguishable: open.map((one) => ({ causes: one, kernel: null })),
      },
    }) as never as LayerReport;
  const few = told('few', ['inherited', 'up']);
  expect(isDenied(few, [few, told('a', ['up', 'bias-missing']), told('b', ['away'], [['up']])])).toBe(false);
  expect(isDenied(few, [few, told('a', ['away'], [['down']])])).toBe(true);
});
