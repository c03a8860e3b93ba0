/** Weight scales that are another channel's, in a candidate that rounds or adds its zero point otherwise besides. */
import { expect, test } from 'vitest';
import { downward } from '../../src/kernels/steps/round.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { compareLayer, kernel, outputsOf, randomFrom, worldOf } from './world.js';

const world = worldOf('small', randomFrom(77));
const { linear } = world;
const scales = linear.weightScale;
const output = linear.output as QuantParams;

/** Of the multipliers alone: biases stay what they are in units of sums. */
const ofMultipliers = (weightScale: Float64Array): Partial<Product> => ({
  weightScale,
  bias: linear.bias!.map((b, n) => (b * weightScale[n]) / scales[n]),
});
const withoutZeroPoint: Partial<Product> = { output: { ...output, zeroPoint: 0 } };

const rotated = scales.map((_, n) => scales[(n + 1) % scales.length]);
const reversed = scales.toReversed();
const smallest = scales.map(() => Math.min(...scales));

type Engine = 'onednn' | 'fbgemm';
const PRODUCERS = { onednn: 'onednn', fbgemm: 'x86' } as const;

async function causesOf(engine: Engine, steps: ProductSteps, wrong: Partial<Product>, then = (code: number) => code) {
  const captured = outputsOf(world, kernel(engine));
  const candidate = outputsOf(world, steps, { ...linear, ...wrong }).map(then);
  const producer = { framework: 'pytorch', flow: 'eager', engine: PRODUCERS[engine] } as const;
  const { candidate_layers } = await compareLayer(world, linear, captured, { candidate, producer });
  return [...candidate_layers![0].diagnosis!.causes].sort();
}

const floored = { ...kernel('onednn'), round: downward };

test.each<[what: string, causes: string[], engine: Engine, steps: ProductSteps, wrong: Partial<Product>]>([
  ['multipliers in another order', ['scale-shifted'], 'onednn', kernel('onednn'), ofMultipliers(rotated)],
  ['and a floor', ['rounding-floor', 'scale-shifted'], 'onednn', floored, ofMultipliers(reversed)],
  ['one multiplier and a floor', ['rounding-floor', 'scale-per-tensor'], 'onednn', floored, ofMultipliers(smallest)],
  [
    'one scale and no zero point',
    ['output-zero-point-wrong', 'scale-per-tensor'],
    'onednn',
    kernel('onednn'),
    { weightScale: smallest, ...withoutZeroPoint },
  ],
  [
    'multipliers in another order and no zero point',
    ['output-zero-point-wrong', 'scale-shifted'],
    'fbgemm',
    kernel('fbgemm'),
    { ...ofMultipliers(rotated), ...withoutZeroPoint },
  ],
])('%s', async (_, causes, engine, steps, wrong) => {
  expect(await causesOf(engine, steps, wrong)).toEqual(causes);
});

test.each<[what: string, steps: ProductSteps, wrong: Partial<Product>, then?: (code: number, i?: number) => number]>([
  ['scales of no channel', floored, ofMultipliers(scales.map((s, n) => s * (1 + 0.07 * Math.sin(3 * n))))],
  ['one code moved', floored, ofMultipliers(reversed), (code, i = 0) => (i === 333 ? code ^ 1 : code)],
])('no name for multipliers of %s', async (_, steps, wrong, then) => {
  expect(await causesOf('onednn', steps, wrong, then)).toEqual(['unexplained']);
});
