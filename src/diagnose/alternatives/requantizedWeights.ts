/** Weights that were quantized once more, to a scale of another rule: what a converter or an accelerator of fewer bits, or of shifts, makes of them. */
import { isExact } from '../../kernels/steps/accumulate.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { Product } from '../../nouns/kernel.js';
import { float64s, int32s } from '../../numeric/array.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfAway, roundHalfEven } from '../../numeric/round.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { groupOf } from '../../products/groups.js';
import { FREEDOM, type ProductChange, withParams } from '../setup.js';
import { partOf } from '../study/part.js';
import type { ProductStudy, Study } from '../study/study.js';
import { boundedIn } from './boundedValues.js';
import { hasCases } from './cases.js';

/** One of so many rules gives fewer values by chance. */
const FEWEST = 16;

interface Rule {
  readonly name: string;
  /** Of one channel, or of all of them. */
  readonly isOfChannel: boolean;
  /** From the largest real weight, and the declared scale. */
  readonly scale: (largest: number, declared: number) => number;
  readonly bits: number;
  readonly round: (v: number) => number;
}

const ceilPower = (v: number) => 2 ** Math.ceil(Math.log2(v));
const nearPower = (v: number) => 2 ** roundHalfEven(Math.log2(v));

/** In each grain and rounding. */
const SCALES: readonly Pick<Rule, 'name' | 'scale' | 'bits'>[] = [
  ...[8, 7, 6, 5, 4].flatMap((bits) => [
    {
      name: `to ${bits} bits, max / ${2 ** (bits - 1) - 1}`,
      bits,
      scale: (most: number) => most / (2 ** (bits - 1) - 1),
    },
    { name: `to ${bits} bits, max / ${2 ** (bits - 1)}`, bits, scale: (most: number) => most / 2 ** (bits - 1) },
    {
      name: `to ${bits} bits, the power of two above max / ${2 ** (bits - 1) - 1}`,
      bits,
      scale: (most: number) => ceilPower(most / (2 ** (bits - 1) - 1)),
    },
  ]),
  { name: 'to the power of two above its scale', bits: 8, scale: (_, own) => ceilPower(own) },
  { name: 'to the power of two next to its scale', bits: 8, scale: (_, own) => nearPower(own) },
];

const RULES: readonly Rule[] = SCALES.flatMap((own) =>
  [true, false].flatMap((isOfChannel) =>
    [roundHalfEven, roundHalfAway].map((round) => ({
      ...own,
      name: `quantized again ${own.name}, ${isOfChannel ? 'by channel' : 'one for all'}`,
      isOfChannel,
      round,
    })),
  ),
);

/** Those that a glance does not refute. */
export function requantizedWeights(study: ProductStudy): ProductChange[] {
  const { declared, glance } = study;
  const { params } = declared;
  if (!(params.weight instanceof Int8Array) || !hasCases(study as Study, FEWEST)) return [];
  const largest = largestOf(params);
  const part = glance && partOf(study, glance);
  const mayGive = nearly(study);
  return RULES.flatMap((rule) => {
    const scales = scalesOf(rule, params, largest);
    if (isDeclared(rule, params, scales) || !mayGive({ ...rule, scales })) return [];
    if (part) {
      const own = { ...rule, scales: float64s(part.channels, (n) => scales[n]) };
      if (
        study.mismatches(
          part.setupWith((product) => requantized(product, own)),
          part.scope,
        ) > 0
      )
        return [];
    }
    return [changeTo(rule, scales)];
  });
}

/** Values that refute nearly all rules before any weights are made. */
const FEW = 4;

/** Whether a rule gives a few values, nearly. */
function nearly(study: ProductStudy): (rule: Requantized) => boolean {
  const { declared, engine } = study;
  const { params, steps } = declared;
  const { inFeatures, weight, input } = params;
  if (steps.float || params.curve || params.addend || !isExact(steps.accumulate, params)) return () => true;
  const { scope, tried } = boundedIn(study, declared);
  const codes = engine.codes(declared, scope);
  return (rule) =>
    tried.slice(0, FEW).every(({ row, channel, admits }) => {
      const [scale, made, zeroPoint] = [
        weightScaleOf(params, channel),
        rule.scales[channel],
        weightZeroPointOf(params, channel),
      ];
      const x = row * codes.cols + (codes.cols === inFeatures ? 0 : groupOf(params, channel)) * inFeatures;
      let sum = 0;
      for (let k = 0; k < inFeatures; k++)
        sum +=
          (codes.data[x + k] - input.zeroPoint) *
          codeOf((weight[channel * inFeatures + k] - zeroPoint) * scale, made, rule);
      return admits(sum * (made / scale));
    });
}

function codeOf(real: number, scale: number, { bits, round }: Pick<Rule, 'bits' | 'round'>): number {
  const most = 2 ** (bits - 1);
  return clamp(round(real / scale), -most, most - 1);
}

/** Of each channel. */
function largestOf(params: Product): Float64Array {
  const { outFeatures, inFeatures, weight } = params;
  return float64s({ length: outFeatures }, (_, n) => {
    const [zeroPoint, scale] = [weightZeroPointOf(params, n), weightScaleOf(params, n)];
    let most = 0;
    for (let k = n * inFeatures; k < (n + 1) * inFeatures; k++) most = Math.max(most, Math.abs(weight[k] - zeroPoint));
    return most * scale;
  });
}

function scalesOf({ isOfChannel, scale }: Rule, params: Product, largest: Float64Array): Float64Array {
  const declared = float64s(largest, (_, n) => weightScaleOf(params, n));
  if (isOfChannel) return float64s(largest, (most, n) => (most > 0 ? scale(most, declared[n]) : declared[n]));
  const [most, own] = [Math.max(...largest), Math.max(...declared)];
  return new Float64Array(largest.length).fill(most > 0 ? scale(most, own) : own);
}

/** Weights that fill their range are what they are. */
function isDeclared({ bits }: Rule, params: Product, scales: Float64Array): boolean {
  return bits === 8 && scales.every((scale, n) => Math.abs(scale / weightScaleOf(params, n) - 1) < 1e-6);
}

interface Requantized extends Pick<Rule, 'bits' | 'round'> {
  readonly scales: Float64Array;
}

/** A product with such weights; biases of the file that are integers move to the new scales. */
function requantized(product: Product, { scales, bits, round }: Requantized): Partial<Product> {
  const { inFeatures, weight, biasInt32 } = product;
  const made = new Int8Array(weight.length);
  for (let i = 0; i < made.length; i++) {
    const n = Math.floor(i / inFeatures);
    const real = (weight[i] - weightZeroPointOf(product, n)) * weightScaleOf(product, n);
    made[i] = codeOf(real, scales[n], { bits, round });
  }
  return {
    weight: made,
    weightScale:
      product.weightScale.length === 1 && scales.every((own) => own === scales[0]) ? scales.slice(0, 1) : scales,
    perChannel: product.perChannel || scales.some((own) => own !== scales[0]),
    weightZeroPoint: Int32Array.of(0),
    ...(biasInt32 && {
      biasInt32: int32s(biasInt32, (b, n) => roundHalfEven((b * weightScaleOf(product, n)) / scales[n])),
    }),
  };
}

function changeTo(rule: Rule, scales: Float64Array): ProductChange {
  let made: Partial<Product> | null = null;
  return {
    cause: 'weight-value',
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label: `${rule.name}${rule.round === roundHalfAway ? ', ties away' : ''}`,
    found: { rule: rule.name },
    apply: (setup) => {
      made ??= requantized(setup.params, { ...rule, scales });
      return withParams(setup, made);
    },
  };
}
