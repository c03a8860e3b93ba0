import { isOfBytes } from '../../kernels/steps/call.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { floor } from '../../numeric/round.js';
import { counted } from '../../text.js';
import { hasCases, hasCasesAmong } from '../alternatives/cases.js';
import type { Cause } from '../cause.js';
import { readsCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { type Change, type CodeMap, FREEDOM, inputOf, readAs } from '../setup.js';
import type { Study } from '../study/study.js';
import { inC, numpy, rtl } from '../words/code.js';
import { operands } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'low-bits-lost': SomeChannels & {
      readonly of?: 'input' | 'output';
      readonly bits?: number;
      /** Of several, counted from 0. */
      readonly inputs?: readonly number[];
      /** Of the distance of a code to its zero point, not of the code. */
      readonly less_zero_point?: true;
    };
  }
}

/** The most first: what is a multiple of 16 is one of 2. */
const BITS = [4, 3, 2, 1];
/** So many codes are all even by chance one time in 2^16. */
const FEWEST = 16;
/** Of what differs, what may be left to the arithmetic. */
const MOST_LEFT = 1 / 8;

/** Codes that a memory, a bus or a multiplier of fewer bits keeps. */
export const lowBitsLost: Cause<'low-bits-lost'> = {
  code: 'low-bits-lost',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [readsCodes, ({ data }) => data.side === 'candidate'],
  whose: 'kernel',

  changes: ofOutput,

  parameterFree: true,
  // four replays an input, which a value joined of many would take from all other causes
  estimate: (study, base) => (base === study.declared ? ofInputs(study) : []),

  // of few codes one that is one less looks rounded down
  twinsOf: (study, { cause }) => (cause.startsWith('rounding-') && !hasCases(study, FEWEST) ? cutInputs(study) : []),

  words: {
    title: (e) =>
      `${e.of === 'output' ? 'output' : e.inputs === undefined ? 'input' : operands(e.inputs)} without ${bitsOf(e.bits)}`,
    explanation: (e) =>
      e.less_zero_point
        ? 'The distance of a code to its zero point is kept in fewer bits than it has.'
        : 'Codes are kept in fewer bits than they have: the lowest are cut off.',
    evidence: () => [],
    fix: () => 'keep all bits of the codes',
    code: (e) =>
      e.of === 'output'
        ? []
        : [
            numpy('d = x.astype(np.int32) - x_zero_point  # no shift to the right and back'),
            inC('int32_t d = (int32_t)x[i] - X_ZERO_POINT;  /* no shift to the right and back */'),
            rtl('assign d = x - X_ZERO_POINT;  // 9 bits, signed; no bit of x left out'),
          ],
  },
};

function bitsOf(bits: number | undefined): string {
  if (bits === undefined) return 'its lowest bits';
  return bits === 1 ? 'its lowest bit' : `its lowest ${counted(bits, 'bit')}`;
}

interface Cut {
  readonly bits: number;
  readonly lessZeroPoint: boolean;
  readonly map: CodeMap;
}

function cutsOf({ zeroPoint }: QuantParams): Cut[] {
  return BITS.flatMap((bits) => {
    const unit = 2 ** bits;
    const cut = (from: number, name: string): CodeMap => ({
      name: `${name} without ${counted(bits, 'bit')}`,
      apply: (code) => from + floor((code - from) / unit) * unit,
    });
    const ofCodes = { bits, lessZeroPoint: false, map: cut(0, 'codes') };
    return zeroPoint % unit === 0
      ? [ofCodes]
      : [ofCodes, { bits, lessZeroPoint: true, map: cut(zeroPoint, 'distances') }];
  });
}

/** Where no other code was observed. */
function ofOutput(study: Study): Change[] {
  const { declared, subset } = study;
  const { output } = declared.params;
  const { observed } = subset;
  if (!isQuantized(output) || !isOfBytes(output) || !hasCasesAmong(study, FEWEST, () => true)) return [];
  // of most layers the first odd code is no multiple
  const keeps = ({ map }: Cut) => (observed as Int32Array).every((code) => map.apply(code) === code);
  const cut = cutsOf(output).find(keeps);
  if (!cut || observed.every((code: number) => code === observed[0])) return [];
  const { map } = cut;
  return [change(cut, 'output', { coordinate: 'y', apply: (setup) => ({ ...setup, stores: map }) })];
}

function ofInputs(study: Study): Change[] {
  return hasCases(study, FEWEST) ? cutInputs(study) : [];
}

function cutInputs(study: Study): Change[] {
  const { declared, probe } = study;
  const most = study.mismatches(declared, probe) * MOST_LEFT;
  return declared.reads.flatMap((_, input) => {
    const params = inputOf(declared, input);
    if (!isQuantized(params) || !isOfBytes(params)) return [];
    return cutsOf(params)
      .map((cut) => {
        const several = declared.reads.length > 1;
        const apply: Change['apply'] = (setup) => readAs(setup, cut.map, input);
        return change(cut, 'input', { coordinate: 'x', ...(several && { input }), apply });
      })
      .filter((own) => study.mismatches(own.apply(declared), probe) <= most);
  });
}

function change(
  { bits, lessZeroPoint, map }: Cut,
  of: 'input' | 'output',
  own: Pick<Change, 'coordinate' | 'input' | 'apply'>,
): Change {
  return {
    cause: 'low-bits-lost',
    freedom: FREEDOM.none,
    label: `${of}${own.input ?? ''}, ${map.name}`,
    found: {
      of,
      bits,
      ...(own.input !== undefined && { inputs: [own.input] }),
      ...(lessZeroPoint && { less_zero_point: true as const }),
    },
    ...own,
  };
}
