import {
  countLosingPairs,
  exact,
  isExact,
  isSaturating,
  isWrapping,
  losingPairs,
  type PairedAccumulateStep,
} from '../../kernels/steps/accumulate.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import { eachGroup } from '../../products/groups.js';
import { cellOf } from '../../tensor/patches.js';
import { counted, printable } from '../../text.js';
import { accumulatorChanges, kernelSteps } from '../alternatives/departures.js';
import type { Cause, Found } from '../cause.js';
import type { At, SaturatingPair, SomeChannels } from '../finding/evidence.js';
import { type ProductSetup, withSteps } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { INT16_PAIRS, INT32_SUMS } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { pairSentences } from '../words/parts.js';
import { IN_PAIRS, saturationWays, WITHOUT_PAIRS } from '../words/saturation.js';
import { countWhere } from './count.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'int16-saturation': SomeChannels & {
      /** FBGEMM's own kernel for this geometry, which saturates whatever the CPU. */
      readonly every_cpu?: 'depthwise' | 'direct';
      /** The variable that kept a CPU with VNNI from it. */
      readonly held_by?: string;
      /** The judged side adds in full, where the declared kernel saturates. */
      readonly exact?: true;
      /** The first saturating pair of the first differing value that has one. */
      readonly pair?: At & SaturatingPair;
      /** Pairs that saturate, over all values of the layer, and all pairs there are. */
      readonly saturating_pairs?: number;
      readonly total_pairs?: number;
      /** Differing values with at least one saturating pair. */
      readonly mismatched_with_pair?: number;
      /** Codes of the layer's input above 127, as the kernel multiplies them; without any, no pair can saturate. */
      readonly activations_above_127?: number;
      /** What the kernel adds to each code first. */
      readonly code_shift?: number;
    };
  }
}

/** u8*s8 products summed in adjacent pairs saturate at int16 (vpmaddubsw): x86 without VNNI. */
export const int16Saturation: Cause<'int16-saturation', 'product'> = {
  code: 'int16-saturation',
  kinds: ['product'],
  whose: 'kernel',

  changes: (study) => {
    const { steps, params } = study.declared;
    // where the declared one saturates, another may be exact
    const others = isExact(steps.accumulate, params) ? [] : [exact];
    return accumulatorChanges(
      'int16-saturation',
      [...kernelSteps(study, 'accumulate').filter(isSaturating), ...(isSaturating(steps.accumulate) ? others : [])],
      study,
    );
  },

  shows: (found) => {
    const [exactSums, sums] = sumsOf(found);
    const { study, setup } = found;
    // where the declared one wraps, exact sums may give the same
    const isExactToo =
      isWrapping(found.without.steps.accumulate) && study.sameOnSubset(setup, withSteps(setup, { accumulate: exact }));
    return !isExactToo && sums.some((sum: number, i: number) => sum !== exactSums[i]);
  },

  evidence: (found) => {
    const { study, without } = found;
    const isDeclared = isExact(found.setup.steps.accumulate, found.setup.params);
    // the side that saturates
    const setup = isDeclared ? without : found.setup;
    const step = setup.steps.accumulate;
    if (!isSaturating(step)) return {};
    const { samples, observed } = study.subset;
    const codes = study.engine.codes(setup, study.subset);
    const shift = step.codeShift(setup.params);
    const [before, after] = [study.values(without), study.values(found.setup)];
    // a sum that differs lost something in a pair
    const [exactSums, sums] = sumsOf(found);
    const differs = (i: number) => before[i] !== after[i] && exactSums[i] !== sums[i];
    const first = observed.findIndex((_: number, i: number) => differs(i));
    const [row, channel] = [Math.floor(first / study.channels), first % study.channels];
    const own = () => study.engine.codesOf(setup, study.subset, channel);
    const pair = first < 0 ? null : firstPair(step, own(), setup.params, { row, sample: samples[row], channel });
    return {
      ...(isDeclared ? { exact: true } : everyCpu(study)),
      ...(pair ? { pair: { sample: samples[row], channel, ...pair } } : {}),
      ...countPairs(study, step, setup, codes),
      mismatched_with_pair: countWhere(observed, (_, i) => differs(i)),
      activations_above_127: countWhere(codes.data, (code) => code + shift > 127),
      ...(shift === 0 ? {} : { code_shift: shift }),
    };
  },

  words: {
    title: (e) => {
      if (e.exact) return 'exact sums, no int16 saturation';
      return e.every_cpu ? `int16 saturation of FBGEMM's ${e.every_cpu} kernel, on every CPU` : 'int16 saturation';
    },
    explanation: (e) =>
      e.exact
        ? 'Products of activation and weight codes are added in full, where the declared kernel clamps each pair at int16 (vpmaddubsw).'
        : `Products of activation and weight codes are added in pairs, and each pair clamps at int16 (vpmaddubsw)${e.every_cpu ? `; FBGEMM's ${e.every_cpu} kernel does so with VNNI too` : ''}.`,
    evidence: (e, { declaredKernel }) => [
      ...(e.exact && e.pair ? [`in ${printable(declaredKernel)}:`] : []),
      ...pairSentences(e.pair),
      e.saturating_pairs === undefined
        ? null
        : `${e.saturating_pairs}${e.total_pairs === undefined ? '' : ` of ${e.total_pairs}`} pairs saturate` +
          (e.mismatched_with_pair === undefined ? '' : `, in ${counted(e.mismatched_with_pair, 'differing value')}`),
      e.activations_above_127
        ? `${counted(e.activations_above_127, 'input code')} exceed${e.activations_above_127 === 1 ? 's' : ''} 127${e.code_shift ? ` once the kernel has added ${e.code_shift}` : ''}; without them no pair could saturate`
        : null,
    ],
    fix: (e, context) => {
      if (e.exact) return context.subject === 'candidate' ? IN_PAIRS : declareKernel(context);
      return context.subject === 'candidate' ? WITHOUT_PAIRS : (saturationWays(context)[0]?.text ?? null);
    },
    code: (e, context) =>
      e.exact
        ? context.subject === 'candidate'
          ? INT16_PAIRS
          : declareCode(context)
        : context.subject === 'candidate'
          ? INT32_SUMS
          : (saturationWays(context)[0]?.code ?? []),
  },
};

