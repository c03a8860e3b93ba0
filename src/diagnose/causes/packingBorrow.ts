import type { Product } from '../../nouns/kernel.js';
import { counted } from '../../text.js';
import { hasCases, missesCases } from '../alternatives/cases.js';
import {
  belowOf,
  borrowsOf,
  type Chain,
  CONTROLS,
  type Control,
  chainsOf,
  type Pairing,
  pairingsOf,
} from '../alternatives/packings.js';
import type { Cause } from '../cause.js';
import { intervalsByChannel } from '../estimate/scalar.js';
import { viewOf } from '../estimate/view.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { At, SomeChannels } from '../finding/evidence.js';
import { type Carried, FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../setup.js';
import { isProductStudy, type ProductStudy, type Study } from '../study/study.js';
import { codeOf, inC, rtl } from '../words/code.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';
import { placeAt } from './placeAt.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'packing-borrow': SomeChannels & {
      /** What shares a multiplier, how far apart, and which of both lies above. */
      readonly by?: Pairing['by'];
      readonly apart?: number;
      readonly upper?: Pairing['upper'];
      /** As far as the values tell. */
      readonly products?: Chain['products'];
      readonly codes?: Chain['codes'];
      /** Sums that are too low, of those that were looked at, and the first of them. */
      readonly lowered?: number;
      readonly first?: At & { readonly sum: number; readonly by: number };
    };
  }
}

/** Of some hundred ways to pack two products one gives fewer values by chance. */
const [FEWEST_DIFFERING, FEWEST_BESIDE] = [3, 8];
/** Channels that differ, and whose values follow from no other bias; and cases where all may. */
const [FEWEST_CHANNELS, FEWEST_ALIKE] = [3, 16];

/** Of two products in one multiplier the upper one is read without the borrow of the lower one. */
export const packingBorrow: Cause<'packing-borrow', 'product'> = {
  code: 'packing-borrow',
  kinds: ['product'],
  needs: [anyRuntime, scalesSums],
  whose: 'kernel',
  parameterFree: true,

  estimate: (study, base) => {
    if (!isProductStudy(study) || base.kind !== 'product' || !hasCases(study as Study, FEWEST_DIFFERING)) return [];
    if (base.carried || base.order || base.within || base.stores || base.steps.float) return [];
    const fitting = lowering(study, base).flatMap((pairing) =>
      chainsOf(base.params)
        .map((chain) => changeTo(study, pairing, chain))
        .filter((change) => study.agreesOnSubset(change.apply(base))),
    );
    if (fitting.length === 0 || !(tellsFromBiases(study, base) || tellsFromOthers(study, base, fitting[0].packing)))
      return [];
    return fitting.slice(0, 1).map((change) => ({ ...change, found: sharedBy(fitting) }));
  },

  shows: ({ study, without }) =>
    study.sameOnSubset(without, study.declared) || missesCases(study as Study, without, FEWEST_BESIDE),

  evidence: ({ study, setup, without }) => {
    const [own, low] = [without, setup].map((each) => study.engine.accumulator(each, study.subset));
    const at = own.findIndex((sum, i) => sum !== low[i]);
    const lowered = countWhere(own, (sum, i) => sum !== low[i]);
    return { lowered, ...(at >= 0 && { first: { ...placeAt(study, at), sum: own[at], by: own[at] - low[at] } }) };
  },

  words: {
    title: () => 'the borrow of two products packed in one multiplier is not added back',
    explanation:
      'One multiplier computes (a * 2^18 + d) * b: where d * b is negative, what is read above it as a * b is one too low.',
    evidence: (e) => [
      e.by && e.upper ? `${PAIRED[e.by](e.apart ?? 1)}: the ${e.upper} of both lies above` : null,
      e.products === undefined ? null : PARTED(e.products),
      e.codes === undefined || e.codes === 'x - zx' ? null : `the multiplier takes ${CODES[e.codes]}`,
      e.first ? `${place(e.first)}: the sum ${e.first.sum} is ${e.first.by} too low` : null,
      e.lowered === undefined ? null : `${counted(e.lowered, 'sum')} of those that were looked at are too low`,
    ],
    fix: () => 'add the sign bit of the lower product (or sum) to the upper one where the two are parted',
    code: (_, context) =>
      codeOf([
        rtl('assign upper = p[47:18] + p[17];  // p[17]: the sign of the lower sum'),
        inC('int32_t lower = (int32_t)(p << 14) >> 14, upper = (int32_t)((p - lower) >> 18);'),
      ])(context),
  },
};

