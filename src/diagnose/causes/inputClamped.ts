import { isOfBytes } from '../../kernels/steps/call.js';
import type { NumericArray } from '../../nouns/array.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import type { Cause } from '../cause.js';
import { readsCodes } from '../facts.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { type Change, type CodeMap, FREEDOM, inputOf, type ProductSetup, readAs, type TensorSetup } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { inC, numpy, rtl } from '../words/code.js';
import { operands } from '../words/parts.js';
import { isComputed } from './inputWraps.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'input-clamped': SomeChannels & {
      readonly declared?: readonly [number, number];
      /** What lower codes are read as; left out where none of those that were looked at is lower. */
      readonly least?: number;
      /** And higher ones. */
      readonly most?: number;
      /** The rules that have such bounds; of several none of the codes that were looked at tells them apart. */
      readonly as?: readonly Rule[];
      /** Of several, counted from 0. */
      readonly inputs?: readonly number[];
    };
  }
}

/** Fewer differing values say nothing of a bound. */
const FEWEST = 5;
/** Of what differs, what may be left to the arithmetic. */
const MOST_LEFT = 1 / 8;

type Rule = 'relu' | 'relu6';
type Bounds = readonly [found: readonly [number, number], as?: Rule];
const NAMES = { relu: 'ReLU', relu6: 'ReLU6' };

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

  // bounds are sifted on the probe: five of each of a thousand joined inputs, all searched for, leave no time for other causes
  estimate: (study, base) =>
    (base === study.declared ? clampedInputs(study as Study) : []) as Change<ProductSetup | TensorSetup>[],

  words: {
    title: (e) => `${e.inputs === undefined ? 'input' : operands(e.inputs)} clamped${boundsText(e)}`,
    explanation: 'Codes beyond these bounds are read as the nearest one inside them.',
    evidence: (e) => [
      e.declared === undefined ? null : `declared ${e.declared.join('..')}`,
      e.as === undefined ? null : `as ${e.as.map((rule) => `a ${NAMES[rule]}`).join(' or ')} before the layer would`,
      e.as && e.as.length > 1 ? 'no code that was looked at tells which' : null,
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

function boundsText({ least, most }: CauseEvidence['input-clamped']): string {
  if (least !== undefined && most !== undefined) return ` to ${least}..${most}`;
  if (least !== undefined) return `: codes below ${least} are read as ${least}`;
  return most === undefined ? '' : `: codes above ${most} are read as ${most}`;
}

/** Activations first: of equal bounds they say more. Of whole values an activation of an input is another operator, and told as one. */
function boundsOf({ zeroPoint, scale, quantMin, quantMax }: QuantParams, isProduct: boolean): Bounds[] {
  const six = Math.min(quantMax, zeroPoint + roundHalfEven(6 / scale));
  const ofSigns: Bounds[] = quantMin < 0 ? [[[0, quantMax]], [[-64, 63]]] : [[[quantMin, 127]]];
  const activations: Bounds[] = [
    [[zeroPoint, quantMax], 'relu'],
    [[zeroPoint, six], 'relu6'],
  ];
  const bounds: Bounds[] = [...(isProduct ? activations : []), ...ofSigns, [[quantMin + 1, quantMax]]];
  const seen = new Set([`${quantMin},${quantMax}`]);
  return bounds.filter(([found]) => found[0] < found[1] && seen.size < seen.add(found.join()).size);
}

/** Of bounds those that clamp a code that was looked at: others nobody has seen. */
function shownOf([[lo, hi]]: Bounds, codes: NumericArray): { readonly least?: number; readonly most?: number } {
  return {
    ...(codes.some((code) => code < lo) && { least: lo }),
    ...(codes.some((code) => code > hi) && { most: hi }),
  };
}

function clampedInputs(study: Study): Change[] {
  const { declared, probe } = study;
  if (study.data.mismatched < FEWEST) return [];
  const most = study.mismatches(declared, probe) * MOST_LEFT;
  return declared.reads.flatMap((_, input) => {
    const params = inputOf(declared, input);
    if (!isQuantized(params) || !isOfBytes(params)) return [];
    const several = declared.reads.length > 1;
    const left = boundsOf(params, !isTensorStudy(study))
      .map((bounds) => ({ bounds, map: clampTo(bounds) }))
      .filter(({ map }) => {
        const setup = readAs(declared, map, input);
        return study.mayFollow(setup) && study.mismatches(setup, probe) <= most;
      });
    const { data } = study.subset.inputs[input];
    const told = left.map((own) => ({ ...own, shown: shownOf(own.bounds, data) }));
    return told.map(({ bounds, map, shown }): Change => {
      const alike = told.filter((other) => other.shown.least === shown.least && other.shown.most === shown.most);
      const as = alike.flatMap(({ bounds: [, rule] }) => rule ?? []);
      const found: CauseEvidence['input-clamped'] = {
        declared: [params.quantMin, params.quantMax],
        ...shown,
        ...(as.length > 0 && { as }),
        ...(several && { inputs: [input] }),
      };
      return {
        cause: 'input-clamped',
        coordinate: 'x',
        ...(several && { input }),
        freedom: FREEDOM.none,
        label: `${bounds[0].join('..')} of ${input}`,
        found,
        apply: (setup) => readAs(setup, map, input),
      };
    });
  });
}

function clampTo([[lo, hi]]: Bounds): CodeMap {
  return { name: `clamped to ${lo}..${hi}`, apply: (code) => clamp(code, lo, hi) };
}
