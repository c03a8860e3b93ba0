import {
  accumulatorsByChannel,
  accumulatorsOf,
  biasedAccumulators,
  byteAccumulators,
  exact,
  hasPlacesAndChannels,
  isPaired,
  isWrapping,
  type NarrowAccumulateStep,
  narrowAccumulators,
  neonMlalInt16Wrap,
} from '../../kernels/steps/accumulate.js';
import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { isTiled, narrowTiles, type Tile } from '../../kernels/steps/tiledSums.js';
import type { AccumulateStep, Product } from '../../nouns/kernel.js';
import { counted, printable } from '../../text.js';
import { hasCases } from '../alternatives/cases.js';
import { accumulatorChanges, kernelSteps } from '../alternatives/departures.js';
import { narrowMeans } from '../alternatives/narrowMeans.js';
import { formOf } from '../alternatives/tensorSteps.js';
import { widthsOfSums } from '../alternatives/widthOfSums.js';
import type { Cause, Found } from '../cause.js';
import { mayGive, OF_BASE } from '../estimate/triedSums.js';
import type { At, SomeChannels } from '../finding/evidence.js';
import { resemblesDeclared } from '../search/followed.js';
import { type ProductSetup, withSteps } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study } from '../study/study.js';
import { INT32_SUMS, inC, numpy } from '../words/code.js';
import { declareKernel, stepLines } from '../words/fixes.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';
import { placeAt } from './placeAt.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'accumulator-wraps': SomeChannels & {
      /** The judged side adds in full, where the declared kernel wraps. */
      readonly exact?: true;
      readonly bits?: number;
      readonly overflow?: 'wrap' | 'saturate';
      /** What overflows: the zero-point-corrected sum, or the sum of raw products. */
      readonly of?: 'sum' | 'raw';
      /** The bias is added in the same width. */
      readonly holds_bias?: true;
      /** Of sums of so many products, which are then added in full. */
      readonly products?: number;
      readonly along?: Tile['along'];
      /** Of a pool or a mean. */
      readonly of_windows?: true;
      /** Values whose exact accumulator leaves the width. */
      readonly overflowed?: number;
      readonly first?: At & { readonly exact: number; readonly overflowed: number };
    };
  }
}

/** Of so many parts one gives fewer by chance. */
const FEWEST_OF_PARTS = 8;

