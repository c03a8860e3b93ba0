import type { Product } from '../../nouns/kernel.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { areSame } from '../../numeric/array.js';
import { furthestOf, smallestOf } from '../../numeric/extremes.js';
import { toBFloat16, toFloat16 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
import { listed, precise, printable } from '../../text.js';
import { missesCases, tellsNumber } from '../alternatives/cases.js';
import type { Cause } from '../cause.js';
import { chanceOf } from '../estimate/chance.js';
import { Intervals, intersection } from '../estimate/interval.js';
import { intervalsByChannel } from '../estimate/scalar.js';
import { viewOf } from '../estimate/view.js';
import { converts } from '../facts.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { isUnrelated } from '../search/followed.js';
import { type Change, FREEDOM, inputOf, type Setup, withInput, withOutput, withParams } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { numpy, torch } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'scale-rounded': SomeChannels & {
      readonly of?: readonly ('input' | 'weight' | 'output')[];
      readonly digits?: number;
      readonly kind?: Rounding['kind'];
      /** The scale that it moves most. */
      readonly before?: number;
      readonly after?: number;
    };
  }
}

type Evidence = CauseEvidence['scale-rounded'];
type Of = NonNullable<Evidence['of']>;

const WHICH: readonly (readonly Of[number][])[] = [
  ['input', 'weight', 'output'],
  ['weight'],
  ['input'],
  ['output'],
  ['input', 'output'],
  ['input', 'weight'],
];

/** Next to borders a value tells as much as a coin; beside another cause, which may move them too, more are needed. */
const [FEWEST_ALONE, FEWEST_BESIDE] = [3, 8];

/** Scales taken to a few decimals or digits, as a print shows them. */
export const scaleRounded: Cause<'scale-rounded'> = {
  code: 'scale-rounded',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [
    converts,
    ({ declared, data }) => declared.kind !== 'product' || data.dynamic !== null || isQuantized(inputOf(declared)),
  ],
  whose: 'model',

  changes: (study) => (study.data.side === 'candidate' && !isTensorStudy(study) ? allOf(study) : []),

  // alone: beside each other change they would take what pairs have
  estimate: (study, base) => {
    if (base !== study.declared || study.data.side !== 'candidate' || isUnrelated(study as Study, base)) return [];
    if (!isTensorStudy(study)) return allOf(study, FLOATS);
    // of several scales the values tell no more than that one of so many roundings fits
    return allOf(study, [...FLOATS, ...ROUNDINGS]).map((own) => ({
      ...own,
      freedom: FREEDOM.oneNumber,
      rare: true as const,
    }));
  },

  rules: (study, _, mayBe) =>
    study.data.side === 'candidate' && !isTensorStudy(study)
      ? allOf(study).filter((rounded) => ratiosTo(study.declared, rounded.apply(study.declared)).every(mayBe))
      : [],

  // some of so many roundings gives one or two values by chance
  shows: ({ study, without }) => {
    const isAlone = study.sameOnSubset(without, study.declared);
    const isEnough = missesCases(study, without, isAlone ? FEWEST_ALONE : FEWEST_BESIDE);
    return isEnough && tellsNumber(study) && !areTies(study, without);
  },

  chance: ({ study, change, setup }) => (isTensorStudy(study) ? 1 : chanceIn(study, change, setup)),

  words: {
    title: (e) => {
      if (isFloat(e)) return `scales rounded to ${e.kind}`;
      return e.digits === undefined ? 'scales rounded' : `scales rounded to ${e.digits} ${e.kind ?? 'decimals'}`;
    },
    explanation: (e) =>
      isFloat(e) ? 'Scales are kept in a float of fewer bits.' : 'Scales are taken as a print shows them.',
    ofOneLayer: true,
    evidence: (e) => [
      e.before === undefined || e.after === undefined
        ? null
        : `${listed(e.of ?? [])}: ${precise(e.before)} becomes ${precise(e.after)}`,
    ],
    fix: (e, context) =>
      parameterFix(
        (own) => `write the scales of ${printable(own.layer)} in full`,
        `take the scales in full, as float32, not ${isFloat(e) ? `as ${e.kind}` : 'as a print shows them'}`,
      )(e, context),
    code: (e, { framework }) =>
      isFloat(e)
        ? [numpy(`scale = np.float32(scale)  # not ${e.kind}`)]
        : framework === 'PyTorch'
          ? [torch('scale = float(tensor.q_scale())  # not as print shows it')]
          : [numpy('print(float(scale))  # all its digits, not scale as an array prints it')],
  },
};

