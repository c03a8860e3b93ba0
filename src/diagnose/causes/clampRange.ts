import { isQuantized } from '../../nouns/value.js';
import { clampBounds } from '../../replay/elementwise.js';
import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import { convertsIn, writesCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, type Setup, withOutput, withParams } from '../setup.js';
import { observedRange } from '../study/observedRange.js';
import { isProductStudy, type Study } from '../study/study.js';
import { clampTo, codeOf, modelLine } from '../words/code.js';
import { fileOf, number } from '../words/parts.js';
import { countWhere } from './count.js';
import { activationRange, withoutUpperBound } from './relu.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'clamp-range': SomeChannels & {
      readonly declared?: readonly [number, number];
      readonly found?: readonly [number, number];
      /** They are the layer's own bounds, not those of its dtype. */
      readonly of?: 'bounds';
      /** A ReLU6 without its upper bound. */
      readonly upper?: 'missing';
      /** The found range begins at the zero point, where the declared one does not. */
      readonly at_zero_point?: true;
      /** Values that the found range clamps and the declared one does not, or the reverse. */
      readonly clamped?: number;
    };
  }
}

type Range = readonly [number, number];

const USUAL: readonly Range[] = [
  [0, 255],
  [0, 127],
  [-128, 127],
  [-127, 127],
  [1, 255],
];

/** Clamped to another range than the one declared: 7 bits, a symmetric int8, or whatever the values show. */
export const clampRange: Cause<'clamp-range'> = {
  code: 'clamp-range',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes],
  whose: 'model',

  changes: (study) => {
    const { declared } = study;
    const { output } = declared.params;
    const signed = isQuantized(output) && output.dtype === 'int8';
    const [least, most] = rangeOf(declared);
    const isOther = ([lo, hi]: Range) => lo !== least || hi !== most;
    const isWithin = ([lo, hi]: Range) => (signed ? hi <= 127 : lo >= 0);
    const usual = USUAL.filter((range) => isOther(range) && (isWithin(range) || isShown(study, range)));
    return [...withoutSix(declared), ...usual.map((found) => clampedTo(declared, found, FREEDOM.none))];
  },

  estimate: (study) => {
    const { declared } = study;
    const [least, most] = rangeOf(declared);
    const [min, max] = observedRange(study);
    if (min >= max) return [];
    // the bounds of a dtype are only ever narrowed, those of a clamp may be others
    const lower = min > least || (hasOwnBounds(declared) && min < least);
    const upper = max < most || (hasOwnBounds(declared) && max > most);
    const found: Range[] = [];
    if (upper) found.push([least, max]);
    if (lower) found.push([min, most]);
    if (lower && upper) found.push([min, max]);
    // min(q, zero_point) of a ReLU leaves one code: what is below it says that this is no range
    const leaves = (range: Range) => within(range, declared)[0] < within(range, declared)[1];
    return found.filter(leaves).map((range) => clampedTo(declared, range, FREEDOM.oneNumber));
  },

  evidence: ({ study, setup, without }) => {
    if (!isProductStudy(study)) return hasOwnBounds(study.declared) ? { of: 'bounds' } : {};
    const before = study.values(without);
    const after = study.values(setup);
    return { clamped: countWhere(before, (y, i) => y !== after[i]) };
  },

  words: {
    title: (e) =>
      e.upper
        ? 'ReLU6 without its upper bound'
        : e.found
          ? `clamped to ${e.found[0]}..${e.found[1]}`
          : 'clamped to another range',
    explanation: (e) =>
      e.upper
        ? 'The file has a ReLU6; of its two bounds only the lower one was applied.'
        : 'The output is clamped to another range than its dtype, quant_min and quant_max or its activation say.',
    evidence: (e) => [
      e.declared && e.found
        ? `declared ${e.declared[0]}..${e.declared[1]}, found ${e.found[0]}..${e.found[1]}${e.at_zero_point ? ': from the zero point, as a ReLU does' : ''}`
        : null,
      number(e.clamped, (n) => `${n} values lie between the two ranges`),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `clamp to ${e.declared ? `${e.declared[0]}..${e.declared[1]}` : 'the declared range'}`
        : e.upper
          ? `write "activation": "relu" for ${printable(context.layer)} in ${fileOf(context)}`
          : e.of === 'bounds'
            ? `correct the bounds of ${printable(context.layer)} in ${fileOf(context)}${e.found ? `: the capture has them at the codes ${e.found[0]} and ${e.found[1]}` : ''}`
            : `correct quant_min and quant_max of ${printable(context.layer)} in ${fileOf(context)}${e.found ? ` (${e.found[0]}, ${e.found[1]})` : ''}`,
    code: (e, context) =>
      codeOf(e.declared ? clampTo(...e.declared) : [], () =>
        e.upper
          ? [modelLine(context, { activation: 'relu' })]
          : e.found && e.of !== 'bounds'
            ? [modelLine(context, { quant_min: e.found[0], quant_max: e.found[1] }, 'output')]
            : [],
      )(context),
  },
};

