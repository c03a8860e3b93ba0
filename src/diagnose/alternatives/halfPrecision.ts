/** Results that pass half precision on their way to a code: what a script, a GPU or a delegate computes in float16 or bfloat16. */
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { float64Product } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import type { QuantizeStep, RescaleStep, RoundStep, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { toBFloat16, toFloat16 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { type ElementwiseSetup, type ProductSetup, type Setup, type TensorSetup, withSteps } from '../setup.js';
import { isProductStudy, isTensorStudy, type Study } from '../study/study.js';
import { isFixedPoint } from './departures.js';
import { formOf } from './tensorSteps.js';

export const FORMATS = { float16: toFloat16, bfloat16: toBFloat16 } as const;
export type Format = keyof typeof FORMATS;

/** A way through half precision, written with h for what rounds to it. */
export interface HalfForm {
  readonly equation: string;
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

/** Every way of a format; none where it has no codes to come to. */
export function halfForms(study: Study, format: Format): HalfForm[] {
  const h = FORMATS[format];
  if (!isQuantized(study.declared.params.output)) return [];
  if (isProductStudy(study))
    return OF_RESULTS.flatMap(([equation, code]) => ofProduct(study.declared, equation, code, h));
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
