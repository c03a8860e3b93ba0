/** What few values admit by chance has no name, and what many say has the same one under a float path as under integers. */
import { describe, expect, test } from 'vitest';
import { int32BiasFloat64, realBias } from '../../src/kernels/steps/bias.js';
import { float64Product } from '../../src/kernels/steps/multiplier.js';
import { roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import { downward, halfUp } from '../../src/kernels/steps/round.js';
import type { MultiplierStep, Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { clamp } from '../../src/numeric/integer.js';
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

/** Few samples of few channels. */
function tiny(seed: number, samples = 3, outFeatures = 1): World {
  const { linear, x, ...world } = worldOf('small', randomFrom(seed));
  const ofFew: Product = {
    ...linear,
    outFeatures,
    weight: linear.weight.slice(0, linear.inFeatures * outFeatures),
    weightScale: linear.weightScale.slice(0, outFeatures),
    weightZeroPoint: linear.weightZeroPoint.slice(0, outFeatures),
    bias: linear.bias?.slice(0, outFeatures) ?? null,
  };
  return { ...world, linear: ofFew, x: x.slice(0, samples * linear.inFeatures), samples };
}

test('three values, of which some are clamped, are no evidence of two mistakes', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const world = tiny(seed);
    const random = randomFrom(seed + 1000);
    const candidate = outputsOf(world).map((_, i) => (i === 0 ? random.integer(1, 254) : 255 * random.integer(0, 1)));
    const report = await compareLayer(world, world.linear, outputsOf(world), { candidate });
    for (const name of explanationsOf(report)) expect(name).not.toContain('+');
  }
});

const OF_THE_WHOLE_LAYER = /-scale-wrong|zero-point-wrong|bias-factor/;

test('one value of few that is a code away is no evidence of a number of the whole layer', async () => {
  for (const [samples, channels] of [
    [6, 1],
    [3, 2],
    [8, 4],
  ]) {
    for (let seed = 1; seed <= 6; seed++) {
      const world = tiny(seed, samples, channels);
      const right = outputsOf(world);
      const random = randomFrom(seed + 100);
      const at = random.integer(0, right.length - 1);
      const candidate = right.map((v, i) => (i === at ? clamp(v + 2 * random.integer(0, 1) - 1, 0, 255) : v));
      const report = await compareLayer(world, world.linear, right, { candidate });
      for (const name of explanationsOf(report)) expect(name).not.toMatch(OF_THE_WHOLE_LAYER);
    }
  }
});

test.each([4, 5, 11])(
  'scales of their own, of which two channels tell, are no two numbers of all (%i)',
  async (seed) => {
    const world = tiny(seed, 20, 8);
    const bias = world.linear.bias!.map((b, n) => (n < 2 ? b : -9));
    const linear = { ...world.linear, activation: 'relu' as const, bias };
    const weightScale = linear.weightScale.map(
      (scale, n) => scale * [0.96, 0.98, 0.99, 0.97, 0.93, 0.99, 0.98, 0.95][n],
    );
    const candidate = outputsOf(world, undefined, { ...linear, weightScale });
    const report = await compareLayer(world, linear, outputsOf(world, undefined, linear), { candidate, producer: {} });
    expect(explanationsOf(report)).toEqual(['unexplained']);
  },
);

test("two scales that two decimals make one may be one scale in the other's place", async () => {
  const world = worldOf('per tensor', randomFrom(6));
  const output = { ...(world.linear.output as QuantParams), scale: 0.0209 };
  const input = { ...world.linear.input, scale: 0.0235 };
  const linear = { ...world.linear, input, output, bias: null, weightScale: Float64Array.of(0.0071) };
  const candidate = outputsOf(world, kernel('tflite-single'), { ...linear, output: { ...output, scale: input.scale } });
  const right = outputsOf(world, kernel('tflite-double'), linear);
  const report = await compareLayer(world, linear, right, { candidate, producer: {}, kernel: 'tflite-double' });
  expect(report.candidate_layers![0].diagnosis!.causes).toContain('output-scale-wrong');
  expect(explanationsOf(report)).toContain('fixed-point-multiplier+scale-rounded');
});

