/**
 * Two products of 8 bits in one wide multiplier, as FPGAs' DSP slices compute them: (a * 2^18 + d) * b holds a * b above d * b. Where the lower
 * one is negative it borrows from the upper one, which is read one too low unless the borrow is added back.
 */
import { scriptedInt32Bias } from '../../kernels/steps/bias.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import type { Taps } from '../../nouns/window.js';
import { int32s } from '../../numeric/array.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { groupsOf } from '../../products/groups.js';
import type { Carried, PatchReading, ProductSetup } from '../setup.js';
import { declaredReading } from './geometry.js';

/** What shares a multiplier: channels, of one input, or places, of one weight, so far apart. */
export interface Pairing {
  readonly by: 'channels' | 'columns' | 'lines';
  readonly apart: number;
  /** Which of both lies above. */
  readonly upper: 'first' | 'second';
}

/** How products are added before the two sums are parted. */
export interface Chain {
  /** So many; all: the whole sum, or with its bias. */
  readonly products: number | 'all' | 'all and the bias';
  /** Products next to each other: of the channels of a place, or of the places of a channel. */
  readonly along: 'channels' | 'places';
  /** What is multiplied: codes less their zero point, as stored, or as of the other sign. */
  readonly codes: keyof typeof OFFSETS;
}

const LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32, 64];
const APART = [1, 2, 4, 8, 16, 32];

/** Every way to pair outputs. readsImages: places may be paired. */
export function pairingsOf(params: Product, readsImages: boolean): Pairing[] {
  const ofGroup = channelsOfGroup(params);
  const half = ofGroup % 2 === 0 ? [ofGroup / 2] : [];
  const distances = [...new Set([...APART, ...half])].filter((apart) => apart < ofGroup);
  const ways = [
    ...distances.map((apart) => ({ by: 'channels' as const, apart })),
    ...(['columns', 'lines'] as const)
      .filter((by) => readsImages && axisOf(by, params).size > 1)
      .map((by) => ({ by, apart: 1 })),
  ];
  return ways.flatMap((way) => [
    { ...way, upper: 'second' },
    { ...way, upper: 'first' },
  ]);
}

const channelsOfGroup = (params: Product) => params.outFeatures / groupsOf(params);

/** Of channels, or of places: how many there are, and how far in memory the next one is. */
function axisOf(by: Pairing['by'], params: Product): { readonly size: number; readonly stride: number } {
  const columns = params.patch?.output.at(-1) ?? 1;
  if (by === 'lines') return { size: params.patch?.output.at(-2) ?? 1, stride: columns };
  return { size: by === 'columns' ? columns : channelsOfGroup(params), stride: 1 };
}

/** Every way to add. */
export function chainsOf({ inFeatures, input, patch }: Product): Chain[] {
  const { inChannels = 1 } = patch ?? {};
  const hasAxes = inChannels > 1 && inFeatures > inChannels;
  const offsets = new Map<number, Chain['codes']>();
  const turned = input.dtype === 'int8' ? 'x + 128' : 'x - 128';
  for (const codes of ['x - zx', 'x', turned] as const) {
    const offset = offsetOf(codes, input);
    if (!offsets.has(offset)) offsets.set(offset, codes);
  }
  return [...LENGTHS.filter((length) => length < inFeatures), 'all' as const, 'all and the bias' as const].flatMap(
    (products) => {
      const isPart = typeof products === 'number' && products > 1;
      const axes = isPart && hasAxes ? (['channels', 'places'] as const) : (['channels'] as const);
      return axes.flatMap((along) => [...offsets.values()].map((codes) => ({ products, along, codes })));
    },
  );
}

const OFFSETS = { 'x - zx': null, x: 0, 'x - 128': 128, 'x + 128': -128 };
const offsetOf = (codes: Chain['codes'], input: Product['input']): number => OFFSETS[codes] ?? input.zeroPoint;

/** What lies below an output: its channel or position; null: nothing does. at: of the output itself. */
export function belowOf({ by, apart, upper }: Pairing, params: Product, at: number): number | null {
  const { size, stride } = axisOf(by, params);
  const place = Math.floor(at / stride) % size;
  const isSecond = Math.floor(place / apart) % 2 === 1;
  const other = isSecond ? place - apart : place + apart;
  return isSecond !== (upper === 'second') || other >= size ? null : at + (other - place) * stride;
}

