import { describe, expect, test } from 'vitest';
import { unsignedSums } from '../../src/kernels/steps/unsignedSums.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { findings } from '../../src/report/words/findings.js';
import { compareLayer, type Kind, kernel, outputsOf, randomFrom, worldOf } from './world.js';

async function diagnosed(kind: Kind, wrong: (linear: Product) => Partial<Product>) {
  const world = worldOf(kind, randomFrom(71));
  const { linear } = world;
  const candidate = outputsOf(world, kernel('fbgemm'), { ...linear, ...wrong(linear) });
  const report = await compareLayer(world, linear, outputsOf(world), { candidate });
  const { causes, evidence, explained, of } = report.candidate_layers![0].diagnosis!;
  expect(explained).toBe(of);
  return { causes, evidence, said: JSON.stringify(findings(report, () => true)) };
}

const output = (linear: Product) => linear.output as QuantParams;
/** Real biases that are the same number of units of the sums under scales so many times as large. */
const inUnits = (linear: Product, factor: (n: number) => number) => linear.bias!.map((b, n) => b * factor(n));

describe.each(['small', 'per tensor'] as const)('of multipliers, %s', (kind) => {
  test.each<[string, string, (linear: Product) => Partial<Product>]>([
    [
      'input scale left out',
      'input-scale-wrong',
      (l) => ({ input: { ...l.input, scale: 1 }, bias: inUnits(l, () => 1 / l.input.scale) }),
    ],
    [
      'weight scales left out',
      'weight-scale-wrong',
      (l) => ({
        weightScale: l.weightScale.map(() => 1),
        bias: inUnits(l, (n) => 1 / l.weightScale[n % l.weightScale.length]),
      }),
    ],
    ['output scale left out', 'output-scale-wrong', (l) => ({ output: { ...output(l), scale: 1 } })],
    [
      "the input's scale in place of the output's",
      'output-scale-wrong',
      (l) => ({ output: { ...output(l), scale: l.input.scale } }),
    ],
    [
      'scales of input and output exchanged',
      'input-scale-wrong',
      (l) => ({
        input: { ...l.input, scale: output(l).scale },
        output: { ...output(l), scale: l.input.scale },
        bias: inUnits(l, () => output(l).scale / l.input.scale),
      }),
    ],
  ])('%s', async (title, cause, wrong) => {
    const { causes, said } = await diagnosed(kind, wrong);
    expect(causes).toEqual([cause]);
    expect(said).toContain(title);
  });

  test('of the output by a percent: wrong, not left out', async () => {
    const { causes, evidence } = await diagnosed(kind, (l) => ({
      output: { ...output(l), scale: output(l).scale * 1.01 },
    }));
    expect(causes).toEqual(['output-scale-wrong']);
    expect(evidence['output-scale-wrong']).not.toHaveProperty('left_out');
  });
});

const signAndMagnitude = (w: number) => (w < 0 ? -(w & 127) : w);

describe('of sums', () => {
  test.each<[string, string, (linear: Product) => Partial<ProductSteps>, object]>(
    unsignedSums.map((accumulate) => [accumulate.name, 'signedness', () => ({ accumulate }), { of: 'sum' }]),
  )('%s', async (_, cause, steps, found) => {
    const world = worldOf('small', randomFrom(75));
    const { linear } = world;
    const candidate = outputsOf(world, { ...kernel('qnnpack'), ...steps(linear) });
    const right = outputsOf(world, kernel('qnnpack'));
    const producer = { framework: 'pytorch', flow: 'eager', engine: 'qnnpack' } as const;
    const report = await compareLayer(world, linear, right, { candidate, producer });
    const { causes, evidence, explained, of } = report.candidate_layers![0].diagnosis!;
    expect([causes, explained]).toEqual([[cause], of]);
    expect(evidence[cause as 'signedness']).toMatchObject(found);
  });

  test.each(['small', 'per tensor'] as const)('the zero point of the output added to them, %s', async (kind) => {
    const world = worldOf(kind, randomFrom(76));
    const { linear } = world;
    const { zeroPoint } = output(linear);
    const bias = linear.bias!.map((b, n) => {
      const unit = linear.input.scale * linear.weightScale[n % linear.weightScale.length];
      return b + zeroPoint * unit;
    });
    const by = kernel('qnnpack');
    const candidate = outputsOf(world, by, { ...linear, bias, output: { ...output(linear), zeroPoint: 0 } });
    const producer = { framework: 'pytorch', flow: 'eager', engine: 'qnnpack' } as const;
    const report = await compareLayer(world, linear, outputsOf(world, by), { candidate, producer });
    const { causes, evidence } = report.candidate_layers![0].diagnosis!;
    expect(causes).toEqual(['output-zero-point-wrong']);
    expect(evidence['output-zero-point-wrong']).toMatchObject({ before_scaling: true });
  });
});