test('some values next to the declared ones, of a dozen, are given by a number or a multiplier of few bits by chance', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = tiny(seed, 3, 2 + (seed % 3));
    const right = outputsOf(world);
    const random = randomFrom(seed + 300);
    const candidate = right.map((v) => clamp(v + Number(random.uniform() < 0.4), 0, 255));
    const report = await compareLayer(world, world.linear, right, { candidate });
    for (const name of explanationsOf(report))
      expect(name).not.toMatch(/(input|weight)-zero-point|scale-wrong|multiplier-short/);
  }
});

test('a code more everywhere above a ReLU is told of a few values', async () => {
  const world = tiny(5, 3, 4);
  const { zeroPoint } = world.linear.output as QuantParams;
  const linear = { ...world.linear, activation: 'relu' as const };
  const right = outputsOf(world, undefined, linear);
  const candidate = right.map((v) => (v > zeroPoint ? clamp(v + 1, 0, 255) : v));
  const report = await compareLayer(world, linear, right, { candidate });
  expect(explanationsOf(report)).toContain('output-zero-point-wrong');
});

test('no bias, and some values more that are wrong, is no factor next to 0', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = tiny(seed, 4, 4);
    const random = randomFrom(seed + 500);
    const without = outputsOf(world, undefined, { ...world.linear, bias: null });
    const candidate = without.map((v) => clamp(v + Number(random.uniform() < 0.1), 0, 255));
    const report = await compareLayer(world, world.linear, outputsOf(world), { candidate });
    for (const name of explanationsOf(report)) expect(name).not.toContain('bias-factor');
  }
});

test('three values that a scale moves are enough', async () => {
  const world = tiny(1, 3);
  const { linear } = world;
  const output = linear.output as QuantParams;
  const candidate = outputsOf(world, undefined, { ...linear, output: { ...output, scale: output.scale * 1.25 } });
  const report = await compareLayer(world, linear, outputsOf(world), { candidate });
  expect(explanationsOf(report)).toContain('output-scale-wrong');
});

/** (acc * k + half) >> n with each channel's number in so many bits, the bias rounded to the sums' units. */
function shortened(world: World, bits: number, half: boolean): Int32Array {
  const { linear, x, samples } = world;
  const { inFeatures, outFeatures, weight, weightScale, input, bias } = linear;
  const output = linear.output as QuantParams;
  return Int32Array.from({ length: samples * outFeatures }, (_, at) => {
    const [row, n] = [Math.floor(at / outFeatures), at % outFeatures];
    const unit = input.scale * (weightScale[n] ?? weightScale[0]);
    let acc = bias ? Math.round(bias[n] / unit) : 0;
    for (let k = 0; k < inFeatures; k++) {
      acc += (x[row * inFeatures + k] - input.zeroPoint) * weight[n * inFeatures + k];
    }
    const real = unit / output.scale;
    const shift = bits - (Math.floor(Math.log2(real)) + 1);
    const product = (acc * Math.round(real * 2 ** shift)) / 2 ** shift;
    return clamp(Math.floor(product + (half ? 0.5 : 0)) + output.zeroPoint, output.quantMin, output.quantMax);
  });
}

describe.each(['fbgemm', 'pt2e-reference', 'tflite-double'])('declared as %s', (declared) => {
  const world = worldOf('per tensor', randomFrom(5));

  test.each([
    ['a shift', 1, true, ['multiplier-short']],
    ['8 bits', 8, true, ['multiplier-short']],
    ['8 bits, rounded down', 8, false, ['rounding-floor', 'multiplier-short']],
  ])('a multiplier of few bits: %s', async (_, bits, half, causes) => {
    const captured = outputsOf(world, kernel(declared === 'pt2e-reference' ? 'fbgemm' : declared));
    const report = await compareLayer(world, world.linear, captured, {
      candidate: shortened(world, bits, half),
      producer: {},
      kernel: declared,
    });
    expect(report.candidate_layers![0].diagnosis).toMatchObject({ causes, lost: 0 });
  });
});