/** By what is left of each channel's multiplier. */
function chanceIn(study: Study, { found }: Change, setup: Setup): number {
  const view = viewOf(study, study.declared);
  const moved = ((found ?? {}) as Evidence).of?.includes('output') ? 1 : 0; // the bias too
  const left = intervalsByChannel(
    view,
    (i, n) => view.acc[i] * view.stepsPerUnit[n] + moved * view.biasSteps[n],
    (_, n) => (1 - moved) * view.biasSteps[n],
  );
  const ratios = ratiosTo(study.declared, setup);
  return ratios.length === 1
    ? chanceOf(
        Intervals.of(1, () => intersection(left)),
        ratios,
        [1],
      )
    : chanceOf(
        left,
        ratios,
        ratios.map(() => 1),
      );
}

/** Whether all values that a setup misses are exact halves (of scales that are powers of two): another rule for them gives these as well. */
function areTies(study: Study, setup: Setup): boolean {
  if (!isQuantized(setup.params.output)) return false;
  const { acc, stepsPerUnit, biasSteps, channels } = viewOf(study, setup);
  const fractionOf = (i: number) => acc[i] * stepsPerUnit[i % channels] + biasSteps[i % channels] - 0.5;
  const isHalf = (v: number) => Math.abs(v - roundHalfEven(v)) < 1e-9;
  return study.misses(setup, study.subset).every((miss, i) => miss === 0 || isHalf(fractionOf(i)));
}

function allOf({ declared }: Study, roundings = ROUNDINGS): Change[] {
  const keyOf = keys();
  const known = new Set([keyOf(declared)]);
  const before = scalesOf(declared);
  return roundings.flatMap((rounding) =>
    WHICH.flatMap((of) => {
      const rounded = withRounded(declared, of, rounding);
      const key = keyOf(rounded);
      if (known.has(key)) return [];
      const after = scalesOf(rounded);
      if (!(smallestOf(after) > 0)) return [];
      known.add(key);
      return [change(before, after, of, rounding)];
    }),
  );
}

/** Keys that are equal for equal scales. Those of weights may be thousands, which stand beside each rounding of the others. */
function keys(): (setup: Setup) => string {
  const ofWeights: Product['weightScale'][] = [];
  const indexOf = (scales: Product['weightScale']) => {
    const index = ofWeights.findIndex((own) => areSame(own, scales));
    return index < 0 ? ofWeights.push(scales) - 1 : index;
  };
  return (setup) => {
    const scales = [setup.params.output, ...inputsOf(setup)].map((value) => (isQuantized(value) ? value.scale : 1));
    return [...scales, setup.kind === 'product' ? indexOf(setup.params.weightScale) : ''].join();
  };
}

interface Rounding {
  readonly digits?: number;
  readonly kind: 'decimals' | 'significant digits' | 'float16' | 'bfloat16';
  readonly apply: (scale: number) => number;
}

const ROUNDINGS: readonly Rounding[] = [
  ...[4, 3, 5, 6, 2, 7].map((digits): Rounding => ({ digits, kind: 'decimals', apply: (s) => toDecimals(s, digits) })),
  ...[5, 4, 3, 2, 6].map(
    (digits): Rounding => ({
      digits,
      kind: 'significant digits',
      apply: (s) => toDecimals(s, digits - 1 - Math.floor(Math.log10(s))),
    }),
  ),
];

