import { withoutInputZeroPoint } from '../../kernels/steps/lossyAccumulate.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { printable } from '../../text.js';
import { isConvolution, patchOf, readOtherwise } from '../alternatives/geometry.js';
import { formOf, scriptsToNearest } from '../alternatives/tensorSteps.js';
import { sharesOfOthers } from '../alternatives/zeroPointShares.js';
import type { Cause } from '../cause.js';
import { sharedIntegers, sharedIntervals } from '../estimate/scalar.js';
import { weightSums } from '../estimate/view.js';
import { choosesByScript, converts, readsCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import {
  type Change,
  FREEDOM,
  inputOf,
  type ProductChange,
  type ProductSetup,
  type Setup,
  type TensorSetup,
  withInput,
  withSteps,
} from '../setup.js';
import { isProductStudy, isTensorStudy, type Study, type TensorStudy } from '../study/study.js';
import { codeOf, INT32_SUMS, inC, numpy } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { fileOf, number } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'activation-zero-point-missing': SomeChannels & {
      readonly zero_point?: number;
      /** Of several, where it is not the first. */
      readonly input?: number;
      /** No weights multiply it: a mean, or a function of one value. */
      readonly unweighted?: true;
      /** It is subtracted with the weights of another channel. */
      readonly share_of?: string;
    };
  }
}

/** Of a step, what a kernel's float32 may move a value by: weights that nearly cancel make much of it. */
const FLOAT32 = 1e-3;

/** x used without its zero point; or the file has none (0) where one was used. */
export const activationZeroPointMissing: Cause<'activation-zero-point-missing'> = {
  code: 'activation-zero-point-missing',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [
    (study) => readsCodes(study) || choosesByScript(study),
    converts,
    (study) => !isTensorStudy(study) || ofOneValue(study),
  ],
  whose: 'model',
  parameterFree: true,

  changes: (study) =>
    study.data.dynamic
      ? [ofEachCall(), ...inPaddingToo(study, ofEachCall())]
      : inputsOf(study.declared).flatMap((params, input) => {
          if (!isQuantized(params)) return [];
          // codes without a zero point that have the middle one are codes of the other sign: both are said
          if (params.zeroPoint === 0)
            return isFileWithout(study, params, input) ? [withZeroPoint(128, FREEDOM.none)] : [];
          const missing = withZeroPoint(0, FREEDOM.none, input);
          if (input > 0) return [missing];
          const shares = isProductStudy(study) ? (sharesOfOthers(study) as Change[]) : [];
          return ofMeans(study, missing) ?? [missing, ...inPaddingToo(study, missing), ...shares];
        }),

  // the usual reason for a wrong number here is a missing one, so only a declared 0 is estimated; it counts as no freedom
  estimate: (study, base) => {
    if (isTensorStudy(study) || study.data.dynamic || study.data.side === 'candidate' || paramsOf(base).zeroPoint !== 0)
      return [];
    return estimatedInputZeroPoints(study, base).map((zeroPoint) => withZeroPoint(zeroPoint, FREEDOM.none));
  },

  evidence: ({ study, change: { input = 0 } }) => {
    if (study.data.dynamic) return {}; // another one in each call
    const params = inputOf(study.declared, input);
    return {
      ...(isQuantized(params) && { zero_point: params.zeroPoint }),
      ...(input > 0 && { input }),
      ...(isTensorStudy(study) && { unweighted: true as const }),
    };
  },

  words: {
    title: (e) =>
      e.share_of ? `zero point subtracted with the weights of ${e.share_of}` : 'activation zero point not subtracted',
    explanation: (e) =>
      e.share_of
        ? 'A sum of raw products is brought right by zero_point * sum(w) of its output channel: that of another channel is subtracted.'
        : e.input
          ? 'The codes of the second input are added as they are, without subtracting their zero point.'
          : `The input codes are ${e.unweighted ? 'taken' : 'multiplied'} as they are, without subtracting their zero point.`,
    evidence: (e) => [number(e.zero_point, (n) => `zero point ${n}${e.input ? ' of the second input' : ''}`)],
    fix: (e, context) =>
      e.share_of
        ? 'subtract zero_point * sum(w[n]) in output channel n, from 0 on'
        : parameterFix(
            (own) =>
              `correct the zero point of ${printable(own.layer)}'s ${e.input ? 'second ' : ''}input in ${fileOf(own)}`,
            e.input
              ? "subtract the second input's zero point before scaling it, in int16 or wider (uint8 - 128 wraps)"
              : `subtract the input's zero point ${e.unweighted ? 'first' : 'before multiplying'}, in int16 or wider (uint8 - 128 wraps)`,
          )(e, context),
    code: (e, context) => (e.input ? [] : codeOf(e.unweighted ? CENTRED : INT32_SUMS)(context)),
  },
};

