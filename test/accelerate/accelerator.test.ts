import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import * as steps from '../../src/kernels/steps/accumulate.js';
// @ts-expect-error: JavaScript, since everyNode.js runs unbuilt
import { bundleCases } from './bundle.js';
import { caseOf, compareAll, fillings, shapes, stepsWithForm } from './cases.js';
import { amongLeftovers } from './leftovers.js';
import { tiled } from './tiles.js';

amongLeftovers();

const fast = webAssembly({ threads: 1, worthStarting: 0 });

const NUMBER_OF_CASES = shapes.length * fillings.length * 2 * stepsWithForm.length + tiled.length;

it('equals the readable sums on every tail, extreme and zero point', () => {
  const { compared, inexact, differing } = compareAll();
  expect(differing).toEqual([]);
  expect(compared).toBe(NUMBER_OF_CASES);
  // otherwise nothing would have tested saturation
  expect(inexact).toBeGreaterThan(compared / 5);
});

// A short run exercises the baseline compiler only, and the optimizing one could be wrong by itself.
describe('in each compiler tier', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-tiers-'));
  const script = join(folder, 'cases.cjs');
  beforeAll(async () => {
    const source = `import { compareAll } from './cases.ts';
      console.log(JSON.stringify([true, false].map((portable) => compareAll({ threads: 1, portable }))));`;
    await bundleCases(source, script);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  test.each(['--liftoff-only', '--no-liftoff'])('%s', (flag) => {
    const tables = JSON.parse(execFileSync(process.execPath, [flag, script], { encoding: 'utf8' }));
    for (const { compared, differing } of tables) {
      expect(differing).toEqual([]);
      expect(compared).toBe(NUMBER_OF_CASES);
    }
  });
});

// 8 strips of 32 channels of 4096 weights are a part
it('pairs of the second part of the weights are of raw weights too', () => {
  const { x, linear } = caseOf({ rows: 2, channels: 260, inFeatures: 4096 }, fillings[0], 'uint8');
  const own = { ...linear, perChannel: false, weightZeroPoint: Int32Array.of(83) };
  const form = steps.pairsSaturatingInt16.form!(own)!;
  expect(fast.accumulate(form, x, own)).toEqual(steps.pairsSaturatingInt16.run(x, own).data);
});

it('takes weights read as uint8', () => {
  const { x, linear } = caseOf({ rows: 5, channels: 9, inFeatures: 33 }, fillings[0], 'uint8');
  const wide = { ...linear, weight: Int16Array.from(linear.weight, (w) => w & 0xff) };
  expect(fast.accumulate({ pairs: null }, x, wide)).toEqual(steps.exact.run(x, wide).data);
  // 255 * 255 leaves int16: a pair's product is not what the kernels multiply
  expect(fast.accumulate(steps.pairsSaturatingInt16.form!(wide)!, x, wide)).toBeNull();
});

it('leaves sums that may leave int32 to the readable form, which counts them', () => {
  // 255 * 128 * 65794 is the first beyond 2^31 - 1
  for (const [inFeatures, taken] of [
    [65793, true],
    [65794, false],
  ] as const) {
    const { x, linear } = caseOf({ rows: 1, channels: 1, inFeatures }, fillings[1], 'uint8');
    expect(fast.accumulate({ pairs: null }, x, linear) !== null).toBe(taken);
    const { data, overflowed } = steps.exact.run(x, linear, fast);
    expect([data[0], overflowed]).toEqual([(255 * -128 * inFeatures) | 0, taken ? 0 : 1]);
  }
});

it('leaves codes beyond 16 bits to the readable form', () => {
  const { x, linear } = caseOf({ rows: 2, channels: 2, inFeatures: 3 }, fillings[0], 'int32');
  x.data[0] = 40000;
  expect(fast.accumulate({ pairs: null }, x, linear)).toBeNull();
});

it('takes no work that is not worth it', () => {
  const lazy = webAssembly({ threads: 1 });
  const { x, linear } = caseOf({ rows: 150, channels: 16, inFeatures: 4 }, fillings[0], 'uint8');
  expect(lazy.accumulate({ pairs: null }, x, linear)).toBeNull();
});

test.each([1, 15, 16, 17, 32767, 32768, 32769, 100001])('sums squares of %i codes', (length) => {
  fast.accumulate(
    { pairs: null },
    caseOf(shapes[0], fillings[0], 'uint8').x,
    caseOf(shapes[0], fillings[0], 'uint8').linear,
  );
  for (const [codes, zeroPoint] of [
    [new Uint8Array(length).fill(255), 0],
    [new Uint8Array(length).fill(0), 255],
    [Int8Array.from({ length }, (_, i) => (i & 1 ? 127 : -128)), 100],
    [Int8Array.from({ length }, (_, i) => (i & 1 ? 127 : -128)), -128],
  ] as const) {
    const expected = [...codes].reduce((sum, code) => sum + (code - zeroPoint) ** 2, 0);
    expect(fast.sumOfSquares(codes, zeroPoint)).toBe(expected);
  }
});
