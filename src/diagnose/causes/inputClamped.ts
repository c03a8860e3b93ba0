import { isOfBytes } from '../../kernels/steps/call.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import type { Cause } from '../cause.js';
import { readsCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, inputOf, type ProductSetup, readAs, type TensorSetup } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { inC, numpy, rtl } from '../words/code.js';
import { operands } from '../words/parts.js';
import { isComputed } from './inputWraps.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'input-clamped': SomeChannels & {
      readonly declared?: readonly [number, number];
      readonly found?: readonly [number, number];
      /** What has such bounds, where a rule does. */
      readonly as?: 'relu' | 'relu6';
      /** Of several, counted from 0. */
      readonly inputs?: readonly number[];
    };
  }
}

/** Fewer differing values say nothing of a bound. */
const FEWEST = 5;
/** Of what differs, what may be left to the arithmetic. */
const MOST_LEFT = 1 / 8;

type Bounds = readonly [found: readonly [number, number], as?: 'relu' | 'relu6'];

/** Codes beyond some bounds are read as the nearest of them: 7 bits, -127..127, or a ReLU before the layer that the file does not have. */
export const inputClamped: Cause<'input-clamped', 'product' | 'tensor'> = {
  code: 'input-clamped',
  kinds: ['product', 'tensor'],
  needs: [
    readsCodes,
    ({ data }) => data.side === 'candidate',
    (study) => !isTensorStudy(study as Study) || isComputed(study as Study<'tensor'>),
  ],
  whose: 'kernel',
  parameterFree: true,

  // some replays of few values an input, which a value joined of many would take from all other causes
  estimate: (study, base) =>
    (base === study.declared ? clampedInputs(study as Study) : []) as Change<ProductSetup | TensorSetup>[],

  words: {
    title: (e) => {
      const of = e.inputs === undefined ? 'input' : operands(e.inputs);
      return e.found === undefined ? `${of} clamped` : `${of} clamped to ${e.found.join('..')}`;
    },
    explanation: 'Codes beyond these bounds are read as the nearest one inside them.',
    evidence: (e) => [
      e.declared === undefined ? null : `declared ${e.declared.join('..')}`,
      e.as === undefined ? null : `as a ${e.as === 'relu' ? 'ReLU' : 'ReLU6'} before the layer would`,
    ],
    fix: (e) =>
      `read all codes${e.declared ? `, ${e.declared.join('..')}` : ''}${e.as ? ', with no activation before this layer' : ''}`,
    code: () => [
      numpy('d = x.astype(np.int32) - x_zero_point  # x as it is, not clipped'),
      inC('int32_t d = (int32_t)x[i] - X_ZERO_POINT;  /* x as it is, not clamped */'),
      rtl('assign d = x - X_ZERO_POINT;  // 9 bits, signed; x as it is, not clamped'),
    ],
  },
};

/** isActivated: of whole values an activation of an input is another operator. */
function boundsOf({ zeroPoint, scale, quantMin, quantMax }: QuantParams, isActivated: boolean): Bounds[] {
  const six = Math.min(quantMax, zeroPoint + roundHalfEven(6 / scale));
  const ofSigns: Bounds[] = quantMin < 0 ? [[[0, quantMax]], [[-64, 63]]] : [[[quantMin, 127]]];
  const activations: Bounds[] = [
    [[zeroPoint, quantMax], 'relu'],
    [[zeroPoint, six], 'relu6'],
  ];
  const bounds: Bounds[] = [...ofSigns, [[quantMin + 1, quantMax]], ...(isActivated ? activations : [])];
  const seen = new Set([`${quantMin},${quantMax}`]);
  return bounds.filter(([found]) => found[0] < found[1] && seen.size < seen.add(found.join()).size);
}

function clampedInputs(study: Study): Change[] {
  const { declared, probe } = study;
  if (study.data.mismatched < FEWEST) return [];
  const most = study.mismatches(declared, probe) * MOST_LEFT;
  return declared.reads.flatMap((_, input) => {
    const params = inputOf(declared, input);
    if (!isQuantized(params) || !isOfBytes(params)) return [];
    const { quantMin, quantMax } = params;
    return boundsOf(params, !isTensorStudy(study))
      .map(([found, as]): Change => {
        const [lo, hi] = found;
        const several = declared.reads.length > 1;
        const map = { name: `clamped to ${lo}..${hi}`, apply: (code: number) => clamp(code, lo, hi) };
        return {
          cause: 'input-clamped',
          coordinate: 'x',
          ...(several && { input }),
          freedom: FREEDOM.none,
          label: `${found.join('..')} of ${input}`,
          found: { declared: [quantMin, quantMax], found, ...(as && { as }), ...(several && { inputs: [input] }) },
          apply: (setup) => readAs(setup, map, input),
        };
      })
      .filter((own) => {
        const setup = own.apply(declared);
        return study.mayFollow(setup) && study.mismatches(setup, probe) <= most;
      });
  });
}
