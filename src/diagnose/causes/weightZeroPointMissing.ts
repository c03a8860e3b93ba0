import { type FoldedStep, foldedSums } from '../../kernels/steps/foldedZeroPoints.js';
import { int32s } from '../../numeric/array.js';
import { groupOf } from '../../products/groups.js';
import type { Cause } from '../cause.js';
import type { Interval, Intervals } from '../estimate/interval.js';
import { restsOnEnough } from '../estimate/perChannel.js';
import { ownIntervals, sharedIntegers } from '../estimate/scalar.js';
import type { View } from '../estimate/view.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams, withSteps } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { codeOf, inC, numpy } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { fileOf, number } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'weight-zero-point-missing': SomeChannels & {
      readonly zero_point?: number;
      /** Another is taken in its place: of the channel given, and as far off in all others. */
      readonly found?: number;
      /** Whose zero point is given, if they differ. */
      readonly channel?: number;
      /** What becomes of K * zx * zw, where sums are made of raw codes. */
      readonly term?: FoldedStep['term'];
      /** Taken with the other sign, as an offset that kernels add. */
      readonly added?: true;
    };
  }
}

/** w used without its zero point; or the file has none (0) where one was used for all channels. */
export const weightZeroPointMissing: Cause<'weight-zero-point-missing', 'product'> = {
  code: 'weight-zero-point-missing',
  kinds: ['product'],
  whose: 'model',
  parameterFree: true,

  changes: (study) =>
    study.declared.params.weightZeroPoint.some((zp) => zp !== 0)
      ? [withZeroPoint(Int32Array.of(0), FREEDOM.none), ...added(study), ...withoutTerm(study)]
      : [],

  estimate: (study, base) => {
    if (study.data.side === 'candidate') return study.free && base === study.declared ? ofCandidate(study) : [];
    if (base.params.weightZeroPoint.some((zp) => zp !== 0)) return [];
    const intervals = movedBy(study, base);
    if (!intervals) return [];
    const shared = sharedIntegers(intervals).filter((zp) => zp !== 0 && zp >= -128 && zp <= 127);
    if (shared.length > 0) return shared.map((zp) => withZeroPoint(Int32Array.of(zp), FREEDOM.none));
    const perChannel = int32s(intervals.lo, (_, n) => integerIn(intervals.at(n)));
    const moved = [...perChannel.keys()].filter((n) => perChannel[n] !== 0);
    if (!base.params.perChannel || moved.length === 0 || !restsOnEnough(study, moved)) return [];
    return [withZeroPoint(perChannel, FREEDOM.numberPerChannel)];
  },

  evidence: ({ study, change }) => {
    const { weightZeroPoint } = study.declared.params;
    const { found } = (change.found ?? {}) as CauseEvidence['weight-zero-point-missing'];
    const channel = found === undefined ? weightZeroPoint.findIndex((zp) => zp !== 0) : 0;
    return channel < 0
      ? {}
      : { zero_point: weightZeroPoint[channel], ...(weightZeroPoint.length > 1 ? { channel } : {}) };
  },

  words: {
    title: (e) =>
      e.found !== undefined
        ? 'another weight zero point'
        : e.term
          ? `K * zx * zw ${e.term}`
          : e.added
            ? 'weight zero point added'
            : 'weight zero point not subtracted',
    explanation: (e) =>
      e.found !== undefined
        ? 'A code stands for scale * (code - zero_point); another number than the zero point is subtracted.'
        : e.term
          ? 'Of K raw products the zero points zx and zw are taken off afterwards: acc = sum(x * w) - zx * sum(w) - zw * sum(x) + K * zx * zw.'
          : e.added
            ? 'A code stands for scale * (code - zero_point); the zero point is taken with the other sign.'
            : 'The weight codes are multiplied as they are, without subtracting their zero point.',
    evidence: (e) => [
      number(
        e.zero_point,
        (n) =>
          `zero point ${n}${e.channel === undefined ? '' : ` of channel ${e.channel}`}${e.found === undefined ? '' : `, found ${e.found}`}`,
      ),
    ],
    fix: (e, context) =>
      parameterFix(
        (own) => `correct ${field(own, 'weight_zero_point')} in ${fileOf(own)}`,
        e.term
          ? 'add K * zx * zw to each sum once: K is the number of its products'
          : "subtract each channel's weight zero point before multiplying, in int16 or wider",
      )(e, context),
    code: (e, context) =>
      codeOf(
        e.term
          ? AFTERWARDS
          : [
              numpy('acc = x.astype(np.int32) @ (w.astype(np.int32) - w_zero_point[:, None]).T'),
              inC('acc += (int32_t)x[k] * ((int32_t)w[k] - W_ZERO_POINT[n]);'),
            ],
      )(context),
  },
};