const CENTRED = [
  numpy('real = x_scale * (x.astype(np.int32) - x_zero_point)'),
  inC('v = X_SCALE * (float)((int32_t)x[i] - X_ZERO_POINT);'),
];

/** Several have the cause that one of them is not brought to the output's scale. */
function ofOneValue(study: TensorStudy): boolean {
  return study.free && study.declared.reads.length === 1 && formOf(study)?.value !== undefined;
}

function isFileWithout({ data }: Study, { dtype }: QuantParams, input: number): boolean {
  return data.side === 'capture' && dtype === 'uint8' && input === 0;
}

/** A product may add a second value. */
function inputsOf(setup: Setup): ValueParams[] {
  const added = setup.kind === 'product' ? setup.params.addend : undefined;
  return [inputOf(setup), ...(added ? [added] : [])];
}

function paramsOf(setup: Setup): QuantParams {
  const input = inputOf(setup);
  if (!isQuantized(input)) throw new Error('expected codes');
  return input;
}

/** Integers that may be the activations' zero point: a change of dz moves channel n by -dz * sum_k(w - w_zero_point) * m. */
function estimatedInputZeroPoints(study: Study, base: Setup): number[] {
  const { zeroPoint, quantMin, quantMax } = paramsOf(base);
  const sums = weightSums(base, study.channels);
  const slack = isQuantized(base.params.output) ? FLOAT32 : 0;
  const intervals = sharedIntervals(study, base, (view) => ({
    slope: (_, n) => -sums[n] * view.stepsPerUnit[n],
    offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
    slack,
  }));
  if (!intervals) return [];
  return sharedIntegers(intervals)
    .map((dz) => zeroPoint + dz)
    .filter((zp) => zp !== zeroPoint && zp >= quantMin && zp <= quantMax);
}

function ofEachCall(): Change {
  const change: ProductChange = {
    cause: 'activation-zero-point-missing',
    coordinate: 'x_zero_point',
    freedom: FREEDOM.none,
    label: 'of each call',
    apply: (setup) => withSteps(setup, { accumulate: withoutInputZeroPoint(setup.steps.accumulate) }),
  };
  return change as Change;
}

/** Who forgets it pads with 0 as well. */
function inPaddingToo(study: Study, missing: Change): Change[] {
  if (!isProductStudy(study) || !isConvolution(study) || !patchOf(study.declared).taps.hasHoles) return [];
  const { cause, label } = missing;
  const padded = readOtherwise(study, { cause, label, found: {}, reading: () => ({ fill: 0 }) });
  return [
    {
      ...missing,
      label: `${label} and in padding`,
      apply: (setup) => padded.apply(missing.apply(setup) as ProductSetup),
    },
  ];
}

/** A kernel whose output has its input's parameters adds what it subtracts, and pads with it: who forgets the one does the others. */
function ofMeans(study: Study, missing: Change): Change[] | null {
  if (!isTensorStudy(study) || formOf(study)?.is !== 'mean') return null;
  return scriptsToNearest(study, false).map((steps) => ({
    ...missing,
    label: `${missing.label}, ${steps.equation}`,
    apply: (setup) => ({ ...(missing.apply(setup) as TensorSetup), steps }),
  }));
}

function withZeroPoint(zeroPoint: number, freedom: number, input = 0): Change {
  return {
    cause: 'activation-zero-point-missing',
    coordinate: 'x_zero_point',
    freedom,
    ...(input === 1 && { input }),
    label: input === 0 ? String(zeroPoint) : `${zeroPoint} of input ${input}`,
    ...(zeroPoint === 0 ? {} : { found: { zero_point: zeroPoint } }),
    apply: (setup) => withInput(setup, { zeroPoint }, input),
  };
}
