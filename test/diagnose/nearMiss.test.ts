import { describe, expect, test } from 'vitest';
import type { NumericArray } from '../../src/nouns/array.js';
import { NEAR_MISSES } from './nearMisses.js';
import {
  compareLayer,
  explanationsOf,
  KINDS,
  kernel,
  outputsOf,
  type Random,
  randomFrom,
  type World,
  worldOf,
} from './world.js';

/** QDIFF_SEED=N makes other layers for the near misses. */
const SEED = Number(process.env.QDIFF_SEED ?? 3);

type Spoil = (values: Int32Array, world: World, random: Random) => NumericArray;

/** Its name, what it does, and on which kinds of layer, if not on all. */
type Outside = readonly [name: string, spoil: Spoil, on?: (typeof KINDS)[number][]];

/** Values changed in a way that no cause describes: a name for one of these would be a wrong name. */
const OUTSIDE: readonly Outside[] = [
  [
    'noise of one step on 2% of the values',
    (y, _, r) => y.map((v) => (r.uniform() < 0.02 ? clamped(v + (r.uniform() < 0.5 ? 1 : -1)) : v)),
  ],
  [
    'noise of one step on 20% of the values',
    (y, _, r) => y.map((v) => (r.uniform() < 0.2 ? clamped(v + (r.uniform() < 0.5 ? 1 : -1)) : v)),
  ],
  [
    'noise of up to 9 steps on 5% of the values',
    (y, _, r) => y.map((v) => (r.uniform() < 0.05 ? clamped(v + r.integer(1, 9)) : v)),
  ],
  ['one value off by one', (y, _, r) => withValue(y, r.integer(0, y.length - 1), (v) => (v > 128 ? v - 1 : v + 1))],
  [
    'three values off by one',
    (y, _, r) => [1, 2, 3].reduce((z) => withValue(z, r.integer(0, z.length - 1), (v) => (v > 128 ? v - 1 : v + 1)), y),
  ],
  [
    'two channels swapped in every other sample',
    (y, { linear: { outFeatures } }) => {
      const all = swapped(y, outFeatures, 1, 4);
      return y.map((v, i) => (Math.floor(i / outFeatures) % 2 === 0 ? v : all[i]));
    },
  ],
  ['one channel duplicated', (y, w) => y.map((v, i) => (i % w.linear.outFeatures === 3 ? y[i - 1] : v))],
  // under a fused ReLU nothing is left below the zero point
  [
    'leaky ReLU of a slope that nobody has',
    (y, w) => y.map((v) => leaky(v, (w.linear.output as { zeroPoint: number }).zeroPoint)),
    ['small', 'per tensor'],
  ],
  [
    'other weights',
    (_, w, r) => outputsOf(w, undefined, { ...w.linear, weight: w.linear.weight.map(() => r.integer(-127, 127)) }),
    // 150 samples determine all 8 weights of a channel, 200 all 32: those are named
    ['wide'],
  ],
  [
    'one input dropped by half',
    (_, w) => outputsOf({ ...w, x: w.x.map((c, i) => (i % w.linear.inFeatures === 2 ? 128 + (c - 128) / 2 : c)) }),
  ],
];

describe.each(KINDS)('%s layer', (kind) => {
  const own = OUTSIDE.filter(([, , on = KINDS]) => on.includes(kind)).map(([name, spoil]) => ({ name, spoil }));
  test.each(own)('$name is unexplained', async ({ spoil }) => {
    const random = randomFrom(3 * 104729);
    const world = worldOf(kind, random);
    const clean = outputsOf(world);
    const spoiled = spoil(clean, world, random);
    const asCapture = await compareLayer(world, world.linear, spoiled);
    expect(asCapture.layers[0].diagnosis?.causes, 'capture').toEqual(['unexplained']);
    const asCandidate = await compareLayer(world, world.linear, clean, { candidate: spoiled });
    expect(asCandidate.candidate_layers![0].diagnosis?.causes, 'candidate').toEqual(['unexplained']);
  });

  test('a saturating capture with noise keeps no name', async () => {
    const random = randomFrom(11);
    const world = worldOf(kind, random);
    const noisy = outputsOf(world, kernel('fbgemm-avx2')).map((v) => (random.uniform() < 0.02 ? clamped(v + 1) : v));
    const report = await compareLayer(world, world.linear, noisy);
    expect(report.layers[0].diagnosis?.causes).toEqual(['unexplained']);
  });
});

test.each(NEAR_MISSES)('$code, but $but: has not that name', async ({ code, on, make }) => {
  const random = randomFrom(SEED * 7919);
  const world = worldOf(on, random);
  const { declared, captured, candidate } = make(world, random);
  const report = await compareLayer(world, declared, captured, { candidate });
  const said = explanationsOf(report).flatMap((set) => set.split('+'));
  expect(said).not.toEqual([]); // something differs
  expect(said).not.toContain(code);
});

function clamped(v: number): number {
  return Math.min(255, Math.max(0, v));
}

function withValue(values: Int32Array, at: number, change: (v: number) => number): Int32Array {
  const changed = values.slice();
  changed[at] = change(changed[at]);
  return changed;
}

function swapped(values: Int32Array, width: number, a: number, b: number): Int32Array {
  return values.map((v, i) => (i % width === a ? values[i - a + b] : i % width === b ? values[i - b + a] : v));
}

function leaky(v: number, zeroPoint: number): number {
  return v < zeroPoint ? zeroPoint - Math.floor((zeroPoint - v) * 0.17) : v;
}