const PAIRED: Readonly<Record<Pairing['by'], (apart: number) => string>> = {
  channels: (apart) =>
    apart === 1 ? 'two channels each share a multiplier' : `channels n and n + ${apart} share a multiplier`,
  columns: () => 'two places of a line each share a multiplier',
  lines: () => 'a place and the one below it share a multiplier',
};

const PARTED = (products: Chain['products']): string =>
  products === 1
    ? 'each product is parted from the other before it is added'
    : typeof products === 'number'
      ? `the two sums are parted after every ${products} products`
      : `the two sums are parted at the end${products === 'all' ? '' : ', their biases included'}`;

const CODES = { x: 'codes as they are stored', 'x - 128': 'codes less 128', 'x + 128': 'codes plus 128' } as const;

/** Of a layer by pairing and chain: the same object for the same, by which sums are kept. */
const known = new WeakMap<Product, Map<string, Carried>>();

interface Packed extends ProductChange {
  readonly packing: Pairing & Chain;
}

function changeTo({ declared }: ProductStudy, pairing: Pairing, chain: Chain, control: Control | null = null): Packed {
  const ofLayer = known.get(declared.params) ?? new Map<string, Carried>();
  known.set(declared.params, ofLayer);
  const made = borrowsOf(pairing, chain, control);
  const carried = ofLayer.get(made.name) ?? made;
  ofLayer.set(made.name, carried);
  return {
    cause: 'packing-borrow',
    coordinate: 'accumulator',
    freedom: FREEDOM.none,
    label: carried.name,
    packing: { ...pairing, ...chain },
    apply: (setup) => ({ ...withSteps(setup, {}), carried }),
  };
}

/** What all say that give the same. */
function sharedBy(fitting: readonly Packed[]): Partial<Packed['packing']> {
  const [{ packing }] = fitting;
  const fields = Object.entries(packing) as [keyof Packed['packing'], unknown][];
  return Object.fromEntries(fields.filter(([name, value]) => fitting.every((other) => other.packing[name] === value)));
}

/** Of the same ways to add, with other products in place of those below, none gives every value. */
function tellsFromOthers(study: ProductStudy, base: ProductSetup, pairing: Pairing): boolean {
  if (pairing.by !== 'channels' || !hasCases(study as Study, FEWEST_ALIKE)) return false;
  if (countWhere(study.mismatchesByChannel(base), (missed) => missed > 0) < FEWEST_CHANNELS) return false;
  return CONTROLS.every((control) =>
    chainsOf(base.params).every((chain) => !study.agreesOnSubset(changeTo(study, pairing, chain, control).apply(base))),
  );
}

/** Where sums are lower by about as much in each row, other biases give as many values as any way to pack. */
function tellsFromBiases(study: ProductStudy, base: ProductSetup): boolean {
  const view = viewOf(study, base);
  const stepsAt = (i: number, n: number) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n];
  const ofBiases = intervalsByChannel(view, () => 1, stepsAt, 2e-6);
  return ofBiases.countEmpty(0) >= FEWEST_CHANNELS;
}

/** Pairings of which no lower output is missed, nor any that is too high. */
function lowering(study: ProductStudy, base: ProductSetup): Pairing[] {
  if (study.misses(base, study.probe).includes(1)) return [];
  const scope = base === study.declared ? study.subset : study.probe;
  const width = scope.channels?.length ?? study.channels;
  const { params } = base;
  const positions = params.patch?.taps.positions ?? 1;
  const missed = { channels: new Set<number>(), places: new Set<number>() };
  for (const [i, sign] of study.misses(base, scope).entries()) {
    if (sign > 0) return [];
    if (sign === 0) continue;
    missed.channels.add(scope.channels?.[i % width] ?? i % width);
    missed.places.add(scope.samples[Math.floor(i / width)] % positions);
  }
  if (missed.channels.size === 0) return [];
  return pairingsOf(params, study.data.images !== undefined).filter((pairing) => {
    const ofAxis = pairing.by === 'channels' ? missed.channels : missed.places;
    return [...ofAxis].every((at) => belowOf(pairing, params, at) !== null);
  });
}
