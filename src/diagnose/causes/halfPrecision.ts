import { isQuantized } from '../../nouns/value.js';
import { FORMATS, type Format, halfForms } from '../alternatives/halfPrecision.js';
import type { Cause } from '../cause.js';
import { converts, writesCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM } from '../setup.js';
import type { Study } from '../study/study.js';
import { inC, numpy } from '../words/code.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'half-precision': SomeChannels & {
      readonly format?: Format;
      /** How, where the values tell: h rounds to the format. */
      readonly equation?: string;
    };
  }
}

/** Of few values that lie next to borders a multiplier of some bits gives each. */
const FEWEST = 8;

/** What is rounded to codes was float16 or bfloat16 before. */
export const halfPrecision: Cause<'half-precision'> = {
  code: 'half-precision',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes, converts, ({ free, data }) => free && !data.dynamic],
  whose: 'kernel',
  // it rounds to codes as declared: what it rounds is another number
  ownWords: true,

  changes: (study) => {
    if (study.data.mismatched < FEWEST || !movesByOne(study)) return [];
    const { declared } = study;
    const fitting = (Object.keys(FORMATS) as Format[]).flatMap((format) => {
      const forms = halfForms(study, format).filter(({ apply }) => study.agreesOnSubset(apply(declared)));
      const [first] = forms;
      if (!first) return [];
      const isOne = forms.every(({ equation }) => equation === first.equation);
      return [changeTo(format, first.apply, isOne ? first.equation : undefined)];
    });
    return fitting.length === 1 ? fitting : [];
  },

  words: {
    title: (e) => `${e.format ?? 'half precision'} before codes are rounded`,
    explanation:
      'A result has 11 bits in float16 and 8 in bfloat16: next to a border between two codes it comes out on the other side.',
    evidence: (e) => [e.equation ? `${e.equation}, where h rounds to ${e.format}` : null],
    fix: () => 'keep results in float32, or in integers, until they are codes',
    code: () => [
      numpy('v = acc.astype(np.float32) * multiplier  # no astype(np.float16) before np.rint'),
      inC('float v = (float)acc * multiplier;  /* no half before it is rounded */'),
    ],
  },
};

function changeTo(format: Format, apply: Change['apply'], equation?: string): Change {
  return {
    cause: 'half-precision',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label: `${format}, ${equation ?? 'in some way'}`,
    found: { format, ...(equation && { equation }) },
    apply,
  };
}

/** As half precision moves codes of 8 bits: by one, and few of them. */
function movesByOne(study: Study): boolean {
  const { output } = study.declared.params;
  if (!isQuantized(output) || output.quantMax - output.quantMin > 255) return false;
  const values = study.values(study.declared);
  const { observed } = study.subset;
  return observed.every((code: number, i: number) => Math.abs(code - values[i]) <= 1);
}
