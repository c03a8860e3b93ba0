import { type LossyAccumulateStep, roundedProductSums } from '../../kernels/steps/lossyAccumulate.js';
import { downward, halfAway, halfEven, halfUp, towardZero } from '../../kernels/steps/round.js';
import { integerBias, roundedSums, shiftedFirst } from '../../kernels/steps/roundedSums.js';
import { isTiled, roundedTiles, type Tile } from '../../kernels/steps/tiledSums.js';
import type { AccumulateStep } from '../../nouns/kernel.js';
import { counted } from '../../text.js';
import { hasCases, missesCases } from '../alternatives/cases.js';
import { termsInFixedPoint } from '../alternatives/fixedPointValues.js';
import { shiftedProducts } from '../alternatives/shiftedProducts.js';
import { scriptsRoundingOne, scriptsRoundingTerms, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { giveAll, OF_FLOAT32, OTHER_BASE } from '../estimate/otherSums.js';
import { mayGive, OF_BASE } from '../estimate/triedSums.js';
import { viewOf } from '../estimate/view.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { resemblesDeclared } from '../search/followed.js';
import { FREEDOM, type ProductChange, type Setup, type TensorChange, withSteps } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
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
      /** Each of the inputs that are added, the whole sum, the sum of so many products, or a product that none is added to; absent: each product. */
      readonly of?: 'inputs' | 'sums' | 'parts' | 'values';
      readonly products?: number;
      readonly along?: Tile['along'];
      /** Of a sum: whether the bias is in it by then. */
      readonly bias?: 'in' | 'after';
      /** It stays smaller by so many bits. */
      readonly shifted?: true;
      /** By the shift of each channel's own multiplier. */
      readonly own?: true;
      /** Of two inputs: the one whose steps the other is rounded to; absent: the output's. */
      readonly to?: 0 | 1;
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

const [FEWEST_DIFFERING, FEWEST_BESIDE] = [5, 8];
/** There are hundreds of parts, and halves of a bit that they are rounded by are a number added to each sum, nearly. */
const FEWEST_BESIDE_PARTS = 32;

/** Sums of which nothing is left are no sums of rounded products. */
function leavesSums(study: Study, setup: Setup): boolean {
  return (
    !isProductStudy(study) ||
    setup.kind !== 'product' ||
    study.engine.accumulator(setup, study.subset).some((sum) => sum !== 0)
  );
}

/** Each product is shifted or rounded before the sum; or each of the values that are added; or the sum, before it is scaled. */
export const productRounded: Cause<'product-rounded', 'product' | 'tensor'> = {
  code: 'product-rounded',
  kinds: ['product', 'tensor'],
  needs: [anyRuntime, ({ data }) => data.dynamic === null],
  whose: 'kernel',
  parameterFree: true,

  // some of so many losses give one or two values by chance, and more beside another cause, which may move them too
  shows: ({ study, setup, without }) => {
    if (!hasCases(study, FEWEST_DIFFERING) || !leavesSums(study, setup)) return false;
    if (study.sameOnSubset(without, study.declared)) return true;
    const isOfParts = setup.kind === 'product' && isTiled(setup.steps.accumulate);
    return missesCases(study, without, isOfParts ? FEWEST_BESIDE_PARTS : FEWEST_BESIDE);
  },

  changes: (study) =>
    isTensorStudy(study)
      ? [...TERMS.flatMap((round) => scriptsRoundingTerms(study, round)), ...termsInFixedPoint(study)]
          .map((steps) => stepsChange('product-rounded', 'accumulator', steps, { of: 'inputs' }))
          .concat(ofOneInput(study))
      : [],

  estimate: (study, base) => {
    if (isTensorStudy(study)) return base === study.declared ? ofValues(study) : [];
    if (!isProductStudy(study) || base.kind !== 'product') return [];
    const products = roundedProductSums
      .filter(mayGive(study, base))
      .filter((accumulate) => study.mayFollow(withSteps(base, { accumulate })))
      .map(changeTo);
    // of hundreds of parts a few values tell before any is added for more
    if (!hasCases(study as Study, FEWEST_OF_SUMS) || !resemblesDeclared(study as Study)) return products;
    const tiles = base.params === study.declared.params ? roundedTiles(base.params) : [];
    const parts = tiles.length > 0 ? tiles.filter(mayGive(study, base, OF_BASE)).map(changeTo) : [];
    const sums = base === study.declared && scalesSums(study) ? [...ofSums(study), ...ofOwnShifts(study)] : [];
    return [...products, ...parts, ...sums];
  },

  forms: (study) => (isProductStudy(study) ? roundedProductSums.map(changeTo) : []),

  evidence: ({ study, setup, without }) => {
    if (!isProductStudy(study) || setup.kind !== 'product' || without.kind !== 'product') return {};
    const { accumulate } = setup.steps;
    if (isTiled(accumulate)) return { ...accumulate.loss.rounding, of: 'parts', ...accumulate.tile };
    const { product } = accumulate as LossyAccumulateStep;
    if (!product) return {};
    const { engine, subset } = study;
    const [before, after] = [without, setup].map((own) => engine.accumulator(own, subset));
    let lost = 0;
    for (let i = 0; i < before.length; i++) lost += before[i] - after[i];
    return { ...product, mean_loss: lost / before.length / study.declared.params.inFeatures };
  },

  words: {
    title: (e) => {
      if (e.to !== undefined) return `input ${1 - e.to} rounded to the steps of input ${e.to} before they are added`;
      if (e.of === 'inputs') return 'inputs rounded before they are added';
      if (e.of === 'values')
        return `products rounded ${e.rule} by ${counted(e.bits ?? 0, 'bit')} before they are scaled`;
      if (e.of === 'parts') return `sums of ${e.products} products rounded ${e.rule} by ${counted(e.bits ?? 0, 'bit')}`;
      if (e.own) return `sums shifted, rounded ${e.rule}, before they are multiplied`;
      if (e.of === 'sums') {
        const by = counted(e.bits ?? 0, 'bit');
        return e.shifted ? `sums shifted right by ${by}` : `sums rounded ${e.rule} by ${by} before they are scaled`;
      }
      return e.bits === undefined ? 'products rounded' : `products rounded ${e.rule} by ${counted(e.bits, 'bit')}`;
    },
    explanation: (e) =>
      e.of === 'values'
        ? 'Each product loses its low bits before it is multiplied, where the reference rounds once, after it.'
        : e.of === 'sums'
          ? `Each sum${e.bias === 'in' ? ', with its bias,' : ', before its bias,'} loses its low bits before it is multiplied, where the reference rounds once, after it.`
          : e.of === 'inputs'
            ? `${e.to === undefined ? "Each input is rounded to the output's steps" : "An input is brought to the other one's scale and rounded"} before they are added, where the reference rounds the sum once.`
            : `Each ${e.of === 'parts' ? 'part of the sum' : 'product'} loses its low bits before it is added, where the reference rounds the sum once.`,
    evidence: (e) => [number(e.mean_loss, (n) => `a product loses ${n} on average`)],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      if (e.of === 'sums') return 'multiply the sum in full, and shift or round once, after that';
      if (e.of === 'values') return 'multiply the product in full, in int32, and shift or round once, after that';
      return e.of === 'inputs'
        ? "add the inputs in a wider type, with a fraction, and round the sum once to the output's steps"
        : 'add the products in full, in int32, and shift or round the sum once';
    },
    code: (e, context) =>
      codeOf(
        e.of === 'sums' || e.of === 'values' ? [] : e.of === 'inputs' ? ONE_ROUNDING : INT32_SUMS,
        declareCode,
      )(context),
  },
};

