import { isQuantized } from '../../nouns/value.js';
import { hasCases } from '../alternatives/cases.js';
import { FORMATS, type Format, type HalfForm, halfFloats, halfForms } from '../alternatives/halfPrecision.js';
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
      /** Operands and sums too, not results alone; or results that stay floats. */
      readonly of?: 'sums' | 'floats';
    };
  }
}

/** Of few values that lie next to borders a multiplier of some bits gives each. */
const FEWEST = 8;

/** What is rounded to codes was float16 or bfloat16 before. */
export const halfPrecision: Cause<'half-precision'> = {
  code: 'half-precision',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [
    (study) => writesCodes(study) || study.declared.kind !== 'product',
    converts,
    ({ free, data }) => free && !data.dynamic,
  ],
  whose: 'kernel',
  // it rounds to codes as declared: what it rounds is another number
  ownWords: true,

  changes: (study) => {
    if (!writesCodes(study)) return ofFloats(study);
    const moved = hasCases(study, FEWEST) ? mostMoved(study) : MOST_MOVED;
    if (moved >= MOST_MOVED) return [];
    const { declared } = study;
    const fitting = (Object.keys(FORMATS) as Format[]).flatMap((format) => {
      const forms = halfForms(study, format, moved <= 1).filter(({ apply }) => study.agreesOnSubset(apply(declared)));
      const [first] = forms;
      if (!first) return [];
      const isOne = forms.every(({ equation }) => equation === first.equation);
      const of = forms.every((form) => form.of) ? first.of : undefined;
      const own = changeTo(format, first.apply, { ...(isOne && { equation: first.equation }), ...(of && { of }) });
      // of sums of products it is common; of whole values next to ties the zero point is likelier
      return [{ ...own, rare: declared.kind !== 'product' }];
    });
    return fitting.length === 1 ? fitting : [];
  },

  words: {
    title: (e) =>
      e.of === 'floats'
        ? `results in ${e.format}`
        : e.of === 'sums'
          ? `operands or sums in ${e.format ?? 'half precision'}`
          : `${e.format ?? 'half precision'} before codes are rounded`,
    explanation: (e) =>
      e.of === 'floats'
        ? `Every value has the ${e.format === 'float16' ? 11 : 8} bits of ${e.format}, where the file has float32.`
        : `${e.of === 'sums' ? 'What is added has' : 'A result has'} 11 bits in float16 and 8 in bfloat16: next to a border between two codes it comes out on the other side.`,
    evidence: (e) => [e.equation ? `${e.equation}, where h rounds to ${e.format}` : null],
    fix: (e) =>
      e.of === 'floats' ? 'keep results in float32' : 'keep results in float32, or in integers, until they are codes',
    code: (e) =>
      e.of === 'floats'
        ? []
        : [
            numpy('v = acc.astype(np.float32) * multiplier  # no astype(np.float16) before np.rint'),
            inC('float v = (float)acc * multiplier;  /* no half before it is rounded */'),
          ],
  },
};

function changeTo(format: Format, apply: Change['apply'], found: Pick<HalfForm, 'of'> & { equation?: string }): Change {
  return {
    cause: 'half-precision',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label: `${format}, ${found.equation ?? 'in some way'}`,
    found: { format, ...found },
    apply,
  };
}

/** Which of the ways it came to that format where several fit: the first. */
function ofFloats(study: Study): Change[] {
  if (!hasCases(study, FEWEST)) return [];
  return (Object.keys(FORMATS) as Format[]).flatMap((format) =>
    halfFloats(study, format).map(({ equation, of, apply }) => changeTo(format, apply, { of, equation })),
  );
}

/** Sums in half precision move codes of 8 bits by a few steps at most; what is rounded once, by one. */
const MOST_MOVED = 16;

/** The most by which a code is another, where it is one of 8 bits; up to the limit. */
function mostMoved(study: Study): number {
  const { output } = study.declared.params;
  if (!isQuantized(output) || output.quantMax - output.quantMin > 255) return MOST_MOVED;
  const values = study.values(study.declared);
  const { observed } = study.subset;
  let most = 0;
  for (let i = 0; i < observed.length && most < MOST_MOVED; i++)
    most = Math.max(most, Math.abs(observed[i] - values[i]));
  return most;
}
