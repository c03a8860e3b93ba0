/** Real values of sums that are added in half precision, or of operands in it: what hypotheses are made of; no kernel of integers has one. */
import type { AccumulateStep, Codes, MultiplierStep, Product } from '../../nouns/kernel.js';
import { float64s, int32s } from '../../numeric/array.js';
import { exactSums, weightZeroPointOf } from '../../products/exactSums.js';
import { weightScaleOf } from './scales.js';

type ToHalf = (value: number) => number;

/** What a layer gives before it is rounded to codes, its bias included, in real units or in steps of its output. */
export interface HalfSums extends AccumulateStep {
  readonly unit: 'real' | 'steps';
  /** What it gives is in half precision already. */
  readonly isHalf: boolean;
  /** Each product is rounded by itself, in loops that no accelerator has. */
  readonly isSlow: boolean;
}

/** y of one channel from a row, b its bias. */
type Form = (h: ToHalf, product: Product, channel: number) => (x: Codes, row: number, sum: () => number) => number;

interface Named {
  readonly equation: string;
  readonly isHalf?: true;
  readonly unit?: 'steps';
  readonly of: Form;
}

const realBiasOf = (product: Product, n: number): number => {
  const { bias, biasInt32, input } = product;
  return bias ? bias[n] : (biasInt32?.[n] ?? 0) * input.scale * weightScaleOf(product, n);
};

const unitOf = (product: Product, n: number) => product.input.scale * weightScaleOf(product, n);

/** h(sw * (w - zw)) of a channel. */
function halfWeights(h: ToHalf, product: Product, n: number): Float64Array {
  const { inFeatures, weight } = product;
  const [scale, zeroPoint] = [weightScaleOf(product, n), weightZeroPointOf(product, n)];
  return float64s({ length: inFeatures }, (_, k) => h(scale * (weight[n * inFeatures + k] - zeroPoint)));
}

const codeOf =
  (h: ToHalf, { input }: Product) =>
  (code: number) =>
    h(input.scale * (code - input.zeroPoint));

/** What is added, and where: in float32, or half, after the sum; or the sum begins with it. */
const BIAS_AT = ['first', 'half', 'float'] as const;
type BiasAt = (typeof BIAS_AT)[number];

function withBias(h: ToHalf, at: BiasAt, b: number): (y: number) => number {
  return at === 'float' ? (y) => y + b : at === 'half' ? (y) => h(h(y) + h(b)) : (y) => y;
}

const BIASES = { float: ' + b', half: ' + h(b), in h', first: ', from h(b) on' } as const;

/** Operands in half, their products added in float32: as real numbers are, but next to a border. */
const ofOperands = (at: 'float' | 'half'): Named => ({
  equation: `y = sum of h(sx * (x - zx)) * h(sw * (w - zw))${BIASES[at]}`,
  ...(at === 'half' && { isHalf: true as const }),
  of: (h, product, n) => {
    const [w, real, finish] = [halfWeights(h, product, n), codeOf(h, product), withBias(h, at, realBiasOf(product, n))];
    return (x, row) => {
      let y = 0;
      for (let k = 0, i = row * w.length; k < w.length; k++, i++) y += real(x.data[i]) * w[k];
      return finish(y);
    };
  },
});

/** Codes multiplied as they are: sums beyond 65504 are infinite. */
const ofCodes = (along: 'channels' | 'places'): Named => ({
  equation: `y = sx * sw * s + b, s = h(s + (x - zx) * (w - zw)) over k${along === 'places' ? PLACE_BY_PLACE : ''}`,
  of: (h, product, n) => {
    const { input, weight, inFeatures } = product;
    const [order, own, w0] = [orderOf(along, product), n * inFeatures, weightZeroPointOf(product, n)];
    const [unit, b] = [unitOf(product, n), realBiasOf(product, n)];
    return (x, row) => {
      let s = 0;
      for (const k of order) s = h(s + (x.data[row * inFeatures + k] - input.zeroPoint) * (weight[own + k] - w0));
      return unit * s + b;
    };
  },
});

const PLACE_BY_PLACE = ', place by place of each channel';

/** Each product added in half, one after the other; fused: it is not rounded before. */
function running(fused: boolean, at: BiasAt, along: 'channels' | 'places'): Named {
  return {
    equation: `y = ${fused ? 'h(y + a * w)' : 'h(y + h(a * w))'} over k${along === 'places' ? PLACE_BY_PLACE : ''}${BIASES[at]}, a = h(sx * (x - zx)), w = h(sw * (w - zw))`,
    ...(at !== 'float' && { isHalf: true as const }),
    of: (h, product, n) => {
      const [w, real, finish] = [
        halfWeights(h, product, n),
        codeOf(h, product),
        withBias(h, at, realBiasOf(product, n)),
      ];
      const order = orderOf(along, product);
      const start = at === 'first' ? h(realBiasOf(product, n)) : 0;
      return (x, row) => {
        let y = start;
        for (const k of order) {
          const product = real(x.data[row * w.length + k]) * w[k];
          y = h(y + (fused ? product : h(product)));
        }
        return finish(y);
      };
    },
  };
}

