import { isQuantized } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { HOLE } from '../../tensor/patches.js';
import { printable } from '../../text.js';
import { constantBorder } from '../alternatives/border.js';
import { patchOf, readOtherwise } from '../alternatives/geometry.js';
import type { Cause } from '../cause.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { within } from '../search/regions.js';
import { type Change, FREEDOM, type Setup } from '../setup.js';
import { isProductStudy, type ProductStudy, type Study } from '../study/study.js';
import { short } from '../words/parts.js';
import { channelsText } from '../words/place.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'constant-values': SomeChannels & {
      /** The one value, and what it is of the layer; or one a channel. */
      readonly value?: number;
      readonly is?: 'zero' | 'zero-point' | 'clamp' | 'bias';
      readonly each?: readonly number[];
      /** The replay's one value, where it has no several. */
      readonly replayed?: number;
    };
  }
}

/** Fewer differing values say nothing of a channel. */
const FEWEST = 4;

/** One value everywhere, or in every channel, where the replay has several, or another one: nothing was computed, or it was saved wrongly. */
export const constantValues: Cause<'constant-values'> = {
  code: 'constant-values',
  kinds: ['product', 'elementwise'],
  whose: 'capture',

  changes: (study) => {
    const found = constantsIn(study);
    if (found) return found.value === undefined ? [] : [storing(found.value, found)];
    return isProductStudy(study) ? atBorder(study) : [];
  },

  words: {
    title: (e) =>
      e.is === 'bias'
        ? 'the bias alone'
        : e.value === undefined
          ? 'one value in every channel'
          : `${e.region ? 'one value' : e.channels ? `one value in ${e.channels.length > 4 ? 'some channels' : channelsText(e.channels)}` : 'one value everywhere'}: ${short(e.value)}`,
    explanation: (e) =>
      isOfEdges(e)
        ? 'The places at the edge were never computed, or their sums were left out: all others are right.'
        : e.replayed !== undefined
          ? 'Both sides hold one value: such data tell no arithmetic from another.'
          : e.is === 'bias'
            ? 'The sums are 0: all that the layer reads is 0, as by a state that is reset, or nothing is multiplied.'
            : e.is === 'clamp' && !e.channels
              ? 'All was clamped, as by a scale or a zero point that is far off, or nothing was computed here: such data tell no arithmetic from another.'
              : 'Nothing was computed here, or it was saved wrongly: such data tell no arithmetic from another.',
    ofOneLayer: true,
    evidence: (e) => [
      e.is === 'bias' ? 'every value is what the bias of its channel makes alone, where the replay has several' : null,
      e.value === undefined
        ? null
        : `every value is ${short(e.value)}${e.is && e.is !== 'bias' ? CONSTANTS[e.is] : ''}, where the replay has ${e.replayed === undefined ? 'several' : `${short(e.replayed)} everywhere`}`,
      e.each ? `by channel: ${e.each.map(short).join(', ')}; the replay has several in each` : null,
    ],
    fix: (e, context) => {
      if (context.subject !== 'candidate')
        return `capture ${printable(context.layer)} again: its values were not computed, or not written`;
      if (isOfEdges(e))
        return 'let the loops over the places of the output reach its edges: there too a window has taps inside the image';
      if (e.replayed !== undefined) return 'compare on inputs that give several values';
      if (e.is === 'bias')
        return `check what ${printable(context.layer)} reads, and that it is multiplied: only the bias arrives`;
      return e.channels && !e.region
        ? `check that ${e.channels.length > 4 ? 'these channels are' : `${channelsText(e.channels)} ${e.channels.length > 1 ? 'are' : 'is'}`} computed, and written`
        : 'check that this layer runs and that its own output buffer is what is saved';
    },
  },
};

function isOfEdges({ region }: SomeChannels): boolean {
  return region !== undefined && 'outside' in region;
}

function storing(value: number, found: CauseEvidence['constant-values']): Change {
  return {
    cause: 'constant-values',
    coordinate: 'y',
    freedom: FREEDOM.none,
    label: String(value),
    found,
    apply: (setup: Setup) => ({ ...setup, stores: { name: 'constant', apply: () => value } }),
  };
}

/** Rows and columns at the edge that nobody wrote, or that the sums never reached: the bias alone. */
function atBorder(study: ProductStudy): Change[] {
  const border = constantBorder(study);
  if (!border) return [];
  const { values, region } = border;
  if (values.every((value) => value === values[0]))
    return [within(storing(values[0], constantOf(study, values[0])), region)];
  const { positions, taps } = patchOf(study.declared).taps;
  const nothing = new Int32Array(taps).fill(HOLE);
  const unreached = readOtherwise(study, {
    cause: 'constant-values',
    label: 'bias',
    found: { is: 'bias' },
    reading: () => ({ taps: { positions, taps, hasHoles: true, at: () => nothing } }),
  });
  return [within(unreached as Change, region)];
}