test.each([14, 16])(
  'a multiplier of %i bits, rounded once, beside two roundings that leave it more room than it needs',
  async (bits) => {
    const world = worldOf('small', randomFrom(5));
    const report = await compareLayer(world, world.linear, outputsOf(world, kernel('tflite-double')), {
      candidate: shortened(world, bits, true),
      producer: {},
      kernel: 'tflite-double',
    });
    expect(explanationsOf(report)).toContain('multiplier-short');
  },
);

test.each([8, 10, 12, 15])(
  'a multiplier of %i bits, beside a float bias, is at least as likely as another scale',
  async (bits) => {
    const world = worldOf('per tensor', randomFrom(6));
    const { input, weightScale, output } = world.linear;
    const real = (input.scale * weightScale[0]) / (output as QuantParams).scale;
    const unit = 2 ** (bits - Math.floor(Math.log2(real)) - 1);
    const own = Math.round(real * unit) / unit;
    const toSteps: MultiplierStep['toSteps'] =
      (_, { scale }) =>
      (acc, _n, bias) =>
        acc * own + bias / scale;
    const steps = { bias: realBias, multiplier: { ...float64Product, toSteps }, offsetAndClamp: roundThenOffset };
    const candidate = outputsOf(world, fbgemmWith(steps));
    const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
    expect(explanationsOf(report)).toContain('multiplier-short');
  },
);

test('a scale that four decimals give by chance may be any other', async () => {
  const world = worldOf('per tensor', randomFrom(6));
  const input = { ...world.linear.input, scale: 0.0214566 };
  const declared = { ...world.linear, input };
  const right = outputsOf({ ...world, linear: declared });
  const candidate = outputsOf(world, undefined, { ...declared, input: { ...input, scale: 0.0214566 * 1.002 } });
  const report = await compareLayer(world, declared, right, { candidate, producer: {} });
  expect(explanationsOf(report)).toContain('input-scale-wrong');
});

test.each([
  ['to the nearest power', Math.round],
  ['down', Math.floor],
])('a shift of each channel, its logarithm rounded %s, and a float bias', async (_, round) => {
  const world = worldOf('small', randomFrom(41));
  const { input, weightScale, output } = world.linear;
  const shift = (n: number) => 2 ** round(Math.log2((input.scale * weightScale[n]) / (output as QuantParams).scale));
  const multiplier = { ...float64Product, toSteps: () => (acc: number, n: number) => acc * shift(n) };
  const candidate = outputsOf(world, fbgemmWith({ multiplier, offsetAndClamp: roundThenOffset }));
  const report = await compareLayer(world, world.linear, outputsOf(world), { candidate, producer: {} });
  expect(report.candidate_layers![0].diagnosis).toMatchObject({ causes: ['multiplier-short'], lost: 0 });
});

describe('biases of some channels', () => {
  const world = worldOf('small', randomFrom(26));
  const { linear } = world;
  const step = (linear.output as QuantParams).scale;
  const moved = (by: (n: number) => number) => ({ ...linear, bias: linear.bias!.map((b, n) => b + by(n) * step) });

  test('and rounding down: two causes, not a number a channel', async () => {
    const stale = moved((n) => (n % 5 === 2 ? 9 : 0));
    const candidate = outputsOf(world, fbgemmWith({ round: downward }), stale);
    const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
    const { causes, evidence } = report.candidate_layers![0].diagnosis!;
    expect([...causes].sort()).toEqual(['bias-value', 'rounding-floor']);
    expect(evidence['bias-value']).toMatchObject({ found: [{}, {}] });
  });

  test('half a step up in the others is no rounding', async () => {
    const candidate = outputsOf(
      world,
      undefined,
      moved((n) => (n % 5 === 2 ? 9 : 0.5)),
    );
    const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
    expect(report.candidate_layers![0].diagnosis!.causes).not.toContain('rounding-floor');
  });
});