const FLOATS: readonly Rounding[] = [
  { kind: 'float16', apply: toFloat16 },
  { kind: 'bfloat16', apply: toBFloat16 },
];

function isFloat({ kind }: Partial<Evidence>): boolean {
  return kind === 'float16' || kind === 'bfloat16';
}

/** Ties to even, as Python prints: 0.03125 is 0.0312. */
function toDecimals(scale: number, digits: number): number {
  return roundHalfEven(scale * 10 ** digits) / 10 ** digits;
}

/** The same array for the same scales: what is kept for it is shared by all pairs of a rounding. */
const roundedBefore = new WeakMap<Float32Array | Float64Array, Map<Rounding['apply'], Float32Array | Float64Array>>();

function roundedScales<A extends Float32Array | Float64Array>(scales: A, apply: Rounding['apply']): A {
  const known = roundedBefore.get(scales) ?? new Map();
  roundedBefore.set(scales, known);
  if (!known.has(apply)) known.set(apply, scales.map(apply));
  return known.get(apply) as A;
}

function withRounded<S extends Setup>(setup: S, of: Of, { apply }: Rounding): S {
  const { output } = setup.params;
  let changed: Setup = setup;
  if (of.includes('weight') && changed.kind === 'product')
    changed = withParams(changed, { weightScale: roundedScales(changed.params.weightScale, apply) });
  if (of.includes('input'))
    for (const [i, input] of inputsOf(setup).entries())
      if (isQuantized(input)) changed = withInput(changed, { scale: apply(input.scale) }, i);
  if (of.includes('output') && isQuantized(output)) changed = withOutput(changed, { scale: apply(output.scale) });
  return changed as S;
}

/** Of a tensor all; a product's second is of another term. */
function inputsOf(setup: Setup): readonly ValueParams[] {
  return setup.kind === 'tensor' ? setup.params.inputs : [setup.params.input];
}

function scalesOf(setup: Setup): number[] {
  const ofWeights = setup.kind === 'product' ? [...setup.params.weightScale] : [];
  const [output, ...inputs] = [setup.params.output, ...inputsOf(setup)].map((value) =>
    isQuantized(value) ? value.scale : 1,
  );
  return [...inputs, ...ofWeights, output];
}

/** Of the multipliers, a channel each. */
function ratiosTo(declared: Setup, rounded: Setup): number[] {
  const before = scalesOf(declared);
  const ratios = scalesOf(rounded).map((scale, i) => scale / before[i]);
  const [input, output] = [ratios[0], ratios[ratios.length - 1]];
  const ofWeights = ratios.length > 2 ? ratios.slice(1, -1) : [1];
  return ofWeights.map((weight) => (input * weight) / output);
}

function change(before: readonly number[], after: readonly number[], of: Of, rounding: Rounding): Change {
  return {
    cause: 'scale-rounded',
    coordinate: 'w_scale',
    // where it makes two scales one, any reason for a ratio of 1 is as good: the other's scale was taken
    ...(makesOne(before, after, of) ? { freedom: FREEDOM.oneNumber, rare: true as const } : { freedom: FREEDOM.none }),
    label: `${of.join(', ')} to ${rounding.digits ?? ''} ${rounding.kind}`,
    // asked of what is found: of 60 in a thousand channels it takes as long as trying them
    get found() {
      const at = furthestOf(before.map((scale, i) => after[i] / scale - 1));
      return { of, ...digitsOf(rounding), kind: rounding.kind, before: before[at], after: after[at] };
    },
    apply: (setup) => withRounded(setup, of, rounding),
  };
}

/** Of the input's and the output's, which stand first and last. */
function makesOne(before: readonly number[], after: readonly number[], of: Of): boolean {
  const isSame = (scales: readonly number[]) => scales[0] === scales[scales.length - 1];
  return of.length === 2 && of.includes('input') && of.includes('output') && isSame(after) && !isSame(before);
}

function digitsOf({ digits }: Rounding) {
  return digits === undefined ? {} : { digits };
}
