import { type LossyAccumulateStep, roundedProductSums } from '../../kernels/steps/lossyAccumulate.js';
import { downward, halfAway, halfEven, halfUp, towardZero } from '../../kernels/steps/round.js';
import { integerBias, roundedSums } from '../../kernels/steps/roundedSums.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { channelsOfProduct, columnsOfGroup, groupOf } from '../../products/groups.js';
import { counted } from '../../text.js';
import { scriptsRoundingTerms, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { giveAll, OF_FLOAT32, OTHER_BASE } from '../estimate/otherSums.js';
import { viewOf } from '../estimate/view.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy } from '../study/study.js';
import { codeOf, INT32_SUMS, inC, numpy } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { number } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'product-rounded': SomeChannels & {
      readonly bits?: number;
      readonly rule?: 'down' | 'half up' | 'towards zero';
      /** Accumulator units a product. */
      readonly mean_loss?: number;
      /** Each of the inputs that are added, or the whole sum; absent: each product. */
      readonly of?: 'inputs' | 'sums';
      /** Of a sum: whether the bias is in it by then. */
      readonly bias?: 'in' | 'after';
      /** It stays smaller by so many bits. */
      readonly shifted?: true;
    };
  }
}

const TERMS = [halfEven, halfAway, halfUp, downward, towardZero];
const ONE_ROUNDING = [
  numpy('q = np.rint((a_scale * (a - a_zero_point) + b_scale * (b - b_zero_point)) / y_scale)  # a, b as np.int32'),
  inC(
    'q = rintf((A_SCALE * (float)((int32_t)a - A_ZERO_POINT) + B_SCALE * (float)((int32_t)b - B_ZERO_POINT)) / Y_SCALE);',
  ),
];

/** Values on which a loss is tried before it is replayed. */
const TRIED = 48;
/** Half a step of rounding, one of another rule; of floats the last digits. */
const [REACH, DIGITS] = [1.01, 1e-5];
const [FEWEST_DIFFERING, FEWEST_BESIDE] = [3, 8];

/** Each product is shifted or rounded before the sum; or each of the values that are added; or the sum, before it is scaled. */
export const productRounded: Cause<'product-rounded', 'product' | 'tensor'> = {
  code: 'product-rounded',
  kinds: ['product', 'tensor'],
  needs: [anyRuntime, ({ data }) => data.dynamic === null],
  whose: 'kernel',
  parameterFree: true,

  // some of so many losses give one or two values by chance, and more beside another cause, which may move them too
  shows: ({ study, without }) =>
    study.data.mismatched >= FEWEST_DIFFERING &&
    (study.sameOnSubset(without, study.declared) || study.mismatches(without) >= FEWEST_BESIDE),

  changes: (study) =>
    isTensorStudy(study)
      ? TERMS.flatMap((round) => scriptsRoundingTerms(study, round)).map((steps) =>
          stepsChange('product-rounded', 'accumulator', steps, { of: 'inputs' }),
        )
      : [],

  estimate: (study, base) => {
    if (!isProductStudy(study) || base.kind !== 'product') return [];
    const open = roundedProductSums.filter((accumulate) => study.mayFollow(withSteps(base, { accumulate })));
    const products = open.length === 0 ? [] : open.filter(mayFit(study, base)).map(changeTo);
    return base === study.declared && scalesSums(study) ? [...products, ...ofSums(study)] : products;
  },

  forms: (study) => (isProductStudy(study) ? roundedProductSums.map(changeTo) : []),

  evidence: ({ study, setup, without }) => {
    if (!isProductStudy(study) || setup.kind !== 'product' || without.kind !== 'product') return {};
    const { product } = setup.steps.accumulate as LossyAccumulateStep;
    if (!product) return {};
    const { engine, subset } = study;
    const [before, after] = [without, setup].map((own) => engine.accumulator(own, subset));
    let lost = 0;
    for (let i = 0; i < before.length; i++) lost += before[i] - after[i];
    return { ...product, mean_loss: lost / before.length / study.declared.params.inFeatures };
  },

  words: {
    title: (e) => {
      if (e.of === 'inputs') return 'inputs rounded before they are added';
      if (e.of === 'sums') {
        const by = counted(e.bits ?? 0, 'bit');
        return e.shifted ? `sums shifted right by ${by}` : `sums rounded ${e.rule} by ${by} before they are scaled`;
      }
      return e.bits === undefined ? 'products rounded' : `products rounded ${e.rule} by ${counted(e.bits, 'bit')}`;
    },
    explanation: (e) =>
      e.of === 'sums'
        ? `Each sum${e.bias === 'in' ? ', with its bias,' : ', before its bias,'} loses its low bits before it is multiplied, where the reference rounds once, after it.`
        : e.of === 'inputs'
          ? "Each input is rounded to the output's steps before they are added, where the reference rounds the sum once."
          : 'Each product loses its low bits before it is added, where the reference rounds the sum once.',
    evidence: (e) => [number(e.mean_loss, (n) => `a product loses ${n} on average`)],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      if (e.of === 'sums') return 'multiply the sum in full, and shift or round once, after that';
      return e.of === 'inputs'
        ? "add the inputs in a wider type, with a fraction, and round the sum once to the output's steps"
        : 'add the products in full, in int32, and shift or round the sum once';
    },
    code: (e, context) =>
      codeOf(e.of === 'sums' ? [] : e.of === 'inputs' ? ONE_ROUNDING : INT32_SUMS, declareCode)(context),
  },
};