/** In place of what lies below: what nobody would pack there, by which is told how much a layer's values tell. */
export const CONTROLS = ['itself', 'of the pair after', 'not negative'] as const;
export type Control = (typeof CONTROLS)[number];

/** What the sums of the upper outputs lose. control: of channels. */
export function borrowsOf(pairing: Pairing, chain: Chain, control: Control | null = null): Carried {
  const name = `borrows ${[...Object.values(pairing), ...Object.values(chain), control].join(' ')}`;
  if (pairing.by === 'channels') {
    const inChannel: Carried['inChannel'] = (channel, samples, { setup, codesOf }) => {
      const { params } = setup;
      const below = belowOf(pairing, params, channel);
      if (below === null) return new Int32Array(samples.length);
      const other =
        control === 'itself' ? channel : control === 'of the pair after' ? pairAfter(pairing, params, below) : below;
      const counts = negativeChains(codesOf(setup, other), params, other, chain);
      const chains = control === 'not negative' ? chainsIn(params, chain) : 0;
      return int32s(counts, (count) => (chains === 0 ? -count : count - chains));
    };
    return { name, inChannel };
  }
  const inChannel: Carried['inChannel'] = (channel, samples, { setup, codesOf }) => {
    const { params } = setup;
    const positions = params.patch!.taps.positions;
    const codes = codesOf({ ...setup, patches: readingBelow(pairing, setup) }, channel);
    const counts = negativeChains(codes, params, channel, chain);
    return int32s(samples, (sample, row) => (belowOf(pairing, params, sample % positions) === null ? 0 : -counts[row]));
  };
  return { name, inChannel };
}

/** The same place in the next two channels, of the last two in the first. */
function pairAfter({ apart }: Pairing, params: Product, channel: number): number {
  const ofGroup = channelsOfGroup(params);
  const first = channel - (channel % ofGroup);
  const next = (channel % ofGroup) + 2 * apart;
  return first + (next < ofGroup ? next : next % (2 * apart));
}

const chainsIn = ({ inFeatures }: Product, { products }: Chain) =>
  typeof products === 'number' ? Math.ceil(inFeatures / products) : 1;

/** Patches of the places below, where there are some. */
function readingBelow(pairing: Pairing, { params, patches }: ProductSetup): PatchReading {
  const own = patches ?? declaredReading(params, false);
  const { positions, taps, hasHoles } = own.taps;
  const at: Taps['at'] = (position) => own.taps.at(belowOf(pairing, params, position) ?? position);
  return {
    ...own,
    name: `${own.name}, below ${Object.values(pairing).join(' ')}`,
    taps: { positions, taps, hasHoles, at },
  };
}

/** Of all channels, each of which asks. */
const biases = new WeakMap<Product, Int32Array | null>();

function biasesOf(params: Product): Int32Array | null {
  const known = biases.get(params);
  if (known !== undefined) return known;
  const made = scriptedInt32Bias(params);
  biases.set(params, made);
  return made;
}

/** Of each row, how many chains of a channel's products are negative. */
function negativeChains(x: Codes, params: Product, channel: number, { products, along, codes }: Chain): Int32Array {
  const { inFeatures, weight } = params;
  const length = typeof products === 'number' ? products : inFeatures;
  const start = products === 'all and the bias' ? (biasesOf(params)?.[channel] ?? 0) : 0;
  const [x0, w0] = [offsetOf(codes, params.input), codes === 'x - zx' ? weightZeroPointOf(params, channel) : 0];
  const order = along === 'places' ? inPlaces(params) : int32s({ length: inFeatures }, (_, k) => k);
  const factors = int32s(order, (k) => weight[channel * inFeatures + k] - w0);
  const counts = new Int32Array(x.rows);
  for (let row = 0, first = 0; row < x.rows; row++, first += inFeatures) {
    for (let k = 0; k < inFeatures; ) {
      const end = Math.min(inFeatures, k + length);
      let sum = start;
      for (; k < end; k++) sum += (x.data[first + order[k]] - x0) * factors[k];
      if (sum < 0) counts[row]++;
    }
  }
  return counts;
}

/** The places of a channel one after the other. */
function inPlaces({ inFeatures, patch }: Product): Int32Array {
  const { inChannels } = patch!;
  const places = inFeatures / inChannels;
  return int32s({ length: inFeatures }, (_, i) => (i % places) * inChannels + Math.floor(i / places));
}