/** Some libraries have kernels that know no VNNI. */
function everyCpu({ data, declared }: ProductStudy): { every_cpu?: 'depthwise' | 'direct' } {
  const { patch } = declared.params;
  const path = patch && data.side === 'capture' ? data.kernel.library?.saturatesIn?.(patch) : null;
  return path ? { every_cpu: path } : {};
}

/** Without and with it. */
function sumsOf({ study, setup, without }: Found<'product'>) {
  return [study.engine.accumulator(without, study.subset), study.engine.accumulator(setup, study.subset)];
}

/** Counting takes as long as accumulating: only where the layer is small enough to be in memory as a whole. */
export function countPairs(study: ProductStudy, step: PairedAccumulateStep, setup: ProductSetup, codes: Codes) {
  const total = codes.rows * setup.params.outFeatures * step.pairs(setup.params).first.length;
  if (!study.complete || total > MOST_PAIRS) return {};
  let losing = 0;
  for (const { product, x } of eachGroup(setup.params, codes)) losing += countLosingPairs(step, x, product);
  return { saturating_pairs: losing, total_pairs: total };
}

const MOST_PAIRS = 1e8;

function firstPair(
  step: PairedAccumulateStep,
  codes: Codes,
  params: Product,
  { row, sample, channel }: { readonly row: number; readonly sample: number; readonly channel: number },
): SaturatingPair | null {
  const { inFeatures, weight, patch } = params;
  const shift = step.codeShift(params);
  const lost = losingPairs(step, codes, params, row, channel).next().value;
  if (!lost) return null;
  const [a, b] = lost.k;
  const x = (k: number) => (k < 0 ? 0 : codes.data[row * codes.cols + k] + shift);
  const w = (k: number) => (k < 0 ? 0 : weight[channel * inFeatures + k]);
  const cells = patch && [a, b].filter((k) => k >= 0).map((k) => cellOf(patch, sample % patch.taps.positions, k));
  return {
    k: [a, b],
    x: [x(a), x(b)],
    w: [w(a), w(b)],
    sum: lost.sum,
    saturated: lost.narrowed,
    ...(cells && { cells }),
  };
}