describe('weights by a rule', () => {
  test.each<[string, (weight: number) => number]>([
    ['halved, ties to even, then doubled', (w) => 2 * roundHalfEven(w / 2)],
    ['halved, ties away from zero, then doubled', (w) => 2 * Math.sign(w) * Math.round(Math.abs(w) / 2)],
    ['halved, cut towards zero, then doubled', (w) => 2 * Math.trunc(w / 2)],
    ['with the other sign', (w) => -w],
    ['without their sign', Math.abs],
    ["read as sign and magnitude, not two's complement", signAndMagnitude],
    ["read as one's complement", (w) => (w < 0 ? w + 1 : w)],
  ])('%s', async (rule, made) => {
    const { causes, evidence } = await diagnosed('small', (l) => ({ weight: Int16Array.from(l.weight, made) }));
    expect(causes).toEqual(['weight-value']);
    expect(evidence['weight-value']).toMatchObject({ rule });
  });
});

describe('weights of 4 bits by a rule', () => {
  const world = worldOf('small', randomFrom(73));
  const linear: Product = { ...world.linear, weight: world.linear.weight.map((w) => w >> 4) };

  test.each<[string, (weight: number) => number]>([
    ['of 4 bits read without a sign', (w) => w & 15],
    ['with the top one of their 4 bits flipped', (w) => ((w + 8) << 28) >> 28],
  ])('%s', async (rule, made) => {
    const right = outputsOf(world, undefined, linear);
    const candidate = outputsOf(world, undefined, { ...linear, weight: linear.weight.map(made) });
    const report = await compareLayer({ ...world, linear }, linear, right, { candidate });
    const { causes, evidence } = report.candidate_layers![0].diagnosis!;
    expect(causes).toEqual(['weight-value']);
    expect(evidence['weight-value']).toMatchObject({ rule });
  });
});

describe.each(['small', 'int8 with ReLU'] as const)('a top bit that is flipped, %s', (kind) => {
  const world = worldOf(kind, randomFrom(72));
  const flipped = (codes: ArrayLike<number>) => Array.from(codes, (code) => code ^ 0x80);
  /** As the bytes of the dtype. */
  const bytes = (codes: ArrayLike<number>) => {
    const Bytes = output(world.linear).quantMin < 0 ? Int8Array : Uint8Array;
    return Int32Array.from(new Bytes(Uint8Array.from(flipped(codes)).buffer));
  };

  test('of the output', async () => {
    const right = outputsOf(world);
    const report = await compareLayer(world, world.linear, right, { candidate: bytes(right) });
    const { causes, evidence } = report.candidate_layers![0].diagnosis!;
    expect(causes).toEqual(['signedness']);
    expect(evidence.signedness).toMatchObject({ of: 'output', top_bit: true });
  });

  test('of the input', async () => {
    const x = bytes(world.x);
    const candidate = outputsOf({ ...world, x: world.x instanceof Int8Array ? Int8Array.from(x) : Uint8Array.from(x) });
    const report = await compareLayer(world, world.linear, outputsOf(world), { candidate });
    const { causes, evidence } = report.candidate_layers![0].diagnosis!;
    expect(causes).toEqual(['signedness']);
    expect(evidence.signedness).toMatchObject({ of: 'activation', top_bit: true });
  });
});