/** Of a candidate: what it saves is no code of the output, and is one of the other dtype of 8 bits. */
function isShown(study: Study, [lo, hi]: Range): boolean {
  const [least, most] = rangeOf(study.declared);
  const [min, max] = observedRange(study);
  return study.free && (min < least || max > most) && min >= lo && max <= hi;
}

function withoutSix(declared: Setup): Change[] {
  const apply = withoutUpperBound(declared);
  const range = activationRange(declared);
  if (!apply || !range) return [];
  const found: Range = [range[0], rangeOf(declared)[1]];
  return [
    {
      cause: 'clamp-range',
      coordinate: 'relu',
      freedom: FREEDOM.none,
      label: 'no 6',
      found: { declared: range, found, upper: 'missing' },
      apply,
    },
  ];
}

function clampedTo(declared: Setup, [quantMin, quantMax]: Range, freedom: number): Change {
  const { output } = declared.params;
  const [least, most] = rangeOf(declared);
  const isWider = quantMin < least || quantMax > most;
  const isRelu = !isWider && isQuantized(output) && quantMin === output.zeroPoint && quantMin > least;
  return {
    cause: 'clamp-range',
    coordinate: 'clamp',
    freedom,
    label: `${quantMin}..${quantMax}`,
    found: {
      declared: within(rangeOf(declared), declared),
      found: isWider ? [quantMin, quantMax] : within([quantMin, quantMax], declared),
      ...(isRelu && { at_zero_point: true as const }),
    },
    apply: (setup) => withOutput(byRangeOnly(declared, setup), { quantMin, quantMax }),
  };
}

/** What an activation leaves of a range. */
function within([lo, hi]: Range, declared: Setup): Range {
  const [least, most] = activationRange(declared) ?? [lo, hi];
  return [Math.max(lo, least), Math.min(hi, most)];
}

/** The codes between which the layer clamps, as declared. */
function rangeOf(setup: Setup): Range {
  const { output } = setup.params;
  if (!isQuantized(output)) throw new Error('expected codes');
  const bounds = setup.kind === 'elementwise' && hasOwnBounds(setup) ? clampBounds(setup.steps, setup.params) : null;
  return bounds ?? [output.quantMin, output.quantMax];
}

/** A clamp's bounds are what this is about; those of a ReLU have causes of their own. */
function byRangeOnly(declared: Setup, setup: Setup): Setup {
  if (setup.kind !== 'elementwise' || convertsIn(declared) || isReluClamp(declared)) return setup;
  return withParams(setup, { clamp: { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY } });
}

function hasOwnBounds(setup: Setup): boolean {
  return setup.kind === 'elementwise' && setup.params.clamp !== null && !isReluClamp(setup);
}

function isReluClamp(setup: Setup): boolean {
  return setup.kind === 'elementwise' && setup.params.clamp?.lower === 0;
}
