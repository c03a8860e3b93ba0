import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../src/diagnose/finding/evidence.js';
import { int32BiasFloat64 } from '../../src/kernels/steps/bias.js';
import { fixedPointDoubleRounding } from '../../src/kernels/steps/multiplier.js';
import { downward, insideMultiplier, towardZero } from '../../src/kernels/steps/round.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { RoundStep } from '../../src/nouns/kernel.js';
import { compareLayer, fbgemmWith, outputsOf, randomFrom, worldOf } from './world.js';

const world = worldOf('small', randomFrom(31));
const { linear } = world;
const captured = outputsOf(world);

/** float32 sums in order of k, then codes: a path of its own beside the replay's exact sums. */
function floatScript(round: RoundStep, bias = linear.bias): Int32Array {
  const { inFeatures, outFeatures, input, weight, weightScale } = linear;
  const { scale, zeroPoint } = linear.output as typeof input;
  return Int32Array.from({ length: world.samples * outFeatures }, (_, i) => {
    const [row, n] = [Math.floor(i / outFeatures), i % outFeatures];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) {
      const real = Math.fround(input.scale * (world.x[row * inFeatures + k] - input.zeroPoint));
      sum = Math.fround(sum + Math.fround(real * Math.fround(weightScale[n] * weight[n * inFeatures + k])));
    }
    const value = Math.fround(sum + (bias?.[n] ?? 0));
    const code = round.apply(Math.fround(value * Math.fround(1 / scale))) + zeroPoint;
    return Math.min(255, Math.max(0, code));
  });
}

async function diagnose(candidate: NumericArray) {
  const report = await compareLayer(world, linear, captured, { candidate, kernel: 'pt2e-reference' });
  return report.candidate_layers![0].diagnosis;
}

describe("a candidate beside PT2E's reference", () => {
  test.each([
    ['rounding-floor', floatScript(downward)],
    ['rounding-truncate', floatScript(towardZero)],
    ['rounding-floor', outputsOf(world, fbgemmWith({ round: downward }))],
    ['rounding-truncate', outputsOf(world, fbgemmWith({ round: towardZero }))],
    ['bias-missing+rounding-floor', floatScript(downward, null)],
    [
      'fixed-point-multiplier',
      outputsOf(
        world,
        fbgemmWith({ multiplier: fixedPointDoubleRounding, round: insideMultiplier, bias: int32BiasFloat64 }),
      ),
    ],
  ])('%s', async (causes, values) => {
    const diagnosis = await diagnose(values);
    expect([...diagnosis!.causes].sort().join('+')).toBe(causes);
  });

  test('that rounds down but for one value stays without a name', async () => {
    const values = floatScript(downward).map((v, i) => (i === 40 ? v - 2 : v));
    expect((await diagnose(values))?.causes).toEqual(['unexplained']);
  });

  test('that rounds down but for one channel does so in the others', async () => {
    const own = 4;
    const values = floatScript(downward).map((v, i) => (i % linear.outFeatures === own ? captured[i] : v));
    const { causes, evidence } = (await diagnose(values))!;
    expect(causes).toEqual(['rounding-floor']);
    const others = Array.from({ length: linear.outFeatures }, (_, n) => n).filter((n) => n !== own);
    expect((evidence as Evidence)['rounding-floor']?.channels).toEqual(others);
  });
});

test('two codes that float32 leaves open: a difference, and inside the bound of both', async () => {
  const input = { ...linear.input, scale: 0.1, zeroPoint: 0 };
  const one = {
    ...linear,
    ...{ perChannel: false, outFeatures: 1, inFeatures: 1, weight: Int8Array.of(1), bias: null, biasInt32: null },
    ...{ weightScale: Float64Array.of(0.1), input, output: { ...input, scale: 0.02 } },
  };
  const own = { ...world, linear: one, x: Uint8Array.of(1, 1), samples: 2 };
  const right = Int32Array.of(0, 1); // 1 * 1 * 0.1 * 0.1 is half a step of 0.02, as near as float32 can tell
  const candidate = Int32Array.of(1, 0);
  const { candidate_layers } = await compareLayer(own, one, right, { candidate, kernel: 'pt2e-reference' });
  const [{ mismatched, diagnosis }] = candidate_layers!;
  expect(mismatched).toBe(2);
  expect(diagnosis).toMatchObject({ causes: ['float-arithmetic'], explained: 2, fix: null });
  expect(diagnosis!.evidence).toEqual({ 'float-arithmetic': { left_open: 2 } });
});

describe("a candidate's floats beside PT2E's reference, from sums in another order", () => {
  const ofFloats = { ...linear, output: { dtype: 'float32' } as const };
  const { input, inFeatures, outFeatures, weight } = linear;
  const bias = linear.bias!;
  type Numbers = Partial<Record<'scale' | 'zeroPoint', number>> &
    Partial<Record<'biasOf' | 'scaleOf', (n: number) => number>> & { readonly forward?: boolean };

  function floats({ scale = input.scale, zeroPoint = input.zeroPoint, forward = true, ...of }: Numbers): Float32Array {
    const { biasOf = (n) => bias[n], scaleOf = (n) => linear.weightScale[n] } = of;
    return Float32Array.from({ length: world.samples * outFeatures }, (_, i) => {
      const [row, n] = [Math.floor(i / outFeatures), i % outFeatures];
      let sum = 0;
      for (let j = 0; j < inFeatures; j++) {
        const k = forward ? j : inFeatures - 1 - j;
        const real = Math.fround(Math.fround(scale) * (world.x[row * inFeatures + k] - zeroPoint));
        sum = Math.fround(sum + Math.fround(real * Math.fround(scaleOf(n) * weight[n * inFeatures + k])));
      }
      return Math.fround(sum + biasOf(n));
    });
  }

  async function named(candidate: Float32Array): Promise<readonly string[]> {
    const right = floats({ forward: false });
    const report = await compareLayer({ ...world, linear: ofFloats }, ofFloats, right, {
      candidate,
      kernel: 'pt2e-reference',
    });
    return report.candidate_layers![0].diagnosis!.causes;
  }

  test.each([
    ['input-scale-wrong', { scale: input.scale * 1.02 }],
    ['input-zero-point-wrong', { zeroPoint: input.zeroPoint + 1 }],
    ['bias-shifted', { biasOf: (n) => bias[(n + 1) % outFeatures] }],
    ['scale-shifted', { scaleOf: (n) => linear.weightScale[(n + 1) % outFeatures] }],
  ] satisfies [string, Numbers][])('%s', async (cause, numbers: Numbers) => {
    expect(await named(floats(numbers))).toEqual([cause]);
  });

  test('of another scale but for one value: no name', async () => {
    const values = floats({ scale: input.scale * 1.02 }).map((v, i) => (i === 40 ? v * 1.001 : v));
    expect(await named(values)).toEqual(['unexplained']);
  });
});
