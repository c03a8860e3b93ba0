import { isOfBytes } from '../../kernels/steps/call.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { wrapInt8, wrapUint8, wrapUint16 } from '../../numeric/integer.js';
import { formOf } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { anyRuntime, converts, readsCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, inputOf, readAs, type Setup } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { inC, numpy } from '../words/code.js';
import { declareKernel, stepLines } from '../words/fixes.js';
import { operands } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'input-wraps': SomeChannels & {
      readonly dtype?: 'uint8' | 'int8' | 'uint16';
      /** Of several, counted from 0. */
      readonly inputs?: readonly number[];
      readonly zero_point?: number;
      /** A code, and what is left of its distance to the zero point. */
      readonly code?: number;
      readonly becomes?: number;
    };
  }
}

/** The difference x - zero_point stays in the 8 bits of x (uint8 less uint8 in numpy, an int8_t in C), or in 16 without a sign. */
export const inputWraps: Cause<'input-wraps'> = {
  code: 'input-wraps',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [readsCodes, converts, anyRuntime, (study) => !isTensorStudy(study) || isComputed(study)],
  whose: 'kernel',

  // in a capture each pair with it would take the time of one that a runtime has
  changes: (study) =>
    study.data.side === 'capture' && study.declared.kind === 'product'
      ? changesOf(study).filter((change) => study.agreesOnSubset(change.apply(study.declared)))
      : changesOf(study),

  words: {
    title: (e) => {
      const of = e.inputs === undefined ? 'the input' : operands(e.inputs);
      return `${of} less the zero point, kept in ${e.dtype ?? '8 bits'}`;
    },
    explanation: (e) =>
      e.dtype === 'uint16'
        ? 'The difference of a code and its zero point may be negative, and is kept without a sign.'
        : 'The difference of a code and its zero point takes 9 bits and a sign; the low 8 bits of it are kept.',
    evidence: (e) => [
      e.code === undefined || e.zero_point === undefined
        ? null
        : `${e.code} - ${bracketed(e.zero_point)} = ${e.code - e.zero_point} becomes ${e.becomes}`,
    ],
    fix: (_, context) =>
      context.subject === 'candidate'
        ? 'widen the codes before their zero point is subtracted: numpy keeps uint8 - uint8 in uint8'
        : declareKernel(context),
    code: stepLines([numpy('d = x.astype(np.int32) - x_zero_point'), inC('int32_t d = (int32_t)x[i] - X_ZERO_POINT;')]),
  },
};

/** Not looked up: a table has no entry for a code that its dtype does not hold. */
export function isComputed(study: Study<'tensor'>): boolean {
  return study.declared.reads.length > 1 || formOf(study)?.is === 'mean';
}

function changesOf(study: Study): Change[] {
  const every = study.declared.reads.map((_, i) => i);
  const sets = every.length > 1 ? [...every.map((i) => [i]), every] : [every];
  // rare, and beside each other change as many replays; of a value joined of many it would be as many alone
  const wide = (every.length > 2 ? [] : sets)
    .flatMap((inputs) => wrapped(study, inputs, 'uint16'))
    .filter((change) => study.agreesOnSubset(change.apply(study.declared)));
  return [
    ...sets.flatMap((inputs) => [...wrapped(study, inputs, 'int8'), ...wrapped(study, inputs, 'uint8')]),
    ...wide,
  ];
}

const KEPT = { int8: wrapInt8, uint8: wrapUint8, uint16: wrapUint16 };

/** Of some inputs; none that has no zero point, which is read with the other sign. */
function wrapped({ declared }: Study, inputs: readonly number[], dtype: keyof typeof KEPT): Change[] {
  const own = inputs.map((i) => inputOf(declared, i));
  if (!own.every((params): params is QuantParams => isQuantized(params) && isOfBytes(params))) return [];
  const keep = KEPT[dtype];
  const far = own.map(({ zeroPoint, quantMin, quantMax }) =>
    [quantMin, quantMax].find((code) => keep(code - zeroPoint) !== code - zeroPoint),
  );
  if (own.some(({ zeroPoint }, i) => zeroPoint === 0 || far[i] === undefined)) return [];
  const apply = (setup: Setup) =>
    inputs.reduce((read, input, i) => {
      const { zeroPoint } = own[i];
      const map = (code: number) => zeroPoint + keep(code - zeroPoint);
      return readAs(read, { name: `${dtype} less ${zeroPoint}`, apply: map }, input);
    }, setup);
  const [{ zeroPoint }] = own;
  return [
    {
      cause: 'input-wraps',
      coordinate: 'x',
      ...(declared.reads.length > 1 && inputs.length === 1 && { input: inputs[0] }),
      freedom: FREEDOM.none,
      label: `${dtype} of ${inputs.join()}`,
      found: {
        dtype,
        ...(declared.reads.length > 1 && { inputs: [...inputs] }),
        zero_point: zeroPoint,
        code: far[0],
        becomes: keep(far[0]! - zeroPoint),
      },
      apply,
    },
  ];
}

const bracketed = (value: number) => (value < 0 ? `(${value})` : String(value));
