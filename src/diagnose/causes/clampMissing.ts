import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { counted } from '../../text.js';
import { scriptsToNearest } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { converts, writesCodes } from '../facts.js';
import type { At, SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM } from '../setup.js';
import { observedRange } from '../study/observedRange.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { clampTo } from '../words/code.js';
import { place } from '../words/place.js';
import { unlimited } from './outputWraps.js';
import { placeAt } from './placeAt.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'clamp-missing': SomeChannels & {
      readonly range?: readonly [number, number];
      /** Where the other bound holds. */
      readonly where?: 'above' | 'below';
      /** Values that are no codes of the range. */
      readonly outside?: number;
      readonly first?: At & { readonly stored: number };
    };
  }
}

/** What is rounded is saved in more bits, before anything clamps it: a script's int32, a testbench that prints the wider wire. */
export const clampMissing: Cause<'clamp-missing'> = {
  code: 'clamp-missing',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes, converts, ({ free }) => free],
  whose: 'capture',

  changes: (study) => {
    const { output } = study.declared.params;
    return isQuantized(output) && output.dtype !== 'int32' ? unclamped(study, output) : [];
  },

  shows: ({ study }) => leavesOf(study).some((value) => value),

  evidence: ({ study, change }) => {
    const leaves = leavesOf(study);
    const at = leaves.indexOf(true);
    const first = at < 0 ? {} : { first: { ...placeAt(study, at), stored: study.subset.observed[at] } };
    return { ...(change.found as object), outside: leaves.filter((value) => value).length, ...first };
  },

  words: {
    title: (e) => `output not clamped${e.where ? ` from ${e.where}` : ''}`,
    explanation: 'What is rounded leaves the codes of the output, and is kept in more bits; the reference clamps it.',
    evidence: (e) => [
      e.range && e.outside !== undefined ? outsideOf(e.outside, e.range) : null,
      e.first ? `${place(e.first)}: ${e.first.stored}` : null,
    ],
    fix: (e) =>
      e.range ? `clamp to ${e.range[0]}..${e.range[1]} before it is saved` : 'clamp to the range of its dtype',
    code: (e) => (e.range ? clampTo(...e.range) : []),
  },
};

function outsideOf(values: number, [least, most]: readonly [number, number]): string {
  return `${counted(values, 'value')} ${values === 1 ? 'is' : 'are'} outside of ${least}..${most}`;
}

/** Both bounds, or the one that values show not to hold. */
function unclamped(study: Study, { quantMin, quantMax }: QuantParams): Change[] {
  const [min, max] = observedRange(study);
  const [below, above] = [min < quantMin, max > quantMax];
  if (!below && !above) return [];
  const [least, most] = [below ? Number.NEGATIVE_INFINITY : quantMin, above ? Number.POSITIVE_INFINITY : quantMax];
  const label = below && above ? 'no bounds' : `no bound ${below ? 'below' : 'above'}`;
  const stores = { name: label, apply: (code: number) => clamp(code, least, most) };
  // a kernel may saturate on its way; a script's real numbers do not
  const bases = [null, ...(isTensorStudy(study) ? scriptsToNearest(study, false) : [])];
  return bases.map((steps) => ({
    cause: 'clamp-missing',
    coordinate: 'clamp',
    freedom: FREEDOM.none,
    label: steps ? `${label}, ${steps.equation}` : label,
    ...(steps && { rare: true as const }),
    found: { range: [quantMin, quantMax], ...(below !== above && { where: below ? 'below' : 'above' }) },
    apply: (setup) => {
      const own = steps && setup.kind === 'tensor' ? { ...setup, steps } : setup;
      return { ...unlimited(own, false), stores };
    },
  }));
}

/** Of each value, whether it is no code of the output. */
function leavesOf({ declared, subset }: Study): boolean[] {
  const { quantMin, quantMax } = declared.params.output as QuantParams;
  return Array.from(subset.observed, (value: number) => value < quantMin || value > quantMax);
}
