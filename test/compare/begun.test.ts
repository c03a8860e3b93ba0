/** A layer of a candidate that did not read its own value before it: single causes are sought on all that it may have read before two at once. */
import { expect, it, vi } from 'vitest';
import { Search } from '../../src/diagnose/search/phases.js';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const [SAMPLES, WIDTH] = [48, 6];
let state = 5;
const noise = (count: number, from: number, to: number) =>
  Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return from + ((state >>> 8) % (to - from));
  });
const rows = (count: number, from: number, to: number) => Array.from({ length: count }, () => noise(WIDTH, from, to));
const value = { dtype: 'int8', scale: 0.05, zero_point: 3 };
const weights = [rows(WIDTH, -127, 128), rows(WIDTH, -127, 128)];
const bias = noise(WIDTH, -2000, 2000);
const SCALE = 0.004;

interface Mistakes {
  readonly zeroPoint?: number;
  readonly round?: (v: number) => number;
  readonly bias?: readonly number[];
}

function linear(x: readonly number[][], weight: readonly number[][], mistakes: Mistakes = {}): number[][] {
  const { zeroPoint = value.zero_point, round = Math.round, bias: added = bias } = mistakes;
  const sumOf = (codes: readonly number[], n: number) =>
    weight[n].reduce((sum, w, k) => sum + w * (codes[k] - value.zero_point), added[n]);
  const codeOf = (sum: number) => Math.max(-128, Math.min(127, round(sum * SCALE) + zeroPoint));
  return x.map((codes) => weight.map((_, n) => codeOf(sumOf(codes, n))));
}

const codes = (values: readonly (readonly number[])[]) => npy('int8', [SAMPLES, WIDTH], values.flat());

/** What is said of the second layer, which read the captured value and has these mistakes, and of which layers pairs were sought. */
async function told(mistakes: Mistakes) {
  const x = rows(SAMPLES, -100, 100);
  const first = linear(x, weights[0]);
  const layer = (name: string, input: string, weight: number[][]) => {
    return { name, op: 'linear', input, weight, weight_scale: SCALE, bias, bias_dtype: 'int32', output: value };
  };
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'litert', kernel: 'xnnpack' },
    inputs: [{ name: 'x', ...value }],
    layers: [layer('first', 'x', weights[0]), layer('second', 'first', weights[1])],
  };
  const mine = { first: codes(rows(SAMPLES, -128, 128)), second: codes(linear(first, weights[1], mistakes)) };
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ x: codes(x), first: codes(first), second: codes(linear(first, weights[1])) }),
      'mine.npz': npz(mine),
    }) as never,
  );
  const pairs = vi.spyOn(Search.prototype, 'pairs');
  const { stdout } = await cli(files)(['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter', 'json']);
  const paired = pairs.mock.contexts.map(
    (search) => ((search as Search).study.data as unknown as { name: string }).name,
  );
  pairs.mockRestore();
  const [, { diagnosis }] = (JSON.parse(stdout) as Report).candidate_layers!;
  return { causes: diagnosis!.causes, paired };
}

it('what one gives on the captured value is told, and no pair on its own is tried', async () => {
  const { causes, paired } = await told({ zeroPoint: value.zero_point + 4 });
  expect(causes).toEqual(['output-zero-point-wrong']);
  expect(paired).toEqual(['first']);
});

it('where none does, two are sought on what is no noise first', async () => {
  const { causes, paired } = await told({ bias: bias.map(() => 0), round: Math.floor });
  expect(causes).toEqual(['bias-missing', 'rounding-floor']);
  expect(paired).toEqual(['first', 'second']);
});

it('and on either, where nothing gives it', async () => {
  const { causes, paired } = await told({ round: (v) => Math.round(v) + (noise(1, -9, 10)[0] as number) });
  expect(causes).toEqual(['unexplained']);
  expect(paired.filter((name) => name === 'second')).toHaveLength(2);
});
