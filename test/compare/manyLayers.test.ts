/** A network in which hundreds of layers each do one of a few things: once that took long, what several of them show is tried first. */
import { expect, it, vi } from 'vitest';
import { Search } from '../../src/diagnose/search/phases.js';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const [LAYERS, SAMPLES, WIDTH] = [90, 40, 4];
const SCALE = 0.0041731;
const value = { dtype: 'int8', scale: 0.05, zero_point: 3 };
let state = 11;
const noise = (count: number, from: number, to: number) =>
  Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return from + ((state >>> 8) % (to - from));
  });
const x = Array.from({ length: SAMPLES }, () => noise(WIDTH, -100, 100));
const begun = state;
const codes = (values: readonly number[]) => npy('int8', [SAMPLES, WIDTH], values);

interface Mistake {
  readonly zeroPoint?: number;
  readonly round?: (v: number) => number;
  readonly hasBias?: boolean;
  /** Of biases. */
  readonly lostBits?: number;
}

function values({ weight, bias, activation }: ReturnType<typeof layerOf>, mistake: Mistake = {}): number[] {
  const { zeroPoint = value.zero_point, round = Math.round, hasBias = true, lostBits = 0 } = mistake;
  const least = activation === 'relu' ? zeroPoint : -128;
  return x.flatMap((row) =>
    weight.map((own, n) => {
      const sum = own.reduce(
        (all, w, k) => all + w * (row[k] - value.zero_point),
        hasBias ? (bias[n] >> lostBits) << lostBits : 0,
      );
      return Math.max(least, Math.min(127, round(sum * SCALE) + zeroPoint));
    }),
  );
}

function layerOf(i: number, activation: 'none' | 'relu') {
  const weight = Array.from({ length: WIDTH }, () => noise(WIDTH, -127, 128));
  const own = { weight, weight_scale: SCALE, bias: noise(WIDTH, -2000, 2000), bias_dtype: 'int32' };
  return { name: `l${i}`, op: 'linear', input: 'x', ...own, output: value, activation };
}

/** What is said of each layer, and those whose single causes were searched. */
async function networkOf(
  count: number,
  mistakeOf: (i: number) => Mistake,
  { isCut = (_: number): boolean => false, biasOf = (bias: number, _layer: number, _channel: number) => bias } = {},
) {
  state = begun;
  const layers = Array.from({ length: count }, (_, i) => {
    const { bias, ...layer } = layerOf(i, isCut(i) ? 'relu' : 'none');
    return { ...layer, bias: bias.map((own, n) => biasOf(own, i, n)) };
  });
  const producer = { framework: 'litert', kernel: 'xnnpack' };
  const model = { format: 'qdiff-model', version: 1, producer, inputs: [{ name: 'x', ...value }], layers };
  const right = layers.map((layer) => [layer.name, codes(values(layer))] as const);
  const mine = layers.map((layer, i) => [layer.name, codes(values(layer, mistakeOf(i)))] as const);
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ x: codes(x.flat()), ...Object.fromEntries(right) }),
      'mine.npz': npz(Object.fromEntries(mine)),
    }) as never,
  );
  const singles = vi.spyOn(Search.prototype, 'singles');
  const { stdout } = await cli(files)(['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter', 'json']);
  const searched = singles.mock.contexts.map(
    (search) => ((search as Search).study.data as unknown as { name: string }).name,
  );
  singles.mockRestore();
  const found = (JSON.parse(stdout) as Report).candidate_layers!.map(({ diagnosis }) => diagnosis!);
  return { searched, found };
}

const floor = { round: Math.floor };

it('each is named as by itself, and the search of single causes ends with the layers that show nothing else', async () => {
  const ofLayer = (i: number): Mistake => {
    if (i === LAYERS - 3) return { zeroPoint: value.zero_point + 5 };
    return i % 2 === 0 ? floor : { hasBias: false };
  };
  const { searched, found } = await networkOf(LAYERS, ofLayer);
  const expected: string[] = Array.from({ length: LAYERS }, (_, i) =>
    i % 2 === 0 ? 'rounding-floor' : 'bias-missing',
  );
  expected[LAYERS - 3] = 'output-zero-point-wrong';
  expect(found.map(({ causes }) => causes.join())).toEqual(expected);
  expect(searched.length).toBeLessThan(0.75 * LAYERS);
  expect(searched.at(-1)).toBe(`l${LAYERS - 3}`);
});

it('what gives the same values is told of a layer that is not searched as well: cut at zero, rounding toward zero is rounding down', async () => {
  const { searched, found } = await networkOf(LAYERS, (i) => (i % 2 === 0 ? floor : { hasBias: false }), {
    isCut: (i) => i === LAYERS - 2,
  });
  expect(searched).not.toContain(`l${LAYERS - 2}`);
  const { causes, indistinguishable = [] } = found[LAYERS - 2];
  expect(causes).toEqual(['rounding-floor']);
  expect(indistinguishable.map((other) => other.causes)).toContainEqual(['rounding-truncate']);
});

it('biases without low bits are told of a layer in which they move few values, as the others show them', async () => {
  const [count, lostBits] = [8, 6];
  const cut = (bias: number) => (bias >> lostBits) << lostBits;
  // of the last one's only two have any
  const biasOf = (bias: number, layer: number, n: number) => {
    if (layer < count - 1) return bias;
    return n > 1 ? cut(bias) : cut(bias) + 20;
  };
  const { found } = await networkOf(count, () => ({ lostBits }), { biasOf });
  const last = found[count - 1];
  expect(last.of).toBeLessThan(8);
  expect(last.causes).toEqual(['bias-value']);
  expect(last.evidence['bias-value']).toMatchObject({ lost_bits: lostBits });
});
