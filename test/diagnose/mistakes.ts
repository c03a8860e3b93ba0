import { int16Wrap } from '../../src/kernels/steps/accumulate.js';
import { float64Bias, int32BiasFloat64, noBias, unscaledBias } from '../../src/kernels/steps/bias.js';
import { fixedPointDoubleRounding, float64Product } from '../../src/kernels/steps/multiplier.js';
import { offsetClampRound64, roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import { downward, insideMultiplier, towardZero } from '../../src/kernels/steps/round.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Linear } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { fbgemmWith, kernel, outputsOf, type Random, type World } from './world.js';

/** What a mistake makes of a layer: what the file declares, what was captured, what a candidate has. */
export interface Scene {
  readonly declared: Linear;
  readonly captured: NumericArray;
  readonly candidate?: NumericArray;
}

export interface Mistake {
  readonly name: string;
  /** The causes it is expected to be named by (or to be indistinguishable from what is named). */
  readonly causes: readonly string[];
  readonly make: (world: World, random: Random) => Scene | null;
}

const output = (linear: Linear) => linear.output as QuantParams;

/** The file is wrong: the capture follows the truth, the model declares something else. */
function file(
  name: string,
  cause: string,
  change: (linear: Linear, random: Random) => Partial<Linear> | null,
): Mistake {
  return {
    name: `file: ${name}`,
    causes: [cause],
    make: (world, random) => {
      const wrong = change(world.linear, random);
      return wrong && { declared: { ...world.linear, ...wrong }, captured: outputsOf(world) };
    },
  };
}

/** The capture comes from another kernel than the declared fbgemm. */
function capture(name: string, causes: string[], from: string): Mistake {
  return {
    name: `capture: ${name}`,
    causes,
    make: (world) => ({ declared: world.linear, captured: outputsOf(world, kernel(from)) }),
  };
}

/** The candidate departs; file and capture are right. */
function candidate(
  name: string,
  causes: string[],
  compute: (world: World, random: Random) => NumericArray | null,
): Mistake {
  return {
    name: `candidate: ${name}`,
    causes,
    make: (world, random) => {
      const values = compute(world, random);
      return values && { declared: world.linear, captured: outputsOf(world), candidate: values };
    },
  };
}

const rotated = <A extends Float64Array | Float32Array>(values: A, by: number): A =>
  values.map((_, i) => values[(i + by) % values.length]) as A;

function shuffledRows(values: NumericArray, samples: number, random: Random): NumericArray {
  const width = values.length / samples;
  const order = Array.from({ length: samples }, (_, i) => i);
  for (let i = samples - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const shuffled = values.slice();
  order.forEach((from, to) => {
    shuffled.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return shuffled;
}

function flippedWeight(linear: Linear, random: Random): Linear['weight'] {
  const weight = linear.weight.slice();
  const at = random.integer(0, weight.length - 1);
  weight[at] = weight[at] >= 0 ? weight[at] - 64 : weight[at] + 64;
  return weight;
}

export const MISTAKES: readonly Mistake[] = [
  capture('saturating FBGEMM', ['int16-saturation'], 'fbgemm-avx2'),
  file('zero point of the output', 'output-zero-point-wrong', (l) => ({
    output: { ...output(l), zeroPoint: output(l).zeroPoint + 3 },
  })),
  file('scale of the output', 'output-scale-wrong', (l) => ({
    output: { ...output(l), scale: output(l).scale * 1.05 },
  })),
  file('scale of the input', 'input-scale-wrong', (l) => ({ input: { ...l.input, scale: l.input.scale * 0.9 } })),
  file('scale of some channels', 'weight-scale-wrong', (l) =>
    l.perChannel
      ? { weightScale: l.weightScale.map((s, n) => (n % 5 === 1 ? s * 1.2 : s)) }
      : { weightScale: Float64Array.of(l.weightScale[0] * 1.1) },
  ),
  file('scales rotated', 'scale-shifted', (l) => (l.perChannel ? { weightScale: rotated(l.weightScale, 1) } : null)),
  file('biases rotated', 'bias-shifted', (l) => ({ bias: rotated(l.bias!, 1) })),
  file('bias missing', 'bias-missing', () => ({ bias: null })),
  file('bias of zeros', 'bias-missing', (l) => ({ bias: new Float32Array(l.outFeatures) })),
  file('one scale for all', 'scale-per-tensor', (l) =>
    l.perChannel ? { weightScale: new Float64Array(l.outFeatures).fill(l.weightScale[2]) } : null,
  ),
  file('activation zero point missing', 'activation-zero-point-missing', (l) => ({
    input: { ...l.input, zeroPoint: 0 },
  })),
  file('ReLU not declared', 'capture-after-relu', (l) => (l.activation === 'relu' ? { activation: 'none' } : null)),
  file('ReLU declared', 'capture-before-relu', (l) => (l.activation === 'none' ? { activation: 'relu' } : null)),
  file('one weight', 'weight-value', (l, random) => ({ weight: flippedWeight(l, random) })),
  file('weight transposed', 'weight-transposed', (l) =>
    l.inFeatures === l.outFeatures
      ? { weight: l.weight.map((_, i) => l.weight[(i % l.inFeatures) * l.inFeatures + Math.floor(i / l.inFeatures)]) }
      : null,
  ),
  {
    name: 'capture: rows shuffled',
    causes: ['samples-misaligned'],
    make: (world, random) => ({
      declared: world.linear,
      captured: shuffledRows(outputsOf(world), world.samples, random),
    }),
  },
  {
    name: 'file and kernel: saturation and an output zero point',
    causes: ['int16-saturation', 'output-zero-point-wrong'],
    make: (world) => ({
      declared: { ...world.linear, output: { ...output(world.linear), zeroPoint: output(world.linear).zeroPoint - 2 } },
      captured: outputsOf(world, kernel('fbgemm-avx2')),
    }),
  },
  {
    name: 'file and kernel: saturation and one weight',
    causes: ['int16-saturation', 'weight-value'],
    make: (world, random) => ({
      declared: { ...world.linear, weight: flippedWeight(world.linear, random) },
      captured: outputsOf(world, kernel('fbgemm-avx2')),
    }),
  },
  {
    name: 'file: scale and zero point of the output',
    causes: ['output-scale-wrong', 'output-zero-point-wrong'],
    make: (world) => {
      const { scale, zeroPoint } = output(world.linear);
      const wrong = { ...output(world.linear), scale: scale * 1.07, zeroPoint: zeroPoint - 9 };
      return { declared: { ...world.linear, output: wrong }, captured: outputsOf(world) };
    },
  },
  {
    name: 'file: scales and biases rotated',
    causes: ['bias-shifted', 'scale-shifted'],
    make: (world) =>
      world.linear.perChannel
        ? {
            declared: {
              ...world.linear,
              weightScale: rotated(world.linear.weightScale, 2),
              bias: rotated(world.linear.bias!, 2),
            },
            captured: outputsOf(world),
          }
        : null,
  },
  candidate('rounds towards zero', ['rounding-truncate'], (world) =>
    outputsOf(world, fbgemmWith({ round: towardZero })),
  ),
  candidate('rounds down', ['rounding-floor'], (world) => outputsOf(world, fbgemmWith({ round: downward }))),
  candidate('rounds down, bias as int32', ['bias-int32', 'rounding-floor'], (world) =>
    outputsOf(
      world,
      fbgemmWith({
        round: downward,
        bias: int32BiasFloat64,
        multiplier: float64Product,
        offsetAndClamp: roundThenOffset,
      }),
    ),
  ),
  candidate('no bias', ['bias-missing'], (world) => outputsOf(world, fbgemmWith({ bias: noBias }))),
  candidate('bias unscaled', ['bias-unscaled'], (world) => outputsOf(world, fbgemmWith({ bias: unscaledBias }))),
  candidate('biases rotated', ['bias-shifted'], (world) =>
    outputsOf(world, undefined, { ...world.linear, bias: rotated(world.linear.bias!, 1) }),
  ),
  candidate('activation zero point missing', ['activation-zero-point-missing'], (world) =>
    outputsOf(world, undefined, { ...world.linear, input: { ...world.linear.input, zeroPoint: 0 } }),
  ),
  candidate(
    'activations as int8',
    ['signedness'],
    (world) =>
      outputsOf({ ...world, x: world.x.map((c) => c) }, undefined, world.linear) &&
      outputsOf({ ...world, x: Int32Array.from(world.x, (c) => (c > 127 ? c - 256 : c)) as never }),
  ),
  candidate('outputs as int8', ['signedness'], (world) => outputsOf(world).map((c) => (c > 127 ? c - 256 : c))),
  candidate('one scale for all', ['scale-per-tensor'], (world) =>
    world.linear.perChannel
      ? outputsOf(world, undefined, {
          ...world.linear,
          weightScale: new Float64Array(world.linear.outFeatures).fill(Math.max(...world.linear.weightScale)),
        })
      : null,
  ),
  candidate('scales reversed', ['scale-shifted'], (world) =>
    world.linear.perChannel
      ? outputsOf(world, undefined, { ...world.linear, weightScale: world.linear.weightScale.slice().reverse() })
      : null,
  ),
  candidate('int16 accumulator', ['accumulator-wraps'], (world) =>
    outputsOf(world, fbgemmWith({ accumulate: int16Wrap })),
  ),
  candidate('7-bit clamp', ['clamp-range'], (world) =>
    outputsOf(world, undefined, { ...world.linear, output: { ...output(world.linear), quantMax: 127 } }),
  ),
  candidate('no ReLU', ['capture-before-relu'], (world) =>
    world.linear.activation === 'relu' ? outputsOf(world, undefined, { ...world.linear, activation: 'none' }) : null,
  ),
  candidate('one weight', ['weight-value'], (world, random) =>
    outputsOf(world, undefined, { ...world.linear, weight: flippedWeight(world.linear, random) }),
  ),
  candidate('rows rotated', ['samples-misaligned'], (world) => {
    const values = outputsOf(world);
    const width = world.linear.outFeatures;
    const moved = values.slice();
    moved.set(values.subarray(width));
    moved.set(values.subarray(0, width), values.length - width);
    return moved;
  }),
  candidate('gemmlowp', ['fixed-point-multiplier'], (world) =>
    outputsOf(
      world,
      fbgemmWith({
        bias: int32BiasFloat64,
        multiplier: fixedPointDoubleRounding,
        round: insideMultiplier,
        offsetAndClamp: roundThenOffset,
      }),
    ),
  ),
  candidate('float64, zero point first, floor', ['rounding-floor'], (world) =>
    outputsOf(
      world,
      fbgemmWith({
        round: downward,
        bias: float64Bias,
        multiplier: float64Product,
        offsetAndClamp: offsetClampRound64,
      }),
    ),
  ),
];