function changeTo(accumulate: AccumulateStep): ProductChange {
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

/** Of two values that are multiplied. */
function ofValues(study: TensorStudy): TensorChange[] {
  return shiftedProducts(study).map(({ steps, bits, rule }) =>
    stepsChange('product-rounded', 'accumulator', steps, { of: 'values', bits, rule }),
  );
}

/** One of two inputs, at the scale of the other. */
function ofOneInput(study: TensorStudy): TensorChange[] {
  return TERMS.flatMap((round) => scriptsRoundingOne(study, round)).map(({ steps, to }) =>
    stepsChange('product-rounded', 'accumulator', steps, { of: 'inputs', to }),
  );
}

/** (acc >> shift) * m: each channel's own shift comes first. */
function ofOwnShifts(study: ProductStudy): ProductChange[] {
  const { declared, sketch } = study;
  const view = viewOf(study, declared, sketch);
  const params = study.engine.restrict(declared.params, sketch);
  const own = integerBias(params);
  return shiftedFirst.flatMap((bias): ProductChange | [] => {
    const shifted = bias.shifted(params);
    if (!giveAll(view, (sum, n) => shifted(sum + own(n), n), OTHER_BASE)) return [];
    return ofBias(bias);
  });
}

function ofSums(study: ProductStudy): ProductChange[] {
  const { declared, sketch } = study;
  const view = viewOf(study, declared, sketch);
  const params = study.engine.restrict(declared.params, sketch);
  return roundedSums.flatMap((bias): ProductChange | [] => {
    const own = bias.biasOf(params);
    if (!giveAll(view, (sum, n) => bias.rounded(sum, own(n)), OTHER_BASE)) return [];
    // a shift that is off loses nothing before it: that is another scale
    if (bias.sum.shifted && giveAll(view, (sum, n) => bias.whole(sum, own(n)), OF_FLOAT32)) return [];
    return ofBias(bias);
  });
}

function ofBias(bias: (typeof roundedSums)[number] | (typeof shiftedFirst)[number]): ProductChange {
  return {
    cause: 'product-rounded',
    coordinate: 'bias',
    freedom: FREEDOM.none,
    label: bias.name,
    found: { ...bias.sum, of: 'sums' },
    apply: (setup) => withSteps(setup, { bias }),
  };
}