function changeTo(accumulate: LossyAccumulateStep): ProductChange {
  return {
    cause: 'product-rounded',
    coordinate: 'accumulator',
    freedom: FREEDOM.none,
    label: accumulate.name,
    apply: (setup) => withSteps(setup, { accumulate }),
  };
}

/** So many values that lose what one of these takes: fewer lie next to borders by chance. */
const FEWEST_OF_SUMS = 8;

function ofSums(study: ProductStudy): ProductChange[] {
  if (study.data.mismatched < FEWEST_OF_SUMS) return [];
  const { declared, sketch } = study;
  const view = viewOf(study, declared, sketch);
  const params = study.engine.restrict(declared.params, sketch);
  const own = integerBias(params);
  return roundedSums.flatMap((bias): ProductChange | [] => {
    if (!giveAll(view, (sum, n) => bias.rounded(sum, own(n)), OTHER_BASE)) return [];
    // a shift that is off loses nothing before it: that is another scale
    if (bias.sum.shifted && giveAll(view, (sum, n) => bias.whole(sum, own(n)), OF_FLOAT32)) return [];
    return {
      cause: 'product-rounded',
      coordinate: 'bias',
      freedom: FREEDOM.none,
      label: bias.name,
      found: { ...bias.sum, of: 'sums' },
      apply: (setup) => withSteps(setup, { bias }),
    };
  });
}

/** By some values of one row each: their sums in a loop of their own. */
function mayFit(study: ProductStudy, base: ProductSetup): (step: LossyAccumulateStep) => boolean {
  const { glimpse, sketch } = study;
  const scope = glimpse && glimpse.observed.length > 4 * TRIED ? glimpse : sketch;
  const view = viewOf(study, base, scope);
  const codes = study.engine.codes(base, scope);
  const sumOf = sumsIn(codes, base);
  const isOpen = (i: number) => Number.isFinite(view.lo[i]) && Number.isFinite(view.hi[i]);
  const all = [...view.acc.keys()].filter(isOpen);
  const isFloat = !isQuantized(base.params.output);
  const stride = Math.max(1, Math.floor(all.length / TRIED));
  const tried = all.filter((_, i) => i % stride === 0);
  return (step) =>
    tried.length > 8 &&
    tried.every((i) => {
      const n = i % view.channels;
      const v = sumOf(step, Math.floor(i / view.channels), n) * view.stepsPerUnit[n] + view.biasSteps[n];
      const reach = isFloat ? DIGITS * Math.abs(v) : REACH;
      return v >= view.lo[i] - reach && v <= view.hi[i] + reach;
    });
}

/** By weights, what is taken off, and place: the sums of a base are mostly another's. */
const known = new WeakMap<Codes['data'], WeakMap<Product['weight'], Map<string, number>>>();

/** The sum of one row and channel. */
function sumsIn(codes: Codes, { params }: ProductSetup) {
  const { weight, input, inFeatures } = params;
  const ofCodes = known.get(codes.data) ?? new WeakMap<Product['weight'], Map<string, number>>();
  known.set(codes.data, ofCodes);
  const sums = ofCodes.get(weight) ?? new Map<string, number>();
  ofCodes.set(weight, sums);
  return (step: LossyAccumulateStep, row: number, n: number): number => {
    const zeroPoint = weightZeroPointOf(params, n);
    const key = [step.name, row, n, input.zeroPoint, zeroPoint].join();
    let sum = sums.get(key);
    if (sum === undefined) {
      const whole = { rows: 1, cols: codes.cols, data: codes.data.subarray(row * codes.cols, (row + 1) * codes.cols) };
      const x = columnsOfGroup(whole, inFeatures, groupOf(params, n));
      sum = step.run(x, channelsOfProduct(params, n, n + 1)).data[0];
      sums.set(key, sum);
    }
    return sum;
  };
}