/** Integer sums that are kept, or scaled and given their bias, in half. */
const SCALED: readonly Named[] = [
  {
    equation: 'y = sx * sw * h(acc) + b',
    of: (h, product, n) => {
      const [unit, b] = [unitOf(product, n), realBiasOf(product, n)];
      return (_x, _row, sum) => unit * h(sum()) + b;
    },
  },
  {
    equation: 'y = h(h(acc * sx * sw) + h(b))',
    isHalf: true,
    of: (h, product, n) => {
      const [unit, b] = [unitOf(product, n), h(realBiasOf(product, n))];
      return (_x, _row, sum) => h(h(sum() * unit) + b);
    },
  },
  ...[false, true].map(
    (isHalf): Named => ({
      equation: `h(h(acc * ${isHalf ? 'h(m)' : 'm'}) + h(b / sy))`,
      unit: 'steps',
      of: (h, product, n) => {
        const scale = product.output.dtype === 'float32' ? 1 : product.output.scale;
        const [own, b] = [unitOf(product, n) / scale, h(realBiasOf(product, n) / scale)];
        const m = isHalf ? h(own) : own;
        return (_x, _row, sum) => h(h(sum() * m) + b);
      },
    }),
  ),
];

/** Every way, of a product; format: what h rounds to. */
export function halfSums(format: string, h: ToHalf, product: Product): HalfSums[] {
  const axes = hasAxes(product) ? (['channels', 'places'] as const) : (['channels'] as const);
  const added = axes.flatMap((along) => [
    ...[true, false].flatMap((fused) => BIAS_AT.map((at) => running(fused, at, along))),
    ofCodes(along),
  ]);
  const operands = [ofOperands('float'), ofOperands('half')];
  return [
    ...SCALED.map((own) => stepOf(format, h, own, { ofSums: true, isSlow: false })),
    ...operands.map((own) => stepOf(format, h, own, { ofSums: false, isSlow: false })),
    ...added.map((own) => stepOf(format, h, own, { ofSums: false, isSlow: true })),
  ];
}

interface Cost {
  readonly ofSums: boolean;
  readonly isSlow: boolean;
}

function stepOf(format: string, h: ToHalf, own: Named, { ofSums, isSlow }: Cost): HalfSums {
  const { equation, unit = 'real', isHalf = false, of } = own;
  return {
    name: `${format}: ${equation}`,
    equation,
    unit,
    isHalf,
    isSlow,
    holdsBias: true,
    run(x, product, fast = null) {
      const { outFeatures } = product;
      const sums = ofSums ? exactSums(x, product, fast) : null;
      const data = new Float64Array(x.rows * outFeatures);
      for (let n = 0; n < outFeatures; n++) {
        const value = of(h, product, n);
        for (let row = 0, i = n; row < x.rows; row++, i += outFeatures) data[i] = value(x, row, () => sums![i]);
      }
      return { data, overflowed: 0 };
    },
    numpy: null,
    c: null,
  };
}

function hasAxes({ inFeatures, patch }: Product): boolean {
  const { inChannels = 1 } = patch ?? {};
  return inChannels > 1 && inFeatures > inChannels;
}

/** As rows have a convolution's products, or as the file has its weights. */
function orderOf(along: 'channels' | 'places', { inFeatures, patch }: Product): Int32Array {
  const { inChannels = 1 } = patch ?? {};
  const places = inFeatures / inChannels;
  const inOrder = along === 'channels';
  return int32s({ length: inFeatures }, (_, i) => (inOrder ? i : (i % places) * inChannels + Math.floor(i / places)));
}

/** Of what is in real units by then, or in steps. */
export function alreadyScaled(unit: HalfSums['unit']): MultiplierStep {
  return ALREADY[unit];
}

const ALREADY: Readonly<Record<HalfSums['unit'], MultiplierStep>> = {
  real: dividing('real'),
  steps: dividing('steps'),
};

function dividing(unit: HalfSums['unit']): MultiplierStep {
  return {
    name: `already ${unit}`,
    equation: unit === 'real' ? 'y / sy' : 'y',
    arithmetic: 'float64',
    toSteps: (_, { scale }) => (unit === 'real' ? (y) => y / scale : (y) => y),
    toReal: () => (y) => y,
    operations: null,
    fixedPoint: null,
  };
}
