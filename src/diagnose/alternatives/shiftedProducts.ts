/** Products of two values that are shifted before they are scaled, as firmware keeps them in fewer bits: ((a * b) >> 8) * m. */
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import { downward, halfEven, halfUp, towardZero } from '../../kernels/steps/round.js';
import type { RoundStep, TensorSteps } from '../../nouns/kernel.js';
import { clamp } from '../../numeric/integer.js';
import { viewOf } from '../estimate/view.js';
import { isTensorStudy, type Study, type TensorStudy } from '../study/study.js';
import { hasCases } from './cases.js';
import { type Multiplied, multipliedIn, PRODUCTS } from './short/shortFactors.js';
import { floatsOf } from './tensorSteps.js';

export interface ShiftedProduct {
  readonly steps: TensorSteps;
  readonly bits: number;
  readonly rule: 'down' | 'half up' | 'towards zero';
}

const RULES = [
  ['down', downward],
  ['half up', halfUp],
  ['towards zero', towardZero],
] as const;

/** Two codes of 8 bits have 16: of more shifted away nothing is left that tells. */
const MOST_BITS = 14;
const FEWEST = 8;
/** In steps, and of a value. */
const [SLACK, OF_FLOAT32] = [1e-6, 1e-7];

/** Those that give what is observed, of part of the values, where what is left is rounded to nearest or cut off too. */
export function shiftedProducts(study: Study): ShiftedProduct[] {
  if (!isTensorStudy(study) || !study.free || !PRODUCTS.includes(study.data.op) || !hasCases(study, FEWEST)) return [];
  const [own] = multipliedIn(study);
  if (!own) return [];
  const products = floatsOf(study, (call) => own.terms(call)[0], study.sketch);
  const fits = fitting(study, own, products);
  const found: ShiftedProduct[] = [];
  for (let bits = 1; bits <= MOST_BITS; bits++)
    for (const [rule, round] of RULES)
      for (const last of [halfEven, downward])
        if (fits(bits, round, last)) found.push({ steps: stepsOf(own, bits, round, last), bits, rule });
  return found;
}

function fitting(study: TensorStudy, { reals: [real] }: Multiplied, products: ArrayLike<number>) {
  const { lo, hi } = viewOf(study, study.declared, study.sketch);
  return (bits: number, round: RoundStep, last: RoundStep) => {
    const unit = 2 ** bits;
    const more = last === downward ? 0.5 : 0;
    for (let i = 0; i < lo.length; i++) {
      const v = round.apply(products[i] / unit) * unit * real - more;
      const slack = SLACK + Math.abs(v) * OF_FLOAT32;
      if (v < lo[i] - slack || v > hi[i] + slack) return false;
    }
    return true;
  };
}

function stepsOf(
  { terms, reals: [real], of }: Multiplied,
  bits: number,
  round: RoundStep,
  last: RoundStep,
): TensorSteps {
  const unit = 2 ** bits;
  return {
    kind: 'tensor',
    equation: `${last.equation} of ${round.equation} of da * db / 2^${bits}, * 2^${bits} * ${of}, then + zp`,
    run(call) {
      const output = quantized(call.output);
      const [product] = terms(call);
      const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
      const code = (i: number) => last.apply(round.apply(product(i) / unit) * unit * real) + output.zeroPoint;
      return fill(call, (i) => clamp(code(i), lo, hi));
    },
  };
}
