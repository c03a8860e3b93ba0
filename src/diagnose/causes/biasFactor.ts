import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import type { BiasStep } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { largestOf } from '../../numeric/extremes.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { precise } from '../../text.js';
import { missesCases } from '../alternatives/cases.js';
import { isInt32Bias } from '../alternatives/departures.js';
import type { Cause } from '../cause.js';
import { contains, type Interval, isBounded, pointsIn, widened } from '../estimate/interval.js';
import { giveAll, OTHER_BASE } from '../estimate/otherSums.js';
import { sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { viewOf } from '../estimate/view.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import {
  type Change,
  FREEDOM,
  inputOf,
  type ProductChange,
  type ProductSetup,
  type Setup,
  withParams,
} from '../setup.js';
import type { ProductStudy, Study } from '../study/study.js';
import { codeOf, inC, numpy, rtl } from '../words/code.js';
import { field } from '../words/fixes.js';
import { fileOf, short } from '../words/parts.js';
import { countWhere } from './count.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'bias-factor': SomeChannels & {
      readonly factor?: number;
      /** In terms of the layer's numbers. */
      readonly equals?: string;
      /** Of a declared bias in float: rounded to int32 before. */
      readonly rounded?: true;
      readonly interval?: readonly [number, number];
    };
  }
}

/** One of forty that have a name needs fewer than any that was found. */
const [FEWEST_OF_NAMED, FEWEST_MOVED] = [4, 5];

/** Every bias times one number: 2, -1, alpha, s_b / (s_x * s_w). */
export const biasFactor: Cause<'bias-factor', 'product'> = {
  code: 'bias-factor',
  kinds: ['product'],
  whose: 'model',

  // a bias added to output steps as it is: unscaled, and times s_y
  changes: ({ declared, free }) => {
    const { bias, output } = declared.params;
    if (!free || !isQuantized(output) || !bias || !hasSeveral(declared)) return [];
    const factor = output.scale;
    return [timesFactor({ factor, equals: 's_y' }, null)[0]];
  },

  afterSums: true,
  estimate: (study, base) => {
    if (!hasSeveral(base)) return [];
    const shifts = study.free && base === study.declared ? shiftsThatFit(study) : [];
    return [...shifts, ...factorsThatFit(study, base)];
  },

  forms: (study) => (hasSeveral(study.declared) ? namedFactors(study).flatMap((own) => timesFactor(own, null)) : []),

  // one value is what one bias makes as well; of the sums and the biases alike it is another scale of the output, on a base that is not known
  shows: ({ study, change, setup, without }) =>
    study.data.proven ||
    (missesCases(study as Study, without, change.freedom === FREEDOM.none ? FEWEST_OF_NAMED : FEWEST_MOVED) &&
      !isNoneButFew(study, change, setup) &&
      !isOfSumsToo(change.found, study.declared, setup)),

  words: {
    title: (e) =>
      e.factor === undefined
        ? 'biases times one number'
        : `biases${e.rounded ? ', rounded to int32,' : ''} times ${e.equals ?? short(e.factor)}`,
    explanation: 'Every bias is multiplied by one number more.',
    ofOneLayer: true,
    evidence: (e) => [
      e.factor === undefined
        ? null
        : `factor ${precise(e.factor)}${e.interval ? `, anything in ${precise(e.interval[0])} .. ${precise(e.interval[1])} fits` : ''}`,
    ],
    fix: (e, context) => {
      const factor = e.equals ?? (e.factor === undefined ? 'a factor' : short(e.factor));
      return context.subject === 'candidate'
        ? `add each bias once, as it is: it is ${e.rounded ? 'rounded to int32 and ' : ''}multiplied by ${factor}`
        : `correct ${field(context, 'bias')} in ${fileOf(context)}: the capture adds it times ${factor}`;
    },
    code: (e, context) =>
      codeOf(
        [
          numpy('acc += bias_int32  # once'),
          inC('acc += BIAS_INT32[n];  /* once */'),
          rtl('acc <= acc + BIAS_INT32[n];  // once'),
        ],
        () => (e.factor === undefined ? [] : [numpy(`bias = np.asarray(bias) * ${precise(e.factor)}`)]),
      )(context),
  },
};

