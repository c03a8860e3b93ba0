/** What a layer does beside what those before it do: where they leave two steps open, and it admits both, both are told. */
import { expect, it } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const [SAMPLES, INPUTS, OUTPUTS, LAYERS] = [64, 16, 8, 3];
const value = (scale: number) => ({ dtype: 'int8', scale, zero_point: 0 });

let state = 5;
const code = () => {
  state = (48271 * state) % (2 ** 31 - 1);
  return Math.floor((255 * state) / 2 ** 31) - 127;
};
const table = (rows: number) => Array.from({ length: rows }, () => Array.from({ length: INPUTS }, code));
const x = table(SAMPLES);
const weights = Array.from({ length: LAYERS }, () => table(OUTPUTS));
const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

/** Behind a ReLU, which makes of floor and truncation one. */
function valuesOf(layer: number, round: (v: number) => number, kept: (sum: number) => number): number[] {
  return x.flatMap((row) =>
    weights[layer].map((own) => {
      const sum = own.reduce((all, w, k) => all + w * row[k], 0);
      return Math.min(127, Math.max(0, round(kept(sum) * 0.0019)));
    }),
  );
}

it('a sum of 16 bits beside a rounding that two layers before it leave open', async () => {
  const all = (make: (layer: number) => number[]) =>
    weights.map((_, i) => [`fc${i}`, npy('int8', [SAMPLES, OUTPUTS], make(i))] as const);
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { kernel: 'numpy' },
    inputs: [{ name: 'x', ...value(1) }],
    layers: weights.map((weight, i) => {
      const own = { weight, weight_scale: 0.0019, activation: 'relu', output: value(1) };
      return { name: `fc${i}`, op: 'linear', input: 'x', ...own };
    }),
  };
  const in16 = (sum: number) => (sum << 16) >> 16;
  const mine = (i: number) => valuesOf(i, Math.floor, i === 2 ? in16 : (sum) => sum);
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({
        x: npy('int8', [SAMPLES, INPUTS], x.flat()),
        ...Object.fromEntries(all((i) => valuesOf(i, even, (sum) => sum))),
      }),
      'mine.npz': npz(Object.fromEntries(all(mine))),
    }) as never,
  );
  const argv = ['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter', 'json'];
  const { stdout } = await cli(files)(argv);
  const { causes, indistinguishable } = (JSON.parse(stdout) as Report).candidate_layers![2].diagnosis!;
  const sets = [causes, ...indistinguishable.map((open) => open.causes)].map((set) => [...set].sort());
  expect(sets).toContainEqual(['accumulator-wraps', 'rounding-floor']);
  expect(sets).toContainEqual(['accumulator-wraps', 'rounding-truncate']);
});
