import { exact } from '../../src/kernels/steps/accumulate.js';
import { float64Bias, int32BiasFloat64 } from '../../src/kernels/steps/bias.js';
import { roundedProductSums } from '../../src/kernels/steps/lossyAccumulate.js';
import { float64Product } from '../../src/kernels/steps/multiplier.js';
import { roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import { downward, halfEven } from '../../src/kernels/steps/round.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { AccumulateStep, MultiplierStep, Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { borrowed, ofIntegers, ownUnit, readingCodes, reluAtCode, type Scene, sumsOf, transposed } from './mistakes.js';
import { fbgemmWith, type Kind, kernel, outputsOf, type Random, type World } from './world.js';

/** What looks like a cause and is not: a name for it would be a wrong name. */
export interface NearMiss {
  readonly code: string;
  /** How it departs from the cause. */
  readonly but: string;
  readonly on: Kind;
  readonly make: (world: World, random: Random) => Scene;
}

const output = (linear: Product) => linear.output as QuantParams;
const even = (n: number) => n % 2 === 0;

/** The capture follows other parameters than the file's. */
function parameters(
  code: string,
  but: string,
  on: Kind,
  change: (linear: Product, random: Random) => Partial<Product>,
): NearMiss {
  return {
    code,
    but,
    on,
    make: (world, random) => ({
      declared: world.linear,
      captured: outputsOf(world, undefined, { ...world.linear, ...change(world.linear, random) }),
    }),
  };
}

/** The candidate makes something else of the values that are right. */
function values(
  code: string,
  but: string,
  on: Kind,
  compute: (right: Int32Array, world: World) => NumericArray,
): NearMiss {
  return {
    code,
    but,
    on,
    make: (world) => {
      const right = outputsOf(world);
      return { declared: world.linear, captured: right, candidate: compute(right, world) };
    },
  };
}

/** The candidate rounds the real steps by a rule that no cause has. */
const rounded = (code: string, but: string, on: Kind, rule: (steps: number) => number) =>
  values(code, but, on, (_, world) =>
    outputsOf(
      world,
      fbgemmWith({
        bias: float64Bias,
        multiplier: float64Product,
        round: { name: but, equation: but, apply: rule, numpy: null, c: null, fast: false },
        offsetAndClamp: roundThenOffset,
      }),
    ),
  );

const halfOdd = (v: number) => (v % 1 === 0 || Math.abs(v % 1) !== 0.5 ? roundHalfEven(v) : 2 * Math.floor(v / 2) + 1);

/** The same layer with its last input first: k = (1, 2), (3, 4), ... become neighbours. */
function rolled(world: World): World {
  const { inFeatures, weight } = world.linear;
  const roll = <A extends World['x'] | Product['weight']>(data: A) =>
    data.map((_, i) => data[i % inFeatures === 0 ? i + inFeatures - 1 : i - 1]) as A;
  return { ...world, x: roll(world.x), linear: { ...world.linear, weight: roll(weight) } };
}

/** No accumulator's. */
const modulo20000: AccumulateStep = {
  name: 'modulo20000',
  equation: 'modulo 20000',
  numpy: null,
  c: null,
  run: (x, linear) => {
    const sums = exact.run(x, linear);
    return { ...sums, data: sums.data.map((acc) => ((((acc + 10000) % 20000) + 20000) % 20000) - 10000) };
  },
};

export const NEAR_MISSES: readonly NearMiss[] = [
  values('capture-after-relu', 'clamped one step above the zero point', 'small', (right, { linear }) =>
    right.map((v) => Math.max(v, output(linear).zeroPoint + 1)),
  ),
  {
    code: 'capture-before-relu',
    but: 'a leaky ReLU',
    on: 'wide',
    make: (world) => {
      const zero = output(world.linear).zeroPoint;
      const before = outputsOf(world, undefined, { ...world.linear, activation: 'none' });
      return { declared: world.linear, captured: before.map((v) => (v < zero ? zero - ((zero - v) >> 3) : v)) };
    },
  },
  {
    code: 'relu-at-zero',
    but: 'clamped at code 5',
    on: 'int8 with ReLU',
    make: (world) => ({ declared: world.linear, captured: reluAtCode(world, 5) }),
  },
  {
    code: 'half-precision',
    but: 'to multiples of 3 / 16',
    on: 'wide',
    make: (world) => {
      const apply = (v: number) => roundHalfEven(roundHalfEven(v * (16 / 3)) * (3 / 16));
      const candidate = outputsOf(world, fbgemmWith({ round: { ...halfEven, name: 'coarse', apply, fast: false } }));
      return { declared: world.linear, captured: outputsOf(world), candidate };
    },
  },
  {
    code: 'activation-function',
    but: 'of a slope that nobody has',
    on: 'small',
    make: (world) => {
      const { zeroPoint } = world.linear.output as QuantParams;
      const right = outputsOf(world);
      const leaky = (code: number) => (code < zeroPoint ? Math.round((code - zeroPoint) * 0.17) + zeroPoint : code);
      return { declared: world.linear, captured: right, candidate: Int32Array.from(right, leaky) };
    },
  },
  {
    code: 'rounding-twice',
    but: 'cut to a third of a step first',
    on: 'wide',
    make: (world) => {
      const apply = (v: number) => Math.floor(Math.floor(v * 3) / 3 + 0.5);
      const steps = { multiplier: float64Product, round: { ...halfEven, name: 'thirds', apply, fast: false } };
      return { declared: world.linear, captured: outputsOf(world), candidate: outputsOf(world, fbgemmWith(steps)) };
    },
  },
  {
    code: 'threshold-rule',
    but: 'sums 3/2 too small',
    on: 'small',
    make: (world) => {
      const toSteps: MultiplierStep['toSteps'] = (product, own) => {
        const steps = float64Product.toSteps(product, own);
        return (acc, n, bias) => steps(acc - 1.5, n, bias);
      };
      const multiplier = { ...float64Product, name: 'less', toSteps };
      const candidate = outputsOf(world, fbgemmWith({ multiplier }));
      return { declared: world.linear, captured: outputsOf(world), candidate };
    },
  },
  {
    code: 'scaled-sum-wraps',
    but: 'in 31 bits',
    on: 'wide',
    make: (world) => {
      const toSteps: MultiplierStep['toSteps'] = (product, { scale }) => {
        const numbers = Array.from({ length: product.outFeatures }, (_, n) =>
          Math.round(((product.input.scale * product.weightScale[n]) / scale) * 2 ** 22),
        );
        return (acc, n) => (Math.imul(acc, numbers[n]) << 1) / 2 ** 23;
      };
      const multiplier = { ...float64Product, name: 'wraps', toSteps };
      const candidate = outputsOf(world, fbgemmWith({ bias: int32BiasFloat64, multiplier, round: downward }));
      return { declared: world.linear, captured: outputsOf(world), candidate };
    },
  },
  {
    code: 'relu-before-bias',
    but: 'sums below -200 alone, of which 200 is left',
    on: 'wide',
    make: (world) => {
      const run: AccumulateStep['run'] = (x, product) => {
        const { data } = exact.run(x, product);
        return { data: Int32Array.from(data, (sum) => Math.max(sum, -200)), overflowed: 0 };
      };
      const candidate = outputsOf(world, fbgemmWith({ accumulate: { ...exact, name: 'held', run } }));
      return { declared: world.linear, captured: outputsOf(world), candidate };
    },
  },
  {
    code: 'int16-saturation',
    but: 'pairs that start at the second input',
    on: 'wide',
    make: (world) => ({
      declared: world.linear,
      captured: outputsOf(rolled(world), kernel('fbgemm-avx2')),
    }),
  },
  parameters('activation-zero-point-missing', 'one instead of none', 'small', ({ input }) => ({
    input: { ...input, zeroPoint: 1 },
  })),
  values('input-zero-point-wrong', 'in half of the channels', 'small', (right, world) => {
    const { input, outFeatures } = world.linear;
    const moved = outputsOf(world, undefined, { ...world.linear, input: { ...input, zeroPoint: input.zeroPoint + 1 } });
    return right.map((v, i) => (even(i % outFeatures) ? moved[i] : v));
  }),
  {
    code: 'weight-zero-point-missing',
    but: 'one more in half of the channels',
    on: 'small',
    make: (world) => {
      const weightZeroPoint = new Int32Array(world.linear.outFeatures).fill(7);
      const declared = { ...world.linear, weightZeroPoint };
      const used = { ...declared, weightZeroPoint: weightZeroPoint.map((zp, n) => (even(n) ? zp + 1 : zp)) };
      const captured = outputsOf(world, undefined, declared);
      return { declared, captured, candidate: outputsOf(world, undefined, used) };
    },
  },
  values('input-wraps', 'in 7 bits', 'small', (_, world) =>
    outputsOf(
      world,
      readingCodes(world, (d) => (d << 25) >> 25),
    ),
  ),
  values('input-clamped', 'to other bounds on odd distances', 'small', (_, world) =>
    outputsOf(
      world,
      readingCodes(world, (d) => Math.min(d, d % 2 === 0 ? 40 : 60)),
    ),
  ),
  values('low-bits-lost', 'outputs in 7 bits but for each 50th', 'small', (right) =>
    right.map((code, i) => (i % 50 === 0 ? code : code & ~1)),
  ),
  values('rescale-missing', 'low bits of sums, of each 50th one more', 'small', (_, world) =>
    sumsOf(world).map((sum, i) => (sum + (i % 50 === 0 ? 1 : 0)) & 255),
  ),
  values('signedness', 'off by 127, not by 128', 'small', (right) => right.map((v) => v - 127)),
  parameters('weight-transposed', 'and its rows in reverse', 'per tensor', (linear) => ({
    weight: transposed(linear).reverse(),
  })),
  parameters('bias-missing', 'half of it there', 'small', ({ bias }) => ({ bias: bias!.map((b) => b / 2) })),
  parameters('bias-int32', 'rounded to 64 units of the accumulator', 'small', ({ bias, input, weightScale }) => ({
    bias: bias!.map((b, n) => {
      const unit = 64 * input.scale * weightScale[n];
      return unit * Math.round(b / unit);
    }),
  })),
  parameters('bias-unscaled', 'scaled by a root', 'small', ({ bias, weightScale }) => ({
    bias: bias!.map((b, n) => b * Math.sqrt(weightScale[n])),
  })),
  // trunc(v + zero point) is a floor: codes are not negative
  values('rounding-truncate', 'truncated after the zero point', 'small', (_, world) =>
    outputsOf(
      world,
      fbgemmWith({
        bias: float64Bias,
        multiplier: float64Product,
        offsetAndClamp: {
          name: 'offsetTruncate',
          equation: 'trunc(v + zy)',
          numpy: null,
          c: null,
          fast: null,
          prepare: (_round, zeroPoint, lo, hi) => (steps) => Math.min(hi, Math.max(lo, Math.trunc(steps + zeroPoint))),
        },
      }),
    ),
  ),
  rounded('rounding-floor', 'a quarter added first', 'small', (v) => Math.floor(v + 0.25)),
  rounded('rounding-ceil', 'a quarter taken off first', 'small', (v) => Math.ceil(v - 0.25)),
  rounded('rounding-half-away', 'ties to odd', 'ties, even zero point', halfOdd),
  rounded('rounding-half-up', 'ties to odd', 'ties, even zero point', halfOdd),
  // with an odd zero point that would be the same
  rounded('zero-point-before-rounding', 'ties to odd, and an even zero point', 'ties, even zero point', halfOdd),
  rounded('fixed-point-multiplier', 'two roundings, the first to eighths', 'small', (v) =>
    roundHalfEven(roundHalfEven(8 * v) / 8),
  ),
  parameters('multiplier-precision', 'a scale that is 1e-4 larger', 'small', ({ output: y }) => ({
    output: { ...(y as QuantParams), scale: (y as QuantParams).scale * 1.0001 },
  })),
  values('clamp-range', 'bent above 150, not clamped', 'small', (right) =>
    right.map((v) => (v > 150 ? 150 + ((v - 150) >> 1) : v)),
  ),
  values('output-scale-wrong', 'in half of the channels', 'small', (_, world) =>
    outputsOf(world, undefined, {
      ...world.linear,
      weightScale: world.linear.weightScale.map((s, n) => (even(n) ? s * 1.1 : s)),
      bias: world.linear.bias!.map((b, n) => (even(n) ? b * 1.1 : b)),
    }),
  ),
  values('output-zero-point-wrong', 'in half of the channels', 'small', (right, { linear }) =>
    right.map((v, i) => (even(i % linear.outFeatures) ? Math.min(255, v + 3) : v)),
  ),
  values('input-scale-wrong', 'where the sum is positive', 'small', (right, { linear }) => {
    const { zeroPoint } = output(linear);
    return right.map((v) => (v > zeroPoint ? Math.min(255, zeroPoint + Math.round((v - zeroPoint) * 0.9)) : v));
  }),
  parameters('scale-per-tensor', 'one for even channels, another for odd ones', 'small', ({ weightScale }) => ({
    weightScale: weightScale.map((_, n) => weightScale[n % 2]),
  })),
  parameters('scale-shifted', 'each second one used twice', 'small', ({ weightScale }) => ({
    weightScale: weightScale.map((_, n) => weightScale[n - (n % 2)]),
  })),
  parameters('bias-shifted', 'each second one used twice', 'small', ({ bias }) => ({
    bias: bias!.map((_, n) => bias![n - (n % 2)]),
  })),
  values('weight-scale-wrong', 'in one channel where its sum is positive', 'small', (right, { linear }) => {
    const { zeroPoint } = output(linear);
    const inOne = (i: number) => i % linear.outFeatures === 3 && right[i] > zeroPoint;
    return right.map((v, i) => (inOne(i) ? Math.min(255, zeroPoint + Math.round((v - zeroPoint) * 1.2)) : v));
  }),
  values('weight-value', 'in the first half of the samples', 'small', (right, world) => {
    const weight = world.linear.weight.slice();
    weight[5] = weight[5] >= 0 ? weight[5] - 64 : weight[5] + 64;
    const other = outputsOf(world, undefined, { ...world.linear, weight });
    return right.map((v, i) => (i < right.length / 2 ? other[i] : v));
  }),
  values('accumulator-wraps', 'modulo 20000', 'small', (_, world) =>
    outputsOf(world, fbgemmWith({ accumulate: modulo20000 })),
  ),
  values('k-order', 'every third row has the value before', 'small', (right, world) => {
    const { inFeatures, outFeatures } = world.linear;
    const held = outputsOf({ ...world, x: world.x.map((_, i) => world.x[i % inFeatures === 0 ? i : i - 1]) });
    return right.map((code, i) => (Math.floor(i / outFeatures) % 3 === 0 ? held[i] : code));
  }),
  values('packing-borrow', 'of both channels', 'small', (_, world) => {
    const both: AccumulateStep = { ...exact, name: 'both', run: (x, product) => borrowed(x, product, () => true) };
    return outputsOf(world, fbgemmWith({ accumulate: both }));
  }),
  values('accumulator-not-cleared', 'in one row only', 'small', (right, world) => {
    const { linear } = world;
    const goesOn: AccumulateStep = {
      ...exact,
      name: 'goes on',
      run: (x, product) => {
        const { data } = exact.run(x, product);
        const from = 40 * linear.outFeatures;
        for (let i = from + 1; i < from + linear.outFeatures; i++) data[i] += data[i - 1];
        return { data, overflowed: 0 };
      },
    };
    const other = outputsOf(world, fbgemmWith({ accumulate: goesOn }));
    return right.map((_, i) => other[i]);
  }),
  values('accumulator-not-cleared', 'but for one value', 'small', (_, world) => {
    const goesOn: AccumulateStep = {
      ...exact,
      name: 'goes on',
      run: (x, product) => {
        const { data } = exact.run(x, product);
        for (let i = 1; i < data.length; i++) if (i % product.outFeatures > 0) data[i] += data[i - 1];
        return { data, overflowed: 0 };
      },
    };
    return outputsOf(world, fbgemmWith({ accumulate: goesOn })).map((code, i) => (i === 700 ? code ^ 1 : code));
  }),
  values('samples-misaligned', 'one row twice, one not at all', 'small', (right, { linear }) => {
    const twice = right.slice();
    twice.copyWithin(linear.outFeatures, 0, linear.outFeatures);
    return twice;
  }),
  values('constant-values', 'one value but for one sample', 'small', (right, { linear }) =>
    right.map((v, i) => (i < linear.outFeatures ? v : 77)),
  ),
  values('output-wraps', 'reflected at 255', 'small', (right, world) => {
    const wide = { ...output(world.linear), quantMin: -1000, quantMax: 1000 };
    const free = outputsOf(world, fbgemmWith({}), { ...world.linear, output: wide });
    return right.map((v, i) => (free[i] > 255 ? 510 - free[i] : v));
  }),
  values('clamp-missing', 'doubled above 255', 'small', (right, world) => {
    const wide = { ...output(world.linear), quantMin: -1000, quantMax: 1000 };
    const free = outputsOf(world, fbgemmWith({}), { ...world.linear, output: wide });
    return Int32Array.from(right, (v, i) => (free[i] > 255 ? 2 * free[i] - 255 : v));
  }),
  values('multiplier-short', 'another multiplier in each second sample', 'small', (right, world) => {
    const wrong = outputsOf(world, undefined, {
      ...world.linear,
      weightScale: world.linear.weightScale.map((s) => s * 1.01),
    });
    return right.map((v, i) => (Math.floor(i / world.linear.outFeatures) % 2 === 0 ? v : wrong[i]));
  }),
  parameters('scale-rounded', 'each scale by its own error', 'small', ({ weightScale }, random) => ({
    weightScale: weightScale.map((s) => s * (1 + 0.01 * random.normal())),
  })),
  parameters('bias-factor', 'positive biases only', 'small', ({ bias }) => ({
    bias: bias!.map((b) => (b > 0 ? 2 * b : b)),
  })),
  values('bias-value', 'in the first half of the samples', 'small', (right, { linear }) =>
    right.map((v, i) => (i < right.length / 2 ? Math.min(255, v + 3 + (i % linear.outFeatures)) : v)),
  ),
  parameters('bias-value', 'the zero point of its input', 'small', ({ input }) => ({
    input: { ...input, zeroPoint: input.zeroPoint - 2 },
  })),
  values('product-rounded', 'products shifted by 5, but the last one', 'small', (_, world) => {
    const { inFeatures } = world.linear;
    const shift = roundedProductSums.find(({ product }) => product?.bits === 5)!;
    const last = {
      ...world,
      x: world.x.map((c, i) => (i % inFeatures < inFeatures - 1 ? world.linear.input.zeroPoint : c)),
    };
    const rest = {
      ...world,
      x: world.x.map((c, i) => (i % inFeatures < inFeatures - 1 ? c : world.linear.input.zeroPoint)),
    };
    const codes = ({ x }: World) => ({ rows: world.samples, cols: inFeatures, data: x });
    const [whole, cut] = [exact.run(codes(last), world.linear).data, shift.run(codes(rest), world.linear).data];
    const run = () => ({ data: cut.map((acc, i) => acc + whole[i]), overflowed: 0 });
    return outputsOf(world, fbgemmWith({ accumulate: { ...exact, run } }));
  }),
  values('product-rounded', 'sums without their lowest 7 bits in each second channel', 'small', (_, world) =>
    ofIntegers(world, (sum, n) => (n % 2 === 0 ? Math.floor(sum / 128) * 128 : sum)),
  ),
  values('product-rounded', 'sums shifted by one more than the shift of their channel', 'small', (_, world) =>
    ofIntegers(world, (sum, n) => Math.floor(sum / (2 * ownUnit(world, n))) * 2 * ownUnit(world, n)),
  ),
  values('product-rounded', 'sums without what is over a multiple of 100', 'small', (_, world) =>
    ofIntegers(world, (sum) => Math.floor(sum / 100) * 100),
  ),
  parameters('k-order', 'two inputs exchanged in each second channel', 'small', ({ weight, inFeatures }) => ({
    weight: weight.map((_, i) => {
      const k = i % inFeatures;
      const isMoved = Math.floor(i / inFeatures) % 2 === 0;
      return weight[isMoved && k < 6 ? i - k + (5 - k) : i];
    }) as Product['weight'],
  })),
  values('accumulator-float32', 'sums to multiples of 3', 'large sums', (right) =>
    right.map((v) => 3 * Math.round(v / 3)),
  ),
  values('float-arithmetic', 'noise on values beside no tie', 'near ties', (right, _world) =>
    right.map((v, i) => (i % 97 === 5 ? Math.min(254, v) + 1 : v)),
  ),
  values('fma', 'a bias off by 1e-6', 'near ties, per tensor', (_, world) =>
    outputsOf(world, undefined, { ...world.linear, bias: world.linear.bias!.map((b) => b * (1 + 1e-6)) }),
  ),
];