test('one stale bias where all are so small that another order nearly gives it', async () => {
  const world = worldOf('wide', randomFrom(27));
  const step = (world.linear.output as QuantParams).scale;
  const linear = { ...world.linear, bias: world.linear.bias!.map((b) => b / 10) };
  const stale = { ...linear, bias: linear.bias.map((b, n) => b + (n === 4 ? 6 * step : 0)) };
  const captured = outputsOf(world, kernel('tflite-single'), linear);
  const report = await compareLayer(world, stale, captured, { producer: {}, kernel: 'tflite-single' });
  expect(report.layers[0].diagnosis!.causes).toEqual(['bias-value']);
});

test('stale biases of which one lies in what two roundings leave open are no other rounding', async () => {
  const named: string[] = [];
  for (let seed = 1; seed <= 6; seed++) {
    const world = worldOf('wide', randomFrom(seed + 70));
    const random = randomFrom(seed + 170);
    const step = (world.linear.output as QuantParams).scale;
    const bias = world.linear.bias!.map((b, n) => b + random.normal() * step * (n % 3 === 0 ? 0.02 : 6));
    const own = { ...world.linear, bias };
    const steps = kernel('tflite-double');
    const candidate = outputsOf(world, steps, own);
    const report = await compareLayer(world, world.linear, outputsOf(world, steps), {
      candidate,
      producer: {},
      kernel: 'tflite-double',
    });
    named.push(report.candidate_layers![0].diagnosis!.causes.join('+'));
  }
  expect(new Set(named)).toEqual(new Set(['bias-value']));
});

test('a scale that few values ask for beside another mistake is not named', async () => {
  const world = tiny(3, 6, 6);
  const { linear } = world;
  const { inFeatures } = linear;
  const reversed = linear.weight.map((_, i) => linear.weight[i - (i % inFeatures) + inFeatures - 1 - (i % inFeatures)]);
  const output = linear.output as QuantParams;
  const own = { ...linear, weight: reversed };
  const candidate = outputsOf(world, undefined, { ...own, output: { ...output, scale: output.scale * 1.004 } });
  const few = outputsOf(world, undefined, own).filter((v, i) => v !== candidate[i]).length;
  expect([few > 2, few < 8]).toEqual([true, true]);
  const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
  expect(explanationsOf(report).join()).not.toMatch(OF_THE_WHOLE_LAYER);
});

test.each([
  ['with biases', true],
  ['without', false],
])('a short multiplier of one scale for all channels, %s', async (_, biased) => {
  const world = worldOf('small', randomFrom(6));
  const linear = biased ? world.linear : { ...world.linear, bias: null };
  const weightScale = linear.weightScale.map(() => Math.max(...linear.weightScale));
  const candidate = shortened({ ...world, linear: { ...linear, weightScale } }, 7, true);
  const captured = outputsOf(world, undefined, linear);
  const report = await compareLayer(world, linear, captured, { candidate, producer: {} });
  const { causes, explained, of } = report.candidate_layers![0].diagnosis!;
  expect([...causes].sort()).toEqual(['multiplier-short', 'scale-per-tensor']);
  expect(explained).toBe(of);
});

test('a multiplier of 3 bits that are cut off, all channels with one shift, where a hypothesis is tried on some channels first', async () => {
  const world = worldOf('wide', randomFrom(14));
  const { linear } = world;
  const real = linear.weightScale.map((s) => (s * linear.input.scale) / (linear.output as QuantParams).scale);
  const shift = 2 - Math.floor(Math.log2(Math.max(...real)));
  const cut = real.map((m) => Math.max(1, Math.floor(m * 2 ** shift)) * 2 ** -shift);
  const multiplier = { ...float64Product, toSteps: () => (acc: number, n: number) => acc * cut[n] };
  const steps = fbgemmWith({ multiplier, bias: int32BiasFloat64, round: halfUp, offsetAndClamp: roundThenOffset });
  const report = await compareLayer(world, linear, outputsOf(world), {
    candidate: outputsOf(world, steps),
    producer: {},
  });
  expect(report.candidate_layers![0].diagnosis!.causes).toEqual(['multiplier-short']);
});

