/** Results that pass half precision on their way to a code: what a script, a GPU or a delegate computes in float16 or bfloat16. */
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { noBias } from '../../kernels/steps/bias.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { alreadyScaled, type HalfSums, halfSums } from '../../kernels/steps/halfSums.js';
import { float64Product } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import type { DequantizeStep, QuantizeStep, RescaleStep, RoundStep, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { float32s } from '../../numeric/array.js';
import { f32, toBFloat16, toFloat16 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { type ElementwiseSetup, type ProductSetup, type Setup, type TensorSetup, withSteps } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study } from '../study/study.js';
import { isFixedPoint } from './departures.js';
import { mayTryFunctions } from './functions/floatFunctions.js';
import { formOf } from './tensorSteps.js';

export const FORMATS = { float16: toFloat16, bfloat16: toBFloat16 } as const;
export type Format = keyof typeof FORMATS;

/** A way through half precision, written with h for what rounds to it. */
export interface HalfForm {
  readonly equation: string;
  /** What it rounds besides results. */
  readonly of?: 'sums' | 'floats';
  readonly apply: (setup: Setup) => Setup;
}

type ToHalf = (value: number) => number;
/** From a real value, an output's scale and zero point to a code. */
type ToCode = (real: number, scale: number, zeroPoint: number, h: ToHalf) => number;

const OF_RESULTS: readonly (readonly [equation: string, code: ToCode])[] = [
  ['rint(h(y / s)) + zp', (y, s, zp, h) => roundHalfEven(h(y / s)) + zp],
  ['rint(h(h(y) / h(s))) + zp', (y, s, zp, h) => roundHalfEven(h(h(y) / h(s))) + zp],
  ['rint(h(y) / s) + zp', (y, s, zp, h) => roundHalfEven(h(y) / s) + zp],
];

/** Of what is converted, whose value is in half precision to begin with. */
const OF_CONVERSIONS: typeof OF_RESULTS = [
  ...OF_RESULTS,
  ['rint(h(y) / h(s)) + zp', (y, s, zp, h) => roundHalfEven(h(y) / h(s)) + zp],
  ['rint(h(h(y) * h(1 / s))) + zp', (y, s, zp, h) => roundHalfEven(h(h(y) * h(1 / s))) + zp],
  ['rint(h(h(h(y) / h(s)) + zp))', (y, s, zp, h) => roundHalfEven(h(h(h(y) / h(s)) + zp))],
];

/** Every way of a format; none where it has no codes to come to. movesByOne: only so far from what is declared. */
export function halfForms(study: Study, format: Format, movesByOne: boolean): HalfForm[] {
  const h = FORMATS[format];
  if (!isQuantized(study.declared.params.output)) return [];
  if (!movesByOne) return isProductStudy(study) ? ofSums(study, format) : [];
  if (isProductStudy(study))
    return [
      ...OF_RESULTS.flatMap(([equation, code]) => ofProduct(study.declared, equation, code, h)),
      ...ofSums(study, format),
    ];
  if (isTensorStudy(study)) {
    const { value } = formOf(study) ?? {};
    return value ? OF_RESULTS.map(([equation, code]) => ofTensor(equation, value, code, h)) : [];
  }
  return OF_CONVERSIONS.map(([equation, code]) => ofConversion(equation, code, h));
}

type RealValueOf = NonNullable<NonNullable<ReturnType<typeof formOf>>['value']>;

function ofTensor(equation: string, value: RealValueOf, code: ToCode, h: ToHalf): HalfForm {
  const steps: TensorSteps = {
    kind: 'tensor',
    equation,
    run(call) {
      const { scale, zeroPoint } = quantized(call.output);
      const real = value(call);
      const [lo, hi] = clampOfCodes(call.activation, quantized(call.output), quantizeTwoRoundings);
      return fill(call, (i) => clamp(code(real(i), scale, zeroPoint, h), lo, hi));
    },
  };
  return { equation, apply: (setup) => ({ ...(setup as TensorSetup), steps }) };
}

/** Its multiplier as declared, or, where that is an integer, and of a script, in floats. */
function ofProduct({ steps, params }: ProductSetup, equation: string, code: ToCode, h: ToHalf): HalfForm[] {
  const { output } = params;
  if (!isQuantized(output)) return [];
  const { scale } = output;
  const round: RoundStep = {
    name: equation,
    equation,
    apply: (v) => code(v * scale, scale, 0, h),
    numpy: (v) => v,
    c: null,
    fast: false,
  };
  const multipliers = isFixedPoint(steps.multiplier) ? [float64Product] : [steps.multiplier, float64Product];
  return [...new Set(multipliers)].map((multiplier) => ({
    equation,
    apply: (setup) => withSteps(setup as ProductSetup, { multiplier, round, offsetAndClamp: roundThenOffset }),
  }));
}

/** Multiply-adds that are rounded one by one. */
const MOST_ROUNDED = 4e7;
const PLAIN: (typeof OF_RESULTS)[number] = ['rint(y / s) + zp', (y, s, zp) => roundHalfEven(y / s) + zp];

const resultsOf = ({ unit, isHalf }: HalfSums) =>
  // what is in half precision stays as it is
  [PLAIN, ...OF_RESULTS.filter((own) => unit === 'real' && !(isHalf && own === OF_RESULTS[2]))];

/** Added, or scaled, in the format. */
function ofSums({ declared, subset }: ProductStudy, format: Format): HalfForm[] {
  const { output, inFeatures } = declared.params;
  if (!isQuantized(output) || declared.steps.float) return [];
  const { scale } = output;
  const maySum = subset.observed.length * inFeatures <= MOST_ROUNDED;
  return halfSums(format, FORMATS[format], declared.params)
    .filter(({ isSlow }) => maySum || !isSlow)
    .flatMap((accumulate) =>
      resultsOf(accumulate).map(([result, code]) => {
        const round: RoundStep = {
          name: result,
          equation: result,
          apply: code === PLAIN[1] ? roundHalfEven : (v) => code(v * scale, scale, 0, FORMATS[format]),
          numpy: (v) => v,
          c: null,
          fast: false,
        };
        const multiplier = alreadyScaled(accumulate.unit);
        const steps = { accumulate, bias: noBias, multiplier, round, offsetAndClamp: roundThenOffset };
        return {
          equation: `${accumulate.equation}; ${result}`,
          of: 'sums' as const,
          apply: (setup: Setup) => withSteps(setup as ProductSetup, steps),
        };
      }),
    );
}

/** Of floats: all that is observed has the format, and so it tells which. */
export function halfFloats(study: Study, format: Format): HalfForm[] {
  const { declared, subset } = study;
  const h = FORMATS[format];
  if (declared.kind === 'product' || (isTensorStudy(study) && !mayTryFunctions(study))) return [];
  if (!subset.observed.every((value) => Object.is(h(value), value))) return [];
  if (declared.kind === 'tensor') return [{ equation: 'h(y)', of: 'floats', apply: throughHalf(h) }];
  return Object.entries(OF_REALS).map(([equation, real]) => ({
    equation,
    of: 'floats',
    apply(setup) {
      const prepare: DequantizeStep['prepare'] =
        ({ scale, zeroPoint }) =>
        (code) =>
          real(code - zeroPoint, f32(scale), h);
      return withSteps(setup as ElementwiseSetup, { dequantize: { name: equation, equation, numpy: null, prepare } });
    },
  }));
}

/** From a code less its zero point. */
const OF_REALS: Readonly<Record<string, (centred: number, scale: number, h: ToHalf) => number>> = {
  'h(s * (x - zp))': (centred, scale, h) => h(f32(centred * scale)),
  'h(h(s) * h(x - zp))': (centred, scale, h) => h(h(scale) * h(centred)),
};

/** What is known within a bound is, rounded, within its ends rounded. */
function throughHalf(h: ToHalf): HalfForm['apply'] {
  return (setup) => {
    const own = setup as TensorSetup;
    const run: TensorSteps['run'] = (call) => {
      const computed = own.steps.run(call);
      if (!('data' in computed)) return float32s(computed, h);
      const { data, low, high } = computed;
      return { data: float32s(data, h), low: float32s(low, h), high: float32s(high, h) };
    };
    return { ...own, steps: { ...own.steps, equation: `h(${own.steps.equation})`, run } };
  };
}

function ofConversion(equation: string, code: ToCode, h: ToHalf): HalfForm {
  const quantize: QuantizeStep = {
    name: equation,
    equation,
    numpy: null,
    prepare:
      ({ scale, zeroPoint, quantMin, quantMax }) =>
      (real) =>
        clamp(code(real, scale, zeroPoint, h), quantMin, quantMax),
  };
  const rescale: RescaleStep = {
    name: equation,
    equation,
    numpy: null,
    prepare:
      ({ scale }, output) =>
      (centred) =>
        code(centred * scale, output.scale, output.zeroPoint, h) - output.zeroPoint,
  };
  return {
    equation,
    apply: (setup) => {
      const own = setup as ElementwiseSetup;
      return withSteps(own, own.steps.rescale ? { rescale } : { quantize });
    },
  };
}