/** An accumulator narrower than int32 wraps or saturates as a whole; or int16 pairs wrap (ARM without dot product). */
export const accumulatorWraps: Cause<'accumulator-wraps', 'product' | 'tensor'> = {
  code: 'accumulator-wraps',
  kinds: ['product', 'tensor'],
  needs: [(study) => !isTensorStudy(study) || (study.free && formOf(study)?.is === 'mean')],
  whose: 'kernel',

  changes: (study) => {
    if (isTensorStudy(study)) return narrowMeans(study);
    if (!isProductStudy(study)) return [];
    const ofKernels = kernelSteps(study, 'accumulate').filter(isWrapping);
    const steps: AccumulateStep[] = study.free
      ? [
          ...new Set([
            ...ofKernels,
            neonMlalInt16Wrap,
            ...narrowAccumulators,
            ...(hasBias(study) ? biasedAccumulators : []),
            ...ofOtherWidths(study),
            ...(hasPlacesAndChannels(study.declared.params)
              ? accumulatorsByChannel.filter(({ bias }) => !bias || hasBias(study))
              : []),
          ]),
        ]
      : ofKernels;
    const others = isWrapping(study.declared.steps.accumulate) ? [exact] : [];
    const changesTo = (own: readonly AccumulateStep[]) => accumulatorChanges('accumulator-wraps', own, study);
    // of 8 bits few values are left: beside another mistake nothing tells of them
    const ofBytes = study.free ? changesTo(byteAccumulators.filter(({ bias }) => !bias || hasBias(study))) : [];
    const alone = ofBytes.filter((change) => study.agreesOnSubset(change.apply(study.declared)));
    return [...changesTo([...others, ...steps]), ...alone];
  },

  parameterFree: true,
  estimate: (study, base) => {
    if (!isProductStudy(study) || base.kind !== 'product' || !study.free || study.data.dynamic) return [];
    if (!hasCases(study as Study, FEWEST_OF_PARTS)) return [];
    // parts that all wrap resemble nothing; beside another cause they would be asked for on each base of noise
    if (base !== study.declared && !resemblesDeclared(study as Study)) return [];
    return accumulatorChanges(
      'accumulator-wraps',
      narrowTiles(base.params).filter(mayGive(study, base, OF_BASE)),
      study,
    );
  },

  shows: (found) => {
    if (!isOfProduct(found)) return true; // asked when it was found
    const { sums, wide } = sumsOf(found, narrowOf(found));
    return sums.some((sum: number, i: number) => sum !== wide[i]);
  },

  evidence: (found) => {
    if (!isOfProduct(found)) return {};
    const { study } = found;
    const narrow = narrowOf(found);
    const { sums, wide } = sumsOf(found, narrow);
    const step = narrow.steps.accumulate;
    const isDeclared = narrow === found.without ? { exact: true as const } : {};
    const at = wide.findIndex((acc, i) => acc !== sums[i]);
    const where = at < 0 ? null : placeAt(study, at);
    const bias = where ? heldBias(step, narrow.params)(where.channel) : 0;
    const first = where ? { first: { ...where, exact: wide[at] + bias, overflowed: sums[at] + bias } } : {};
    const overflowed = countWhere(wide, (acc, i) => acc !== sums[i]);
    if (isPaired(step)) return { ...isDeclared, bits: 16, overflow: 'wrap', of: 'raw', overflowed, ...first };
    if (isTiled(step)) {
      const { loss, tile } = step;
      return { bits: 16, overflow: loss.overflow!, of: loss.of, ...tile, overflowed, ...first };
    }
    const { bits, overflow, of, bias: holdsBias } = step as NarrowAccumulateStep;
    return { bits, overflow, of, ...(holdsBias && { holds_bias: true }), overflowed, ...first };
  },

  words: {
    title: (e) =>
      e.exact
        ? `exact sums, no wrapping in ${e.bits ?? 16} bits`
        : `${e.bits ?? 'narrow'}${e.bits ? '-bit' : ''} accumulator ${e.products ? `of ${e.products} products ` : ''}${e.overflow === 'saturate' ? 'saturates' : 'wraps'}`,
    explanation: (e) =>
      e.exact
        ? 'Products are added in full, where the declared kernel wraps sums of two at int16.'
        : e.products
          ? `Every ${e.products} products are added in ${e.bits} bits before these sums are added in full, and leave that width.`
          : `The sum${e.holds_bias ? ', the bias included,' : ''} leaves the width of its accumulator.`,
    evidence: (e, { declaredKernel }) => [
      ...(e.exact && e.first ? [`in ${printable(declaredKernel)}:`] : []),
      e.first ? `${place(e.first)}: ${e.first.exact} becomes ${e.first.overflowed}` : null,
      e.overflowed === undefined
        ? null
        : `${counted(e.overflowed, 'sum')}${e.of === 'raw' ? ' of raw products' : ''} leave${e.overflowed === 1 ? 's' : ''} ${e.bits ?? 'that many'} bits`,
    ],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      if (e.of_windows) return 'sum a window in int32 (numpy: sum(dtype=np.int32))';
      return e.exact ? WRAPPING_PAIRS : 'accumulate in int32 (numpy: astype(np.int32) before @; uint8 @ int8 is int16)';
    },
    code: (e, context) => stepLines(e.exact ? [] : e.of_windows ? OF_WINDOWS : INT32_SUMS)!(e, context),
  },
};

const OF_WINDOWS = [numpy('total = window.astype(np.int32).sum()'), inC('int32_t total = 0;  /* of a window */')];

const WRAPPING_PAIRS =
  'add the products k and k + 8 of every 16 in int16, wrapping, of codes made signed: only two products of -128 by -128 wrap';

function isOfProduct(found: Found<'product' | 'tensor'>): found is Found<'product'> {
  return isProductStudy(found.study);
}

/** The side whose sums leave their width. */
function narrowOf({ setup, without }: Found<'product'>): ProductSetup {
  return isWrapping(without.steps.accumulate) && setup.steps.accumulate === exact ? without : setup;
}

/** As it adds, and in full. */
function sumsOf({ study }: Found<'product'>, narrow: ProductSetup) {
  const sums = (accumulate: AccumulateStep) =>
    study.engine.accumulator(withSteps(narrow, { accumulate }), study.subset);
  return { sums: sums(narrow.steps.accumulate), wide: sums(exact) };
}

/** Widths that are tried whatever the values are. */
const USUAL = [8, 16, 24];

function ofOtherWidths(study: ProductStudy): AccumulateStep[] {
  const widths = widthsOfSums(study).filter((bits) => !USUAL.includes(bits));
  return widths.flatMap(accumulatorsOf).filter(({ bias }) => bias === null || hasBias(study));
}

function hasBias({ declared: { params } }: ProductStudy): boolean {
  return (params.bias ?? params.biasInt32) !== null;
}

/** What the accumulator holds of a channel beside its sum. */
function heldBias({ holdsBias }: AccumulateStep, params: Product): (channel: number) => number {
  const prepared = holdsBias ? int32BiasFloat64.prepare(params) : null;
  return (channel) => (prepared?.unit === 'int32' ? prepared.values[channel] : 0);
}