test('a short multiplier that four values show beside one scale for all is no other output scale', async () => {
  const world = worldOf('small', randomFrom(6));
  const linear = { ...world.linear, bias: null };
  const weightScale = linear.weightScale.map(() => Math.max(...linear.weightScale));
  const candidate = shortened({ ...world, linear: { ...linear, weightScale } }, 12, true);
  const report = await compareLayer(world, linear, outputsOf(world, undefined, linear), { candidate, producer: {} });
  expect(explanationsOf(report).join()).not.toMatch(OF_THE_WHOLE_LAYER);
});

test('a shift in place of the multiplier and one weight, where biases are rounded otherwise', async () => {
  const world = worldOf('per tensor', randomFrom(12));
  const { linear } = world;
  const weight = linear.weight.map((w, i) => (i === 70 ? (w > 0 ? w - 90 : w + 90) : w));
  const candidate = shortened({ ...world, linear: { ...linear, weight } }, 1, true);
  const captured = outputsOf(world, kernel('qnnpack'), linear);
  const report = await compareLayer(world, linear, captured, { candidate, producer: {}, kernel: 'qnnpack' });
  const { causes } = report.candidate_layers![0].diagnosis!;
  expect([...causes].sort()).toEqual(['multiplier-short', 'weight-value']);
});

test("a file without its input's zero point, and biases of other channels: no number a channel", async () => {
  const world = worldOf('wide', randomFrom(1));
  const { linear } = world;
  const four = { ...world, samples: 4, x: world.x.slice(0, 4 * linear.inFeatures) };
  const [first, ...others] = linear.bias!;
  const bias = Float32Array.of(...others, first);
  const declared = { ...linear, input: { ...linear.input, zeroPoint: 0 }, bias };
  const report = await compareLayer(four, declared, outputsOf(four), { producer: {} });
  expect([...report.layers[0].diagnosis!.causes].sort()).toEqual(['activation-zero-point-missing', 'bias-shifted']);
});

test('a factor of the biases is named alone where the candidate rounds them and the declared kernel does not', async () => {
  const world = worldOf('wide', randomFrom(9));
  const bias = world.linear.bias!.map((b) => b / 2);
  const candidate = outputsOf(world, kernel('ort'), { ...world.linear, bias });
  const report = await compareLayer(world, world.linear, outputsOf(world), { candidate });
  const { causes, evidence } = report.candidate_layers![0].diagnosis!;
  expect(causes).toContain('bias-factor');
  expect(causes).not.toContain('fixed-point-multiplier');
  const { factor, interval } = evidence['bias-factor'] as { factor: number; interval: [number, number] };
  expect(factor).toBeGreaterThanOrEqual(interval[0]);
  expect(factor).toBeLessThanOrEqual(interval[1]);
});

test('rows in another order are found on what the other side is found to do', async () => {
  const world = worldOf('small', randomFrom(4));
  const captured = outputsOf(world, kernel('ort'));
  const width = world.linear.outFeatures;
  const candidate = Int32Array.from([...captured.subarray(width), ...captured.subarray(0, width)]);
  const report = await compareLayer(world, world.linear, captured, { candidate, producer: {} });
  expect(report.candidate_layers![0].diagnosis!.causes).toContain('samples-misaligned');
});

test('biases in another order under another zero point: two causes with one number, not a number a channel', async () => {
  const world = worldOf('small', randomFrom(21));
  const { linear } = world;
  const output = linear.output as QuantParams;
  const [first, ...others] = linear.bias!;
  const candidate = outputsOf(world, kernel('fbgemm'), {
    ...linear,
    bias: Float32Array.of(...others, first),
    output: { ...output, zeroPoint: output.zeroPoint + 3 },
  });
  const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
  expect([...report.candidate_layers![0].diagnosis!.causes].sort()).toEqual([
    'bias-shifted',
    'output-zero-point-wrong',
  ]);
});

