/** Two mistakes of which one hides the other: a form of the one is tried, and the other's number found on it. */
import { describe, expect, test } from 'vitest';
import { int32BiasFloat64 } from '../../src/kernels/steps/bias.js';
import { roundedProductSums } from '../../src/kernels/steps/lossyAccumulate.js';
import { float64Product } from '../../src/kernels/steps/multiplier.js';
import { offsetClampRound } from '../../src/kernels/steps/offsetAndClamp.js';
import { downward, halfUp } from '../../src/kernels/steps/round.js';
import type { Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import {
  compareLayer,
  explanationsOf,
  fbgemmWith,
  kernel,
  outputsOf,
  randomFrom,
  type World,
  worldOf,
} from './world.js';

type Change = (linear: Product) => Partial<Product>;

const output = (linear: Product) => linear.output as QuantParams;
const rotated = <A extends Float32Array | Float64Array>(values: A): A =>
  values.map((_, i) => values[(i + 1) % values.length]) as A;

const twiceTheBias: Change = ({ bias }) => ({ bias: bias!.map((b) => 2 * b) });
const biasesOfOthers: Change = ({ bias }) => ({ bias: rotated(bias!) });
const scalesOfOthers: Change = ({ weightScale }) => ({ weightScale: rotated(weightScale) });
const otherScale: Change = (linear) => ({ output: { ...output(linear), scale: output(linear).scale * 1.1 } });
const oneWeight: Change = ({ weight }) => ({
  weight: weight.map((w, i) => (i === 40 ? (w > 0 ? w - 90 : w + 90) : w)),
});

const oneBias: Change = (linear) => ({
  bias: linear.bias!.map((b, n) => (n === 3 ? b + 12 * output(linear).scale : b)),
});
const reversed: Change = ({ weight, inFeatures: k }) => ({
  weight: weight.map((_, i) => weight[i - (i % k) + k - 1 - (i % k)]),
});
const sevenBits = (linear: Product) => ({ ...output(linear), quantMax: 127 });

/** Each channel's multiplier cut to a power of two. */
function shifted(world: World, linear: Product): Int32Array {
  const multiplier = { ...float64Product, name: 'shift', toSteps: (l: Product) => byShift(l) };
  const steps = { ...kernel('numpy'), multiplier, round: halfUp, bias: int32BiasFloat64 };
  return outputsOf(world, steps, linear);
}

function byShift(linear: Product) {
  const real = linear.weightScale.map((w) => (w * linear.input.scale) / output(linear).scale);
  return (acc: number, n: number) => acc * 2 ** Math.floor(Math.log2(real[n % real.length]));
}

/** The low 8 bits of codes of any size. */
function wrapping(world: World, linear: Product): Int32Array {
  const wide = { ...output(linear), quantMin: -(2 ** 20), quantMax: 2 ** 20 };
  return outputsOf(world, kernel('fbgemm'), { ...linear, output: wide }).map((v) => v & 255);
}

const offBy128 = (world: World, linear: Product): Int32Array => outputsOf(world, undefined, linear).map((v) => v - 128);

/** Scales of powers of two: a multiplier of them is half a mantissa, and a shift in any number of bits. */
const inPowers = (world: World): World => {
  const power = (scale: number) => 2 ** Math.round(Math.log2(scale));
  const { input, weightScale } = world.linear;
  const y = output(world.linear);
  return {
    ...world,
    linear: {
      ...world.linear,
      weightScale: weightScale.map(power),
      input: { ...input, scale: power(input.scale) },
      output: { ...y, scale: power(y.scale) },
    },
  };
};

const shifting = fbgemmWith({ accumulate: roundedProductSums.find(({ product }) => product?.bits === 5)! });

test.each([
  ['signedness', 'scale-shifted', scalesOfOthers, offBy128],
  ['signedness', 'weight-value', oneWeight, offBy128],
  ['output-wraps', 'bias-factor', twiceTheBias, wrapping],
  ['output-wraps', 'bias-shifted', biasesOfOthers, wrapping],
  ['output-wraps', 'scale-shifted', scalesOfOthers, wrapping],
  ['output-wraps', 'weight-value', oneWeight, wrapping],
  ['output-wraps', 'bias-value', oneBias, wrapping],
  ['multiplier-short', 'bias-value', oneBias, shifted],
  ['multiplier-short', 'weight-value', oneWeight, shifted],
  [
    'product-rounded',
    'output-scale-wrong',
    otherScale,
    (world: World, own: Product) => outputsOf(world, shifting, own),
  ],
  [
    'weight-value',
    'scale-shifted',
    scalesOfOthers,
    (world: World, own: Product) => outputsOf(world, kernel('qnnpack'), { ...own, ...oneWeight(own) }),
  ],
] as const)('%s and %s', async (one, other, change, compute) => {
  const world = worldOf('small', randomFrom(31));
  const candidate = compute(world, { ...world.linear, ...change(world.linear) });
  const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
  expect(report.candidate_layers![0].diagnosis!.causes).toEqual(expect.arrayContaining([one, other]));
});

test('rounded down after the zero point in float32: of a base that has the same by chance no third cause is named', async () => {
  const world = worldOf('small', randomFrom(1345)); // one value in 1800 lies so close below an integer
  const candidate = outputsOf(world, fbgemmWith({ round: downward, offsetAndClamp: offsetClampRound }));
  const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
  const { causes } = report.candidate_layers![0].diagnosis!;
  expect(causes).toHaveLength(2);
  expect(causes).toContain('zero-point-before-rounding');
});

describe('where fixed point rounds twice', () => {
  const world = worldOf('small', randomFrom(32));
  const { linear } = world;
  const scaled = (by: number): Partial<Product> => ({
    output: { ...output(linear), scale: output(linear).scale * by },
  });
  test.each<[cause: string, what: string, wrong: Partial<Product>]>([
    ['output-scale-wrong', 'a scale twice the declared one', scaled(2)],
    ['output-scale-wrong', 'a scale nearly four times the declared one', scaled(3.7)],
    ['scale-shifted', 'scales of channels of thrice the scale', scalesOfOthers(linear)],
    ['scale-per-tensor', 'one scale for all', { weightScale: linear.weightScale.map(() => linear.weightScale[0]) }],
  ])('%s: %s', async (cause, _, wrong) => {
    const captured = outputsOf(world, kernel('tflite-double'));
    const report = await compareLayer(world, { ...linear, ...wrong }, captured, {
      producer: {},
      kernel: 'tflite-double',
    });
    expect(report.layers[0].diagnosis!.causes).toEqual([cause]);
  });
});

test.each([
  ['tflite-double', 2, 0.9],
  ['tflite-double', 3, 2.2],
  ['tflite-double-up', 2, 1.3],
])(
  'another input scale under two roundings, where its bias is rounded anew: %s, seed %i, times %d',
  async (name, seed, by) => {
    const world = worldOf('per tensor', randomFrom(seed));
    const declared = { ...world.linear, input: { ...world.linear.input, scale: world.linear.input.scale * by } };
    const captured = outputsOf(world, kernel(name));
    const report = await compareLayer(world, declared, captured, { producer: {}, kernel: name });
    expect(report.layers[0].diagnosis!.causes).toEqual(['input-scale-wrong']);
  },
);

test('biases that a file lacks, under two roundings', async () => {
  const world = worldOf('per tensor', randomFrom(1));
  const captured = outputsOf(world, kernel('cmsis-nn'));
  const report = await compareLayer(world, { ...world.linear, bias: null }, captured, {
    producer: {},
    kernel: 'cmsis-nn',
  });
  expect(report.layers[0].diagnosis!.causes).toEqual(['bias-missing']);
});

test('another input scale and rows in another order are no number a channel', async () => {
  const world = worldOf('per tensor', randomFrom(1));
  const declared = { ...world.linear, input: { ...world.linear.input, scale: world.linear.input.scale * 0.9 } };
  const right = outputsOf(world, kernel('tflite-double'));
  const moved = right.map((_, i) => right[(i + world.linear.outFeatures) % right.length]);
  const report = await compareLayer(world, declared, moved, { producer: {}, kernel: 'tflite-double' });
  expect([...report.layers[0].diagnosis!.causes].sort()).toEqual(['input-scale-wrong', 'samples-misaligned']);
});

test('an order of the scales and another input scale are no number a channel', async () => {
  const world = worldOf('small', randomFrom(34));
  const { linear } = world;
  const input = { ...linear.input, scale: linear.input.scale * 1.3 };
  const declared = { ...linear, ...scalesOfOthers(linear), input };
  const report = await compareLayer(world, declared, outputsOf(world), { producer: {} });
  expect([...report.layers[0].diagnosis!.causes].sort()).toEqual(['input-scale-wrong', 'scale-shifted']);
});

test('scales that are powers of two in a file with another output scale: that, and a shift after it', async () => {
  const world = inPowers(worldOf('small', randomFrom(35)));
  const declared = { ...world.linear, ...otherScale(world.linear) };
  const report = await compareLayer(world, declared, outputsOf(world, kernel('ort')), { producer: {}, kernel: 'ort' });
  expect(explanationsOf(report)).toEqual(expect.arrayContaining(['output-scale-wrong', 'multiplier-short']));
  expect(report.layers[0].diagnosis!.causes).toEqual(['output-scale-wrong']);
});

test('codes of the other sign, or a missing zero point of 128, beside another mistake: both are said', async () => {
  const world = worldOf('small', randomFrom(36));
  const { linear } = world;
  const declared = { ...linear, ...oneWeight(linear), input: { ...linear.input, zeroPoint: 0 } };
  const said = explanationsOf(await compareLayer(world, declared, outputsOf(world), { producer: {} }));
  expect(said).toEqual(
    expect.arrayContaining(['activation-zero-point-missing+weight-value', 'signedness+weight-value']),
  );
});

test.each([2, 3, 4])(
  'biases of other channels on another base are no stale file (zero point off by %i)',
  async (by) => {
    const world = worldOf('small', randomFrom(33));
    const moved = { ...output(world.linear), zeroPoint: output(world.linear).zeroPoint + by };
    const own = { ...world.linear, ...biasesOfOthers(world.linear), output: moved };
    const candidate = outputsOf(world, kernel('cmsis-nn'), own);
    const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
    expect(report.candidate_layers![0].diagnosis!.causes).not.toContain('bias-value');
  },
);

test('a scale of four digits that few values show beside another mistake is not named', async () => {
  const world = worldOf('small', randomFrom(41));
  const moved = { ...output(world.linear), scale: output(world.linear).scale * 1.0001 };
  const own = { ...world.linear, ...biasesOfOthers(world.linear), output: moved };
  const report = await compareLayer(world, world.linear, outputsOf(world), {
    candidate: outputsOf(world, undefined, own),
    producer: {},
  });
  expect(report.candidate_layers![0].diagnosis!.causes).not.toContain('output-scale-wrong');
});

test('one scale for all, where all are powers of two, is no multiplier of few bits', async () => {
  const world = inPowers(worldOf('small', randomFrom(38)));
  const linear = { ...world.linear, bias: null };
  const { weightScale } = linear;
  const candidate = outputsOf(world, undefined, {
    ...linear,
    weightScale: weightScale.map(() => Math.max(...weightScale)),
  });
  const report = await compareLayer({ ...world, linear }, linear, outputsOf(world, kernel('cmsis-nn'), linear), {
    candidate,
    producer: {},
    kernel: 'cmsis-nn',
  });
  const { causes } = report.candidate_layers![0].diagnosis!;
  expect(causes).toContain('scale-per-tensor');
  expect(causes).not.toContain('multiplier-short');
});

describe('rows in another order', () => {
  const moved = (values: Int32Array, width: number) => values.map((_, i) => values[(i + width) % values.length]);

  test('and another zero point, of three channels', async () => {
    const world = ofChannels(worldOf('per tensor', randomFrom(31)), 3);
    const { linear } = world;
    const file = { ...linear, output: { ...output(linear), zeroPoint: output(linear).zeroPoint + 5 } };
    const report = await compareLayer(world, file, moved(outputsOf(world), 3), { producer: {} });
    expect(report.layers[0].diagnosis!.causes).toEqual(['output-zero-point-wrong', 'samples-misaligned']);
  });

  test('and weights reversed along k', async () => {
    const world = worldOf('small', randomFrom(32));
    const own = { ...world.linear, ...reversed(world.linear) };
    const candidate = moved(outputsOf(world, undefined, own), own.outFeatures);
    const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
    expect([...report.candidate_layers![0].diagnosis!.causes].sort()).toEqual(['k-order', 'samples-misaligned']);
  });
});

test('stale biases and another scale of the input: the scale is what two values of a channel show', async () => {
  const world = worldOf('small', randomFrom(33));
  const { linear } = world;
  const random = randomFrom(34);
  const stale = linear.bias!.map((b) => b + random.normal() * output(linear).scale * 9);
  const file = { ...linear, bias: stale, input: { ...linear.input, scale: linear.input.scale * 1.25 } };
  const report = await compareLayer(world, file, outputsOf(world), { producer: {} });
  const sets = explanationsOf(report);
  expect(sets).toEqual(['bias-value+output-scale-wrong', 'bias-value+input-scale-wrong']);
});

test.each<[string, Change]>([
  [
    'input-scale-wrong+output-scale-wrong',
    (l) => ({ ...otherScale(l), input: { ...l.input, scale: l.input.scale * 0.7 } }),
  ],
  [
    'input-scale-wrong+output-zero-point-wrong',
    (l) => ({
      output: { ...output(l), zeroPoint: output(l).zeroPoint - 9 },
      input: { ...l.input, scale: l.input.scale * 1.3 },
    }),
  ],
  // a third has no few digits
  [
    'bias-factor+input-scale-wrong',
    (l) => ({ bias: l.bias!.map((b) => 3 * b), input: { ...l.input, scale: l.input.scale * 0.9 } }),
  ],
  ['bias-factor+input-scale-wrong', (l) => ({ ...twiceTheBias(l), input: { ...l.input, scale: l.input.scale * 1.3 } })],
  [
    'activation-zero-point-missing+output-scale-wrong',
    (l) => ({ ...otherScale(l), input: { ...l.input, zeroPoint: 0 } }),
  ],
  [
    'activation-zero-point-missing+output-zero-point-wrong',
    (l) => ({
      bias: null,
      output: { ...output(l), zeroPoint: output(l).zeroPoint - 9 },
      input: { ...l.input, zeroPoint: 0 },
    }),
  ],
  // an order, weights and biases hide a number as well
  ['activation-zero-point-missing+weight-value', (l) => ({ ...oneWeight(l), input: { ...l.input, zeroPoint: 0 } })],
  ['activation-zero-point-missing+k-order', (l) => ({ ...reversed(l), input: { ...l.input, zeroPoint: 0 } })],
  ['bias-factor+weight-value', (l) => ({ ...oneWeight(l), bias: l.bias!.map((b) => Math.fround(b / 10)) })],
  ['bias-missing+scale-shifted', (l) => ({ ...scalesOfOthers(l), bias: null })],
  ['bias-missing+output-scale-wrong', (l) => ({ ...otherScale(l), bias: null })],
])('a file with two wrong numbers that hide each other: %s', async (names, change) => {
  const world = worldOf('small', randomFrom(35));
  const file = { ...world.linear, ...change(world.linear) };
  // two zero points are shown without biases
  const bias = names.endsWith('missing+output-zero-point-wrong') ? null : world.linear.bias;
  const captured = outputsOf(world, undefined, { ...world.linear, bias });
  const report = await compareLayer(world, file, captured, { producer: {} });
  expect(explanationsOf(report)).toContain(names);
  expect(explanationsOf(report).join()).not.toContain('bias-value');
});

test.each<[string, Change]>([
  ['activation-zero-point-missing+bias-value', (l) => ({ ...oneBias(l), input: { ...l.input, zeroPoint: 0 } })],
  ['bias-value+scale-shifted', (l) => ({ ...oneBias(l), ...scalesOfOthers(l) })],
  [
    'bias-value+clamp-range',
    (l) => ({ bias: l.bias!.map((b, n) => b + ((n * 7) % 5) * 3.3 * output(l).scale), output: sevenBits(l) }),
  ],
])('what few biases, or all of them, leave of another mistake: %s', async (names, change) => {
  const world = worldOf('small', randomFrom(37));
  const candidate = outputsOf(world, undefined, { ...world.linear, ...change(world.linear) });
  const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
  expect([...report.candidate_layers![0].diagnosis!.causes].sort().join('+')).toBe(names);
});

test('a shift in place of the multiplier, and a zero point that only the ReLU shows', async () => {
  const world = worldOf('small', randomFrom(38));
  const linear = { ...world.linear, activation: 'relu' } as const;
  const moved = { ...output(linear), zeroPoint: output(linear).zeroPoint + 14 };
  const candidate = shifted(world, { ...linear, output: moved });
  const report = await compareLayer(world, linear, outputsOf(world, undefined, linear), { candidate, producer: {} });
  const { causes } = report.candidate_layers![0].diagnosis!;
  expect([...causes].sort()).toEqual(['multiplier-short', 'output-zero-point-wrong']);
});

test('one value is no order of the biases', async () => {
  const { x, ...whole } = worldOf('small', randomFrom(34));
  const world = { ...whole, samples: 4, x: x.slice(0, 4 * whole.linear.inFeatures) };
  const { bias } = world.linear;
  const right = outputsOf(world);
  const candidate = outputsOf(world, undefined, {
    ...world.linear,
    bias: bias!.map((b, n) => (n === 7 ? bias![8] : n === 8 ? bias![7] : b)),
  });
  expect(candidate.filter((v, i) => v !== right[i])).toHaveLength(1);
  const report = await compareLayer(world, world.linear, right, { candidate, producer: {} });
  expect(report.candidate_layers![0].diagnosis!.causes).toEqual(['unexplained']);
});

function ofChannels({ linear, ...world }: World, count: number): World {
  const own = {
    ...linear,
    outFeatures: count,
    weight: linear.weight.slice(0, linear.inFeatures * count),
    bias: linear.bias!.slice(0, count),
  };
  return { ...world, linear: own };
}

test('weight scales up to twice the one that a file has for all, where biases are rounded to integers', async () => {
  const world = worldOf('small', randomFrom(36));
  const { linear } = world;
  const weightScale = linear.weightScale.map((scale, n) => (n % 2 === 0 ? scale * 1.95 : scale));
  const own = { ...world, linear: { ...linear, weightScale } };
  const file = { ...linear, weightScale: linear.weightScale.map(() => Math.min(...linear.weightScale)) };
  const captured = outputsOf(own, kernel('numpy-float32'));
  const report = await compareLayer(own, file, captured, { producer: {}, kernel: 'numpy-float32' });
  expect(report.layers[0].diagnosis!.causes).toEqual(['scale-per-tensor']);
});

// constants of RTL and firmware are two tables: another multiplier leaves the integer biases as they are
test.each<[string, (scales: Float64Array) => Float64Array]>([
  ['scale-shifted', rotated],
  ['scale-per-tensor', (scales) => scales.map(() => scales[0])],
  ['weight-scale-wrong', (scales) => scales.map((s, n) => (n === 5 ? s / 2 : s))],
])('%s of the multipliers alone', async (cause, change) => {
  const world = worldOf('small', randomFrom(41));
  const { linear } = world;
  const steps = kernel('tflite-single');
  const bias = steps.bias.prepare(linear);
  const biasInt32 = bias.unit === 'int32' ? bias.values : null;
  const own = { ...linear, bias: null, biasInt32, weightScale: change(linear.weightScale) };
  const candidate = outputsOf(world, steps, own);
  const report = await compareLayer(world, linear, outputsOf(world, steps), {
    candidate,
    producer: {},
    kernel: 'tflite-single',
  });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  expect(causes).toEqual([cause]);
  expect(evidence).toMatchObject({ [cause]: { of: 'multipliers' } });
});

// a script beside FBGEMM, which adds a float bias: of integers, or of floats in units of sums, made at the declared scales
describe.each([
  ['int32', kernel('numpy-float32')],
  ['float', kernel('fbgemm')],
])('of the multipliers alone, beside a float bias, in a script with %s biases', (kind, steps) => {
  test.each<[string, (scales: Float64Array) => Float64Array]>([
    ['scale-shifted', rotated],
    ['scale-shifted', (scales) => scales.toReversed()],
    ['scale-per-tensor', (scales) => scales.map(() => scales[0])],
    ['scale-per-tensor', (scales) => scales.map(() => Math.max(...scales))],
    ['scale-per-tensor', (scales) => scales.map(() => scales.reduce((a, b) => a + b) / scales.length)],
    ['weight-scale-wrong', (scales) => scales.map((s, n) => (n === 5 ? s / 2 : s))],
  ])('%s', async (cause, change) => {
    const world = worldOf('small', randomFrom(43));
    const { linear } = world;
    const own = { ...linear, weightScale: change(linear.weightScale) };
    const bias = {
      ...steps.bias,
      prepare: (product: Product) => steps.bias.prepare({ ...product, weightScale: linear.weightScale }),
    };
    const candidate = outputsOf(world, { ...steps, bias }, own);
    const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
    const { causes, evidence } = report.candidate_layers![0].diagnosis!;
    expect(causes.filter((code) => kind === 'float' || code !== 'bias-int32')).toEqual([cause]);
    expect(evidence).toMatchObject({ [cause]: { of: 'multipliers' } });
  });
});
