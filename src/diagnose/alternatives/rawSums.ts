/** A product whose sums are taken for codes, as a first C function has it: (int8_t)acc, or clamped. */
import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfEven } from '../../kernels/steps/round.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { isRelu } from '../causes/relu.js';
import { scalesSums } from '../facts.js';
import { type ProductSetup, type Setup, withInput, withOutput, withParams, withSteps } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { isInt32Bias } from './departures.js';
import { isConvolution, patchOf, readOtherwise } from './geometry.js';
import { shortMultiplier } from './short/shortMultiplier.js';

const ONE = { k: 1, n: 0 };
const AS_IT_IS = shortMultiplier([ONE], ({ outFeatures }) => new Array(outFeatures).fill(ONE));
/** What becomes of a sum that is no code, and what of the layer's parameters takes part. */
export interface RawSum {
  readonly sums?: 'low bits' | 'clamped';
  /** Of raw codes, not less the zero point of the input. */
  readonly of_raw?: true;
  /** The output's zero point is added. */
  readonly offset?: true;
  /** The lowest code that a ReLU leaves. */
  readonly relu?: number;
}

/** Whether nothing scales its sums. */
export function takesSumsForCodes({ steps }: ProductSetup): boolean {
  return steps.multiplier === AS_IT_IS;
}

interface OfSums {
  readonly label: string;
  readonly found: RawSum;
  apply(setup: Setup): Setup;
}

/** Those that give every value: nearly all sums are others, so that no number is needed. */
export function rawSums(study: ProductStudy): OfSums[] {
  const { declared, free, data } = study;
  const { input, output } = declared.params;
  if (!free || !scalesSums(study) || data.dynamic || !isQuantized(output)) return [];
  const { zeroPoint } = output;
  const bounds = isRelu(declared) ? [0, ...(zeroPoint === 0 ? [] : [zeroPoint]), null] : [null];
  const reads = [null, ...(input.zeroPoint === 0 ? [] : rawCodes(study))];
  return reads
    .flatMap((read) => (zeroPoint === 0 ? [false] : [false, true]).map((isOffset) => ({ read, isOffset })))
    .flatMap((way) => bounds.map((relu) => ({ ...way, relu })))
    .flatMap((way) => (['low bits', 'clamped'] as const).map((sums) => ofSums(output, sums, way)))
    .filter(({ apply }) => study.mayFollow(apply(declared)) && study.agreesOnSubset(apply(declared)));
}

interface Way {
  readonly read: ((setup: ProductSetup) => ProductSetup) | null;
  readonly isOffset: boolean;
  readonly relu: number | null;
}

function ofSums(output: QuantParams, sums: 'low bits' | 'clamped', { read, isOffset, relu }: Way): OfSums {
  const found: RawSum = {
    sums,
    ...(read && { of_raw: true }),
    ...(isOffset && { offset: true }),
    ...(relu !== null && { relu }),
  };
  const apply = (setup: Setup) =>
    setup.kind === 'product' ? rawSum(read ? read(setup) : setup, output, found) : setup;
  return { label: `sums ${Object.entries(found).join(' ')}`, found, apply };
}

/** Codes less no zero point; an image is padded with that, or with code 0. */
function rawCodes(study: ProductStudy): ((setup: ProductSetup) => ProductSetup)[] {
  const raw = (setup: ProductSetup) => withInput(setup, { zeroPoint: 0 });
  if (!isConvolution(study) || !patchOf(study.declared).taps.hasHoles) return [raw];
  const reading = () => ({ fill: 0 });
  const padded = readOtherwise(study, { cause: 'rescale-missing', label: 'padded with 0', found: {}, reading });
  return [raw, (setup) => padded.apply(raw(setup))];
}

function rawSum(setup: ProductSetup, output: QuantParams, { sums, offset, relu }: RawSum): ProductSetup {
  const { quantMin, quantMax, zeroPoint } = output;
  const codes = quantMax - quantMin + 1;
  const kept = (code: number) =>
    sums === 'clamped' ? clamp(code, quantMin, quantMax) : code - codes * Math.floor((code - quantMin) / codes);
  const apply = relu === undefined ? kept : (code: number) => Math.max(relu, kept(code));
  const wide = withOutput(setup, { quantMin: -(2 ** 31), quantMax: 2 ** 31 - 1, zeroPoint: offset ? zeroPoint : 0 });
  const { bias } = setup.steps;
  const steps = withSteps(withParams(wide, { activation: 'none' }), {
    bias: isInt32Bias(bias) ? bias : int32BiasFloat64,
    multiplier: AS_IT_IS,
    round: halfEven,
    offsetAndClamp: roundThenOffset,
  });
  return { ...steps, stores: { name: `${sums} of sums`, apply, ...(sums === 'low bits' && { falls: true }) } };
}