/** Where it lies by the values, as people write it. */
function factorsThatFit(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const interval = factorsOf(study, base, false);
  // another base may round what this one adds in float
  const ofBases = study.free ? factorsOf(study, base, true) : interval;
  // what may be 0 is no bias at all
  if (!ofBases || contains(widened(ofBases, 2e-6), 1) || contains(ofBases, 0)) return [];
  const named = [...namedFactors(study), ...ofMultiplier(study)].filter(({ factor }) =>
    contains(widened(ofBases, 1e-6), factor),
  );
  const points = (interval ? [...roundest(interval), ...pointsIn(interval)] : []).map((factor) => ({
    factor,
    equals: null,
  }));
  return [...named, ...points]
    .filter(({ factor }) => Number.isFinite(factor) && Math.abs(factor) > 1e-6 && Math.abs(factor - 1) > 1e-5)
    .flatMap((own) => timesFactor(own, interval && contains(widened(interval, 1e-6), own.factor) ? interval : ofBases));
}

/** What another base makes of one number, as a part of it. */
const NEARLY = 1e-3;

function isOfSumsToo(found: Change['found'], declared: ProductSetup, { params }: ProductSetup): boolean {
  const { factor } = (found ?? {}) as CauseEvidence['bias-factor'];
  const ofSums = params.input.scale / declared.params.input.scale;
  return factor !== undefined && ofSums !== 1 && Math.abs(factor / ofSums - 1) < NEARLY;
}

/** Of one bias any other number is a factor: that is the number's own cause. */
function hasSeveral({ params: { bias, biasInt32 } }: ProductSetup): boolean {
  const values = bias ?? biasInt32;
  return values !== null && countWhere(values, (b) => b !== 0) > 1;
}

interface Factors extends Interval {
  /** Of one bias any other number is a factor. */
  readonly isOfSeveral: boolean;
}

/** Where the factor lies if the bias is added as on this base, or rounded as on any. */
function factorsOf(study: ProductStudy, base: ProductSetup, isRounded: boolean): Factors | null {
  const { bias } = base.params;
  const intervals = sharedIntervals(study, base, (view, { channels }) => ({
    // before it is rounded: a factor of 10 makes five units of what rounding takes from a tenth
    slope: (_, n) => (bias ? bias[channels?.[n] ?? n] / view.step : view.biasSteps[n]),
    offset: (i, n) => view.acc[i] * view.stepsPerUnit[n],
    slack: isRounded || view.integerBias ? largestOf(view.stepsPerUnit.map(Math.abs)) : 0,
  }));
  const shared = intervals && sharedInterval(intervals);
  return shared && { ...shared, isOfSeveral: countWhere(intervals.lo, (_, n) => isBounded(intervals.at(n))) > 1 };
}

/** The numbers of the fewest digits: what a person multiplies with, or divides by. */
function roundest(interval: Interval): number[] {
  const { lo, hi } = interval;
  const middle = (lo + hi) / 2;
  const ofDigits = (count: number) => [Number(middle.toPrecision(count)), 1 / Number((1 / middle).toPrecision(count))];
  return [1, 2, 3, 4]
    .flatMap(ofDigits)
    .filter((factor) => contains(interval, factor))
    .slice(0, 2);
}

/** Round factors of all biases in an interval: a number beside them is then found as precisely as it has to be. */
export function roundFactors(interval: Interval): ProductChange[] {
  return roundest(interval).flatMap((factor) => timesFactor({ factor, equals: null }, interval));
}

interface Factor {
  readonly factor: number;
  /** What it equals, to people. */
  readonly equals: string | null;
}

/** What a person would multiply a bias with by mistake. */
function namedFactors({ declared }: ProductStudy): Factor[] {
  const { weightScale, output } = declared.params;
  const [sx, sw, sy] = [inputOf(declared), null, output].map((value) =>
    value && isQuantized(value) ? value.scale : Number.NaN,
  );
  const whole = [2, -1, 0.5, 3, 4, -2, 0.25, 8, 16, 128, 256].map((factor) => ({ factor, equals: String(factor) }));
  const w =
    weightScale.length === 1 || weightScale.every((s) => s === weightScale[0]) ? weightScale[0] : (sw ?? Number.NaN);
  const scales: [string, number][] = [
    ['s_x', sx],
    ['s_w', w],
    ['s_y', sy],
    ['1 / s_x', 1 / sx],
    ['1 / s_w', 1 / w],
    ['1 / s_y', 1 / sy],
    ['s_x / s_y', sx / sy],
    ['s_y / s_x', sy / sx],
  ];
  return [...whole, ...scales.map(([equals, factor]) => ({ factor, equals }))].filter(({ factor }) =>
    Number.isFinite(factor),
  );
}