/** Samples that hold one value, where the replay has several: a tail that nobody wrote. */
export function constantRows(study: Study, { from, to }: { readonly from: number; readonly to: number }): Change[] {
  const { observed, samples } = study.subset;
  const replayed = study.values(study.declared);
  const { channels } = study;
  const seen = new Set<number>();
  let value: number | null = null;
  // never as a list: a row may have millions of values
  for (const [row, sample] of samples.entries()) {
    if (sample < from || sample >= to) continue;
    value ??= observed[row * channels];
    for (let i = row * channels; i < (row + 1) * channels; i++) {
      if (observed[i] !== value) return [];
      if (seen.size < FEWEST) seen.add(replayed[i]);
    }
  }
  return value !== null && seen.size >= FEWEST ? [storing(value, constantOf(study, value))] : [];
}

/**
 * Null where some channel that differs holds several values, or the replay holds one in most of them as well: then there is
 * something to explain. Channels that agree stay as they are.
 */
export function constantsIn(study: Study): CauseEvidence['constant-values'] | null {
  const { observed } = study.subset;
  const { channels } = study;
  const replayed = study.values(study.declared);
  let same = 1;
  while (same < observed.length && observed[same] === observed[0]) same++;
  const whole = same >= observed.length;
  if (whole) {
    const found = constantOf(study, observed[0]);
    if (replayed.some((value: number) => value !== replayed[0])) return isOfFew(study) ? null : found;
    // one value may show a saturated sum; many that are one tell no more than it does
    return observed.length < FEWEST || replayed[0] === observed[0] ? null : { ...found, replayed: replayed[0] };
  }
  if (study.declared.kind === 'tensor') return null; // its channels are features of a sample: a border of one code is no channel
  const isConstant = (values: ArrayLike<number>, n: number) => {
    for (let i = n + channels; i < observed.length; i += channels) if (values[i] !== values[n]) return false;
    return true;
  };
  const differing = study.mismatchesByChannel(study.declared);
  for (let n = 0; n < channels; n++) if (differing[n] > 0 && differing[n] < FEWEST) return null;
  const constant = [...differing.keys()].filter((n) => differing[n] > 0);
  // a dead channel of the replay holds one value too; one that is all but dead says little
  const varies = (n: number) => {
    const seen = new Set<number>();
    for (let i = n; i < observed.length && seen.size < FEWEST; i += channels) seen.add(replayed[i]);
    return seen.size >= FEWEST;
  };
  const isLively = constant.filter((n) => !isConstant(replayed, n)).length * 2 > constant.length;
  const areConstant = constant.every((n) => isConstant(observed, n)) && (isLively || constant.some(varies));
  if (constant.length === 0 || !areConstant) return null;
  const values = new Set(constant.map((n) => observed[n]));
  const one =
    values.size === 1
      ? constantOf(study, observed[constant[0]])
      : {
          each: constant.slice(0, 8).map((n) => observed[n]),
          ...(isBiasAlone(study, constant) && { is: 'bias' as const }),
        };
  const where = constant.length < channels ? { channels: constant } : {};
  return { ...one, ...where };
}

/** One value among three that are as they should be is no buffer that nobody wrote. */
function isOfFew({ data, subset }: Study): boolean {
  return !data.proven && data.mismatched < FEWEST && data.mismatched < subset.observed.length;
}

/** What is left where all that is read is 0, as by a state that is reset. */
function isBiasAlone({ declared, subset: { observed } }: Study, channels: readonly number[]): boolean {
  if (declared.kind !== 'product' || !declared.params.bias) return false;
  const { bias, output } = declared.params;
  return channels.every((n) => {
    if (!isQuantized(output)) return observed[n] === Math.fround(bias[n]);
    const { scale, zeroPoint, quantMin, quantMax } = output;
    return observed[n] === clamp(roundHalfEven(bias[n] / scale) + zeroPoint, quantMin, quantMax);
  });
}

function constantOf({ declared }: Study, value: number): CauseEvidence['constant-values'] {
  const { output } = declared.params;
  if (!isQuantized(output)) return value === 0 ? { value, is: 'zero' } : { value };
  if (value === output.zeroPoint) return { value, is: 'zero-point' };
  if (value === 0) return { value, is: 'zero' };
  return value === output.quantMin || value === output.quantMax ? { value, is: 'clamp' } : { value };
}

/** What a constant is, to people. */
const CONSTANTS = { zero: '', 'zero-point': ', the zero point', clamp: ', a bound of the clamp' } as const;
