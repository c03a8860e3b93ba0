import type { Line } from '../../kernels/realForm.js';
import { float64Product } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { QuantParams } from '../../nouns/value.js';
import { counted, precise, printable } from '../../text.js';
import { hasCases } from '../alternatives/cases.js';
import { isFixedPoint } from '../alternatives/departures.js';
import { mixesRowsAndColumns, mixesTwice } from '../alternatives/mixedTwice.js';
import {
  type AddedSteps,
  directionOf,
  type FirstRounding,
  type RoundedTwice,
  roundedTwice,
} from '../alternatives/roundedTwice.js';
import { CUTTING } from '../alternatives/scriptedRounding.js';
import { stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { everything, narrow } from '../estimate/interval.js';
import { viewOf } from '../estimate/view.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { CauseEvidence, DecidingValue, SomeChannels } from '../finding/evidence.js';
import { resemblesDeclared } from '../search/followed.js';
import { FREEDOM, type ProductChange, type ProductSetup, type TensorChange, withParams, withSteps } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import { inC, numpy } from '../words/code.js';
import { declareKernel } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'rounding-twice': SomeChannels &
      Partial<FirstRounding> & {
        /** A number of steps that gives the same where it is added before the only rounding, and those that do as well. */
        readonly added?: AddedSteps & { readonly interval: readonly [number, number] };
        /** Of a resize: of which the mixes are codes before they are mixed; how neighbours are weighed, where not by real numbers. */
        readonly passes?: Line;
        readonly weights?: string;
        readonly deciding?: DecidingValue;
        /** Of that value, in steps: before the first rounding, between the two, and behind both. */
        readonly way?: readonly [before: number, between: number, rounded: number];
      };
  }
}

interface TwiceChange extends ProductChange {
  readonly twice: RoundedTwice;
  readonly found: CauseEvidence['rounding-twice'];
}

/** So many values are next to a border by no chance: one of two hundred forms gives a few. */
const FEWEST_DIFFERING = 8;
/** Of an added number, of that number: in a wider interval there is a power of two by chance. */
const WIDEST_INTERVAL = 1 / 16;

/**
 * A scaled sum is a fixed-point number first: rounded, or cut, to its last bit, and then rounded to a code. Or an image is resized in two
 * passes, with codes between them.
 */