/** What a bias in steps of the output is multiplied with once more; with those above it would be tried beside every number. */
function ofMultiplier({ declared: { params } }: ProductStudy): Factor[] {
  const { input, output, weightScale } = params;
  if (!isQuantized(output) || weightScale.some((scale) => scale !== weightScale[0])) return [];
  return [{ factor: (input.scale * weightScale[0]) / output.scale, equals: 's_x * s_w / s_y' }];
}

/** Times the number before it is rounded to an integer, or after. */
function timesFactor({ factor, equals }: Factor, interval: (Partial<Factors> & Interval) | null): ProductChange[] {
  const change = (label: string, apply: (setup: ProductSetup) => ProductSetup): ProductChange => ({
    cause: 'bias-factor',
    coordinate: 'bias_values',
    freedom:
      equals !== null ? FREEDOM.none : interval?.isOfSeveral === false ? FREEDOM.numberPerChannel : FREEDOM.oneNumber,
    // no number that a person multiplies with: two scales make one as well
    ...(equals === null && { rare: true as const }),
    label: `${factor} ${label}`,
    found: {
      factor,
      ...(interval && { interval: [interval.lo, interval.hi] }),
      ...(equals === null ? {} : { equals }),
    },
    apply,
  });
  const scaled = (values: Int32Array) => values.map((b) => roundHalfEven(b * factor));
  return [
    change('real', (setup) => {
      const { bias, biasInt32 } = setup.params;
      return withParams(setup, {
        bias: bias?.map((b) => b * factor) ?? null,
        biasInt32: biasInt32 && scaled(biasInt32),
      });
    }),
    change('rounded', (setup) => withIntegers(setup, setup.steps.bias.prepare(setup.params), scaled)),
    ...(equals === null || !Number.isInteger(factor) ? [] : [ofRounded(change, scaled)]),
  ];
}

/** Whether no bias at all gives nearly every value as well: of a factor next to 0 a few are left to show it, which something else gave. */
function isNoneButFew(study: ProductStudy, { freedom }: Pick<Change, 'freedom'>, setup: Setup): boolean {
  if (freedom === FREEDOM.none || setup.kind !== 'product') return false;
  return !missesCases(study, withParams(setup, { bias: null, biasInt32: null }), FEWEST_MOVED);
}

type Made = (label: string, apply: (setup: ProductSetup) => ProductSetup) => ProductChange;

const SHIFTS = [1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8];

/** Integers shifted by too many bits or too few: by what was rounded before, no number times every bias gives them. */
function shiftsThatFit(study: ProductStudy): ProductChange[] {
  const { declared, sketch } = study;
  const of = (params: ProductSetup['params']) => int32BiasFloat64.prepare(params);
  const own = of(study.engine.restrict(declared.params, sketch));
  if (own.unit !== 'int32' || !isQuantized(declared.params.output)) return [];
  const view = viewOf(study, declared, sketch);
  const fits = (biases: Int32Array) => giveAll(view, (acc, n) => acc + biases[n], OTHER_BASE);
  // what may be 0 is no bias at all
  if (fits(own.values) || fits(own.values.map(() => 0))) return [];
  return SHIFTS.flatMap((bits): ProductChange | [] => {
    const shifted = (values: Int32Array) => values.map((b) => floor(b * 2 ** bits));
    if (!fits(shifted(own.values))) return [];
    return {
      cause: 'bias-factor',
      coordinate: 'bias_values',
      freedom: FREEDOM.none,
      label: `shifted by ${bits}`,
      found: { factor: 2 ** bits, equals: bits > 0 ? String(2 ** bits) : `2^${bits}`, rounded: true },
      apply: (setup) => withIntegers(setup, of(setup.params), shifted),
    };
  });
}

/** The integers that a step makes of its biases, changed; where it makes none the setup stays. */
function withIntegers(
  setup: ProductSetup,
  prepared: ReturnType<BiasStep['prepare']> | null,
  changed: (values: Int32Array) => Int32Array,
): ProductSetup {
  return prepared?.unit === 'int32' ? withParams(setup, { bias: null, biasInt32: changed(prepared.values) }) : setup;
}

/** Integer code adds the integer more than once where the declared kernel adds a float. */
function ofRounded(change: Made, scaled: (values: Int32Array) => Int32Array): ProductChange {
  const own = change('rounded to int32', (setup) => {
    const { bias } = setup.params;
    const prepared = bias && !isInt32Bias(setup.steps.bias) ? int32BiasFloat64.prepare(setup.params) : null;
    return withIntegers(setup, prepared, scaled);
  });
  return { ...own, found: { ...own.found, rounded: true } };
}