test('one scale for all channels, and a cast that wraps', async () => {
  const world = worldOf('small', randomFrom(22));
  const { linear } = world;
  const output = linear.output as QuantParams;
  const weightScale = new Float64Array(linear.outFeatures).fill(Math.max(...linear.weightScale));
  const wide = { ...output, quantMin: -(2 ** 20), quantMax: 2 ** 20 };
  const candidate = outputsOf(world, kernel('fbgemm'), { ...linear, weightScale, output: wide }).map((v) => v & 255);
  const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
  expect([...report.candidate_layers![0].diagnosis!.causes].sort()).toEqual(['output-wraps', 'scale-per-tensor']);
});

test('weights reversed along k, and another zero point', async () => {
  const world = worldOf('small', randomFrom(23));
  const { linear } = world;
  const { inFeatures, weight } = linear;
  const output = linear.output as QuantParams;
  const reversed = weight.map((_, i) => weight[i - (i % inFeatures) + inFeatures - 1 - (i % inFeatures)]);
  const moved = { ...linear, weight: reversed, output: { ...output, zeroPoint: output.zeroPoint + 4 } };
  const candidate = outputsOf(world, kernel('fbgemm'), moved);
  const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
  expect([...report.candidate_layers![0].diagnosis!.causes].sort()).toEqual(['k-order', 'output-zero-point-wrong']);
});

const shifted = <A extends Float32Array>(values: A) => Float32Array.of(...values.subarray(1), values[0]);

/** One channel whose values lie below the zero point, others that begin above; `lower`: by so many steps. */
function oneBelow(lower: number): World {
  const world = worldOf('small', randomFrom(31));
  const { linear } = world;
  const steps = (n: number) => (n === 0 ? -60 : n === 1 ? 60 - lower : 60) * (linear.output as QuantParams).scale;
  const weightScale = linear.weightScale.map((s) => s / 8);
  return { ...world, linear: { ...linear, weightScale, bias: linear.bias!.map((_, n) => steps(n)) } };
}

test('a channel that a ReLU clamps everywhere is no channel that nobody computed', async () => {
  const world = oneBelow(0);
  const { linear } = world;
  const candidate = outputsOf(world, kernel('fbgemm'), { ...linear, activation: 'relu' });
  const report = await compareLayer(world, linear, outputsOf(world), { candidate });
  expect(report.candidate_layers![0].diagnosis).toMatchObject({ causes: ['capture-after-relu'], lost: 0 });
});

test('a channel of zero points beside one that a ReLU would clamp holds one value', async () => {
  const world = oneBelow(60);
  const { linear } = world;
  const { zeroPoint } = linear.output as QuantParams;
  const right = outputsOf(world);
  const candidate = right.map((code, i) => (i % linear.outFeatures === 0 ? zeroPoint : code));
  const report = await compareLayer(world, linear, right, { candidate });
  expect(report.candidate_layers![0].diagnosis).toMatchObject({ causes: ['constant-values'], lost: 0 });
});

test('one value on both sides is no sum that leaves 16 bits', async () => {
  const world = tiny(32, 40, 1);
  const { linear } = world;
  const step = (linear.output as QuantParams).scale;
  const file = { ...linear, weightScale: linear.weightScale.map((s) => s / 1e4), bias: Float32Array.of(40 * step) };
  const right = outputsOf(world, kernel('fbgemm'), file);
  expect(new Set(right).size).toBe(1);
  const report = await compareLayer(world, file, right, { candidate: right.map(() => 0), producer: {} });
  expect(explanationsOf(report)).toEqual(['constant-values']);
});