export const roundingTwice: Cause<'rounding-twice', 'product' | 'tensor'> = {
  code: 'rounding-twice',
  kinds: ['product', 'tensor'],
  needs: [anyRuntime, (study) => scalesSums(study) || mixesRowsAndColumns(study)],
  whose: 'kernel',
  ownWords: true,

  changes: (study) =>
    isProductStudy(study) && hasCases(study as Study, FEWEST_DIFFERING) ? changesOf(study).filter(isNarrow) : [],

  parameterFree: true,
  // hundreds of forms: only those that fit stand beside others
  estimate: (study, base) =>
    isTensorStudy(study) && base === study.declared && hasCases(study as Study, FEWEST_DIFFERING)
      ? inPasses(study)
      : [],

  admits: (study) => {
    if (!isProductStudy(study)) return [];
    const isTold = hasCases(study as Study, FEWEST_DIFFERING) ? isNarrow : () => false;
    return changesOf(study).filter((change) => !isTold(change));
  },

  evidence: (found) => {
    if (!('twice' in found.change)) return { deciding: decidingValue(found) };
    const { toFirst, last } = (found.change as TwiceChange).twice;
    const deciding = decidingValue(found);
    const before = deciding?.before_rounding_found ?? deciding?.before_rounding;
    if (before === undefined) return { deciding };
    const between = toFirst(before);
    return { deciding, way: [before, between, last.apply(between)] };
  },

  words: {
    title: (e) =>
      e.passes
        ? `rounded after each pass, ${e.passes} first`
        : e.added
          ? `${addedText(e.added)} before the rounding, as ${firstText(e)} does`
          : `${e.rule === 'down' ? 'cut to' : 'rounded to'} ${unitOf(e)} first, then to a code`,
    explanation: (e) =>
      e.passes
        ? `Each of the ${e.passes} is resized to codes${e.rule === 'down' ? ', cut off' : ''}, and those are mixed and rounded again; the reference rounds once.`
        : e.added
          ? `There are two readings, which give the same: ${addedText(e.added)} before the sum is rounded to a code, once; or ${firstText(e)}, and what comes out rounded to a code.`
          : `The scaled sum is a number of ${e.bits === undefined ? 'few' : e.bits} bits behind the point${e.of === 'real' ? ', in real units,' : ''} before it is rounded to a code: what lies next to a half comes out on its other side.`,
    evidence: (e, context) => [
      e.weights === undefined ? null : printable(e.weights),
      decidingSentence(e.deciding, context),
      wayText(e),
      intervalText(e),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : e.passes
          ? 'keep the fraction of the first pass, and round once, behind the second'
          : e.added
            ? 'round once; add nothing else before the rounding'
            : 'keep all bits of the scaled sum, and round it once, to a code',
    code: (e, { subject }) =>
      subject === 'candidate' && !e.passes
        ? [
            numpy('q = np.rint(v)  # v = acc * multiplier: nothing added, rounded or cut before'),
            inC('q = rint(v);  /* v = acc * multiplier: nothing added, rounded or cut before */'),
          ]
        : [],
  },
};

function inPasses(study: TensorStudy): TensorChange[] {
  if (!resemblesDeclared(study as Study)) return [];
  return mixesTwice(study).map(({ first, round, weights, attributes, steps }) => ({
    ...stepsChange('rounding-twice', 'round', steps, {
      passes: first,
      rule: CUTTING.includes(round) ? 'down' : 'to nearest',
      ...(weights && { weights }),
    }),
    label: [steps.equation, weights].filter(Boolean).join(', '),
    apply: (setup) => ({ ...withParams(setup, { attributes }), steps }),
  }));
}

/** Where the last rounding alone gives it, the first one is not there to be seen. */
function changesOf(study: ProductStudy): TwiceChange[] {
  const { declared } = study;
  if (!resemblesDeclared(study as Study)) return [];
  return roundedTwice((declared.params.output as QuantParams).scale).flatMap((twice) =>
    multipliersOf(study).flatMap((multiplier): TwiceChange[] => {
      const { first, last, round } = twice;
      const steps = { multiplier, offsetAndClamp: roundThenOffset };
      const apply = (setup: ProductSetup) => withSteps(setup, { ...steps, round });
      if (!study.agreesOnSubset(apply(declared))) return [];
      const once = withSteps(declared, { ...steps, round: last });
      if (study.agreesOnSubset(once)) return [];
      const label = `${round.name}, ${multiplier.name}`;
      const added = twice.added && { ...twice.added, interval: intervalOf(study, once, twice.added) };
      const found = { ...first, ...(added && { added }) };
      return [{ cause: 'rounding-twice', coordinate: 'round', freedom: FREEDOM.none, label, twice, found, apply }];
    }),
  );
}

/** Of the numbers that give every value of the subset, added so before it is rounded once. */
function intervalOf(study: ProductStudy, once: ProductSetup, added: AddedSteps): [number, number] {
  const { acc, stepsPerUnit, biasSteps, channels, lo, hi } = viewOf(study, once);
  const interval = everything();
  for (let i = 0; i < acc.length; i++) {
    const v = acc[i] * stepsPerUnit[i % channels] + biasSteps[i % channels];
    narrow(interval, directionOf(added, v), lo[i] - v, hi[i] - v);
  }
  return [interval.lo, interval.hi];
}

function isNarrow({ found: { added } }: TwiceChange): boolean {
  return !added || added.interval[1] - added.interval[0] <= added.value * WIDEST_INTERVAL;
}

function addedText({ value, to }: AddedSteps): string {
  const power = Math.log2(value);
  const text = Number.isInteger(power) ? `2^${power}` : precise(value);
  if (to === 'negative') return `${text} of a step taken off what is negative`;
  return `${text} of a step added${to === 'away' ? ' away from zero' : ''}`;
}

function firstText({ bits = 0, of, rule }: Partial<FirstRounding>): string {
  return `${rule === 'down' ? 'cutting' : 'rounding'} to ${counted(bits, 'bit')}${of === 'real' ? ' of the real value' : ''} first`;
}

/** "40.4967777 -> 40.5 -> 41, and 40.4967777 + 0.0078125 -> 41". */
function wayText({ way, added }: Partial<CauseEvidence['rounding-twice']>): string | null {
  if (!way) return null;
  const [before, between, rounded] = way.map(precise);
  const signed = added && directionOf(added, way[0]) * added.value;
  const once = signed ? `, and ${before} ${signed < 0 ? '-' : '+'} ${precise(Math.abs(signed))} -> ${rounded}` : '';
  return `in steps: ${before} -> ${between} -> ${rounded}${once}`;
}

function intervalText({ added }: Partial<CauseEvidence['rounding-twice']>): string | null {
  if (!added) return null;
  const [from, to] = added.interval.map(precise);
  return `added once, any number from ${from} to ${to} of a step gives the values that were looked at`;
}

function unitOf({ bits, of, unit }: Partial<FirstRounding>): string {
  if (bits === undefined || unit === undefined) return 'a part of a step';
  return of === 'real' ? `2^-${bits} (${precise(unit)} of a step)` : `1/${2 ** bits} of a step`;
}

function multipliersOf({ declared: { steps } }: ProductStudy) {
  const isOwn =
    !steps.float && steps.multiplier !== float64Product && !isFixedPoint(steps.multiplier) && steps.round === halfEven;
  return isOwn ? [steps.multiplier, float64Product] : [float64Product];
}
