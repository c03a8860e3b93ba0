import { describe, expect, test } from 'vitest';
import { falls, risesWith } from '../../src/diagnose/study/rising.js';
import { kernels } from '../../src/kernels/registry.js';
import { fixedPointMultipliers, floatMultipliers } from '../../src/kernels/steps/multiplier.js';
import { rounds } from '../../src/kernels/steps/round.js';
import type { ProductSteps } from '../../src/nouns/kernel.js';
import { exactSums } from '../../src/products/exactSums.js';
import { finishProduct } from '../../src/replay/product.js';
import { linearSteps } from '../support/steps.js';
import { type Kind, randomFrom, worldOf } from './world.js';

const KINDS: readonly Kind[] = ['small', 'wide', 'per tensor', 'ties', 'near ties', 'int8 with ReLU'];
const integer = linearSteps('numpy');
const finishes: [string, ProductSteps][] = [
  ...kernels.map((kernel): [string, ProductSteps] => [kernel.name, linearSteps(kernel)]),
  ...[...floatMultipliers, ...fixedPointMultipliers].flatMap((multiplier) =>
    rounds.map((round): [string, ProductSteps] => [
      `${multiplier.name}, ${round.name}`,
      { ...integer, float: null, multiplier, round },
    ]),
  ),
].filter(([, steps]) => steps && !steps.float && !steps.givesFloats);

function sumsOf(kind: Kind) {
  const { linear, x, samples } = worldOf(kind, randomFrom(5));
  const sums = exactSums({ rows: samples, cols: linear.inFeatures, data: x }, linear);
  return { linear, sums: Int32Array.from(sums) };
}

// what makes it exact to give up a pair for its sums alone
describe.each(KINDS)('codes rise with sums: %s', (kind) => {
  const { linear, sums } = sumsOf(kind);
  test.each(finishes)('%s', (_, steps) => {
    expect(risesWith(sums, finishProduct(steps, linear, sums), linear.outFeatures)).toBe(true);
  });
});

test('codes that are moved by one sample do not rise', () => {
  const { linear, sums } = sumsOf('small');
  const codes = finishProduct(integer, linear, sums);
  const moved = Int32Array.from(codes, (_, i) => codes[(i + linear.outFeatures) % codes.length]);
  expect(risesWith(sums, moved, linear.outFeatures)).toBe(false);
});

test('what some rows refute, all do', () => {
  const { integer: random } = randomFrom(7);
  const told = { by: 0, not: 0 };
  for (let i = 0; i < 500; i++) {
    const sums = Int32Array.from({ length: 64 }, () => random(-500, 500));
    const wide = random(1, 40);
    const codes = sums.map((sum) => Math.floor(sum / wide) + Number(random(0, 20) === 0) * random(-3, 3));
    const isRefuted = falls(sums.subarray(0, 16), codes.subarray(0, 16), 1);
    if (isRefuted) expect(risesWith(sums, codes, 1)).toBe(false);
    told[isRefuted ? 'by' : 'not']++;
  }
  expect(Math.min(told.by, told.not)).toBeGreaterThan(40);
});

test('equal sums of a channel give codes one apart at most', () => {
  const sums = Int32Array.of(4, 4, 9);
  expect(risesWith(sums, Uint8Array.of(7, 8, 7), 1)).toBe(true);
  expect(risesWith(sums, Uint8Array.of(7, 9, 9), 1)).toBe(false);
  expect(risesWith(sums, Uint8Array.of(9, 7, 9), 1)).toBe(false);
});

describe('one step down', () => {
  const sums = Int32Array.from({ length: 64 }, (_, i) => 10 * i); // 8 of them a code
  const codes = Uint8Array.from(sums, (sum) => sum / 80);
  const lowered = (i: number) => codes.map((code, at) => code - Number(at === i));
  test('is a tie next to the border', () => expect(risesWith(sums, lowered(33), 1)).toBe(true));
  test('is noise in the midst of a step', () => expect(risesWith(sums, lowered(36), 1)).toBe(false));
  test('may be a tie where codes go over few steps: how many sums make one is not known', () => {
    const few = codes.map((code) => Math.min(code, 3));
    const one = few.map((code, at) => code - Number(at === 30));
    expect(risesWith(sums, one, 1)).toBe(true);
  });
});