test('codes off by 128 and biases in another order, on another base: two causes, not a number a channel', async () => {
  const world = worldOf('per tensor', randomFrom(24));
  const { linear } = world;
  const input = { ...linear.input, zeroPoint: linear.input.zeroPoint + 128 };
  const candidate = outputsOf(world, kernel('ort'), { ...linear, input, bias: shifted(linear.bias!) });
  const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
  const { causes } = report.candidate_layers![0].diagnosis!;
  expect(causes).toEqual(expect.arrayContaining(['signedness', 'bias-shifted']));
  expect(causes).not.toContain('bias-value');
});

test('a bias in output steps is one times s_y: both names are said', async () => {
  const world = worldOf('small', randomFrom(25));
  const { linear } = world;
  const step = (linear.output as QuantParams).scale;
  const candidate = outputsOf(world, kernel('fbgemm'), { ...linear, bias: linear.bias!.map((b) => b * step) });
  const report = await compareLayer(world, linear, outputsOf(world), { candidate, producer: {} });
  expect(explanationsOf(report)).toEqual(expect.arrayContaining(['bias-unscaled', 'bias-factor']));
});

test('one value that half of each bias would give is no factor of them all', async () => {
  const world = tiny(26, 4, 3);
  const { linear } = world;
  const declared = outputsOf(world);
  const halved = outputsOf(world, kernel('fbgemm'), { ...linear, bias: linear.bias!.map((b) => b / 2) });
  const first = halved.findIndex((code, i) => code !== declared[i]);
  const same = (n: number) => (n === first % 3 ? linear.bias![n] : 0);
  const bias = linear.bias!.map((_, n) => same(n));
  const file = { ...linear, bias };
  const right = outputsOf(world, kernel('fbgemm'), file);
  const candidate = right.map((code, i) => (i === first ? halved[i] : code));
  const report = await compareLayer(world, file, right, { candidate, producer: {} });
  expect(explanationsOf(report)).not.toContain('bias-factor');
});

test.each([
  ['of few channels', 'per tensor', 3, 30],
  ['of two steps at most', 'small', 12, 1],
] as const)('stale biases %s, which some rule would nearly give', async (_, kind, channels, steps) => {
  const { linear, ...world } = worldOf(kind, randomFrom(27));
  const step = (linear.output as QuantParams).scale;
  const random = randomFrom(28);
  const of = (count: number) => ({
    ...linear,
    outFeatures: count,
    weight: linear.weight.slice(0, linear.inFeatures * count),
    weightScale: linear.weightScale.slice(0, count),
    bias: Float32Array.from({ length: count }, () => random.normal() * step * 3),
  });
  const right = of(channels);
  const bias = right.bias.map((b) => b + random.normal() * step * steps);
  const file = { ...right, bias };
  const own = { ...world, linear: right };
  const report = await compareLayer(own, file, outputsOf(own), { producer: {} });
  expect(report.layers[0].diagnosis!.causes).toEqual(['bias-value']);
});

test('a constant that no zero point of the output gives is no stale bias of each of three channels', async () => {
  const world = tiny(29, 40, 3);
  const { linear } = world;
  const file = { ...linear, output: { ...(linear.output as QuantParams), zeroPoint: 0 } };
  const right = outputsOf(world, kernel('fbgemm'), file);
  const candidate = right.map((code) => Math.max(0, code - 2));
  const report = await compareLayer(world, file, right, { candidate, producer: {} });
  expect(explanationsOf(report).join()).not.toContain('bias-value');
});

test('a value that rounds twice past a half is no tie', async () => {
  const named: string[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const world = worldOf('small', randomFrom(seed + 500));
    const some = { ...world, x: world.x.slice(0, 12 * world.linear.inFeatures), samples: 12 };
    const right = outputsOf(some, kernel('ort'));
    const candidate = outputsOf(some, kernel('tflite-double'));
    if (right.every((code, i) => code === candidate[i])) continue;
    const report = await compareLayer(some, world.linear, right, { candidate, producer: { framework: 'onnxruntime' } });
    named.push(report.candidate_layers![0].diagnosis!.causes.join('+'));
  }
  expect(named.length).toBeGreaterThan(0);
  expect(named).not.toContain('rounding-half-away');
});