/** How far zero points of weights are off, by channel. */
function movedBy(study: ProductStudy, base: ProductSetup): Intervals | null {
  return ownIntervals(study, base, (view, scope) => {
    const rowSums = centredSums(study, base, scope, view);
    return {
      slope: (i, n) => -rowSums(n, Math.floor(i / view.channels)) * view.stepsPerUnit[n],
      offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
    };
  });
}

/** As far off in every channel: one more (a packed format that keeps it less 1), 128 (of uint8), 8 (of 4 bits). */
function ofCandidate(study: ProductStudy): ProductChange[] {
  const own = study.declared.params.weightZeroPoint;
  const intervals = movedBy(study, study.declared);
  if (!intervals || study.data.dynamic) return [];
  const off = sharedIntegers(intervals).filter((by) => by !== 0 && Math.abs(by) <= 255);
  // without them, or with the other sign, is a change without a number
  return off
    .map((by) => own.map((zp) => zp + by))
    .filter((made) => !made.every((zp) => zp === 0) && !made.every((zp, n) => zp === -own[n]))
    .map((made) => ({ ...withZeroPoint(made, FREEDOM.oneNumber), found: { found: made[0] } }));
}

const AFTERWARDS = [
  numpy(
    'acc = x @ w.T - x_zero_point * w.sum(1) - w_zero_point * x.sum(1, keepdims=True) + x.shape[1] * x_zero_point * w_zero_point  # int32',
  ),
  inC('acc += K * X_ZERO_POINT * W_ZERO_POINT[n];  /* K: products of a sum */'),
];

/** Sums of raw codes; both zero points come in afterwards (ARM-software/CMSIS-NN#146). */
function withoutTerm({ free, data, declared: { params } }: ProductStudy): ProductChange[] {
  if (!free || data.dynamic || params.input.zeroPoint === 0) return [];
  return foldedSums.map((accumulate) => ({
    cause: 'weight-zero-point-missing',
    coordinate: 'accumulator',
    freedom: FREEDOM.none,
    label: accumulate.name,
    found: { term: accumulate.term },
    apply: (setup) => withSteps(setup, { accumulate }),
  }));
}

/** An offset that is added is the zero point's negative; who hands over the zero point adds it (ARM-software/ComputeLibrary#1033). */
function added({ free, declared: { params } }: ProductStudy): ProductChange[] {
  if (!free) return [];
  const negated = params.weightZeroPoint.map((zp) => -zp);
  return [{ ...withZeroPoint(negated, FREEDOM.none), found: { added: true } }];
}

/** Of what a channel of the scope reads of a row: the sum of the codes without their zero point. One list, of 200,000 groups too. */
function centredSums(study: ProductStudy, base: ProductSetup, scope: Scope, { rowUnits }: View) {
  const { params } = base;
  const { cols, data } = study.engine.codes(base, scope);
  const groups = cols / params.inFeatures;
  const sums = new Float64Array(scope.samples.length * groups);
  study.engine.inputParams(base, scope).forEach(({ zeroPoint }, row) => {
    for (let group = 0, at = row * cols; group < groups; group++) {
      let sum = 0;
      for (let k = 0; k < params.inFeatures; k++, at++) sum += data[at] - zeroPoint;
      sums[row * groups + group] = sum * (rowUnits?.[row] ?? 1);
    }
  });
  const groupIn = (column: number) => (groups === 1 ? 0 : groupOf(params, scope.channels?.[column] ?? column));
  return (column: number, row: number) => sums[row * groups + groupIn(column)];
}

/** 0 where it fits, else the integer nearest to the middle. */
function integerIn({ lo, hi }: Interval): number {
  if ((lo <= 0 && hi >= 0) || !Number.isFinite(lo + hi)) return 0;
  const middle = Math.floor((lo + hi) / 2 + 0.5);
  return Math.min(127, Math.max(-128, middle));
}

function withZeroPoint(weightZeroPoint: Int32Array, freedom: number): ProductChange {
  const channel = weightZeroPoint.findIndex((zp) => zp !== 0);
  const found =
    channel < 0 ? {} : { zero_point: weightZeroPoint[channel], ...(weightZeroPoint.length > 1 ? { channel } : {}) };
  return {
    cause: 'weight-zero-point-missing',
    coordinate: 'w_zero_point',
    freedom,
    label: weightZeroPoint.join(','),
    found,
    apply: (setup) => withParams(setup, { weightZeroPoint }),
  };
}
