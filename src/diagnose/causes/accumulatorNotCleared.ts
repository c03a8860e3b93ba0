import { counted } from '../../text.js';
import { hasCases } from '../alternatives/cases.js';
import { type Stream, streamThatGives } from '../alternatives/streams.js';
import type { Cause } from '../cause.js';
import { anyRuntime } from '../facts.js';
import type { At, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductSetup, withSteps } from '../setup.js';
import type { Study } from '../study/study.js';
import { codeOf, inC, rtl } from '../words/code.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';
import { placeAt } from './placeAt.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'accumulator-not-cleared': SomeChannels & {
      readonly carry?: Stream['carry'];
      readonly between?: Stream['between'];
      /** Values whose sum it changes, of those that were looked at, and the first of them. */
      readonly changed?: number;
      readonly first?: At & { readonly sum: number; readonly carried: number };
    };
  }
}

/** Fewer values are given by some of so many streams by chance. */
const FEWEST_DIFFERING = 4;

/** An accumulator that goes on with what the output before has left in it, or that is cleared a product early or late. */
export const accumulatorNotCleared: Cause<'accumulator-not-cleared', 'product'> = {
  code: 'accumulator-not-cleared',
  kinds: ['product'],
  needs: [anyRuntime, ({ data }) => data.dynamic === null],
  whose: 'kernel',

  arrange: async (study, base) => {
    const { order, within, carried } = base;
    if (order || within || carried || !hasCases(study as Study, FEWEST_DIFFERING)) return null;
    // what comes after the sums may be another too; of thousands of other sums none is asked
    if (base !== study.declared && !study.sameSums(base, study.declared)) return null;
    const found = await streamThatGives(study, inIntegers(base));
    if (!found) return null;
    const [stream, own] = found;
    return {
      cause: 'accumulator-not-cleared',
      coordinate: 'accumulator',
      freedom: FREEDOM.none,
      label: own.name,
      found: stream,
      apply: (setup) => ({ ...inIntegers(setup), carried: own }),
    };
  },

  evidence: ({ study, setup, without }) => {
    const [own, held] = [without, setup].map((each) => study.engine.accumulator(each, study.subset));
    const at = own.findIndex((sum, i) => sum !== held[i]);
    const changed = countWhere(own, (sum, i) => sum !== held[i]);
    if (at < 0) return { changed };
    return { changed, first: { ...placeAt(study, at), sum: own[at], carried: held[at] - own[at] } };
  },

  words: {
    title: (e) => (e.carry ? TITLES[e.carry](OUTPUTS[e.between!]) : 'the accumulator is not cleared'),
    explanation: (e) => EXPLANATIONS[kindOf(e)],
    ofOneLayer: true,
    evidence: (e) => [
      e.first
        ? `${place(e.first)}: the sum is ${e.first.sum}, and ${e.first.carried} more is in the accumulator`
        : null,
      e.changed === undefined
        ? null
        : `${counted(e.changed, 'sum')} of those that were looked at hold what is not theirs`,
    ],
    fix: (e) => FIXES[kindOf(e)],
    code: (_, context) =>
      codeOf([
        inC('acc = 0;  // of each output, before the loop over its products'),
        rtl('acc <= first ? product : acc + product;  // first: with the first product of each output'),
      ])(context),
  },
};

/** As sums of integers also where they are declared in floats (PT2E's reference), of which no register holds any. */
const inIntegers = (setup: ProductSetup): ProductSetup => withSteps(setup, {});

type Found = Partial<Stream>;

/** Outputs one after the other, between which it is not. */
const OUTPUTS: Readonly<Record<Stream['between'], string>> = {
  channels: 'the output channels of a place',
  columns: 'the places of a line',
  places: 'the places of a channel',
  'channels, place by place': 'the outputs of a sample (channels innermost)',
  'places, channel by channel': 'the outputs of a sample (places innermost)',
  samples: 'all outputs of a channel, samples too',
  'all, place by place': 'any two outputs (channels innermost)',
  'all, channel by channel': 'any two outputs (places innermost)',
};

const TITLES: Readonly<Record<Stream['carry'], (outputs: string) => string>> = {
  sums: (outputs) => `the accumulator is not cleared between ${outputs}`,
  'sums and biases': (outputs) => `the accumulator is not cleared between ${outputs}, biases included`,
  'sums, the first bias': (outputs) => `the accumulator is loaded with a bias once, and not again between ${outputs}`,
  'one sum': (outputs) => `the sum before is added too, between ${outputs}`,
  'last product': (outputs) => `the last product counts for the next one of ${outputs}`,
  'last product too': (outputs) => `the last product counts for the next one too of ${outputs}`,
  'first product': (outputs) => `the first product counts for the one before of ${outputs}`,
};

const kindOf = ({ carry }: Found) => (carry?.includes('last') ? 'early' : carry === 'first product' ? 'late' : 'never');

const EXPLANATIONS = {
  never: 'A sum begins with what the accumulator holds of the outputs before, and not with 0.',
  early: 'The accumulator is read and cleared one product early: the last product of a sum is added to the next sum.',
  late: 'The accumulator is cleared one product late: the first product of a sum is added to the sum before.',
} as const;

const FIXES = {
  never: 'clear the accumulator (or load the bias into it) with the first product of every output',
  early: 'read the accumulator after the last product of an output, one product later, and clear it then',
  late: 'clear the accumulator with the first product of an output, one product earlier, and read it before',
} as const;
