import type { NumericArray } from '../nouns/array.js';
import type { Fast } from '../nouns/kernel.js';
import type { ChannelReport, MismatchReport, PatternReport, Unit } from '../nouns/report.js';
import type { Shape } from '../nouns/value.js';
import { areSame, type Bytes, isBytes } from '../numeric/array.js';
import { ulpDistance } from '../numeric/float.js';
import { sumOfSquares } from '../products/multiply.js';
import { channelStride, channelsOf, positionsOf } from '../tensor/shape.js';
import { ChannelCounts } from './channelCounts.js';
import { type Codes, isCodes, TOLD_OF_A_CHANNEL } from './codes.js';
import { type NotFinite, NotFiniteCount } from './notFinite.js';
import { SampleRanges } from './sampleRanges.js';
import { Where } from './where.js';

export interface DiffSettings {
  /** Of one sample. */
  readonly shape: Shape;
  readonly unit: Unit;
  /** Subtracted from the expected codes to give the signal of the SQNR; 0 for floats. */
  readonly zeroPoint: number;
  /** Differences up to this many steps (or ULPs) are within tolerance. */
  readonly tolerance: number;
  readonly fast?: Fast;
}

export interface DiffBlock {
  readonly firstSample: number;
  /** [samples, ...shape] */
  readonly expected: NumericArray;
  readonly actual: NumericArray;
  /** A value within [low, high] of its place is no difference (float paths without a fixed order). */
  readonly low?: NumericArray | null;
  readonly high?: NumericArray | null;
}

/** What differs in one layer; `channels` holds those that do, of the first 131,072. */
export interface LayerDiffResult {
  readonly unit: Unit;
  readonly shape: Shape;
  readonly values: number;
  readonly mismatched: number;
  readonly beyondTolerance: number;
  readonly withinBound: number;
  readonly maxAbsDiff: number;
  /** Of the numbers as they are: steps for codes, the values of floats. */
  readonly maxAbsReal: number;
  readonly samples: { readonly mismatched: number; readonly ranges: string[] };
  /** Where all that differs is, if that is a pattern. */
  readonly where: PatternReport[];
  readonly meanDiff: number;
  /** The same of the numbers as they are. */
  readonly meanReal: number;
  /** Of the expected numbers; null: there are none. */
  readonly range: readonly [number, number] | null;
  readonly sqnrDb: number | 'inf' | null;
  readonly channels: ChannelReport[];
  /** That differ beyond those that are counted one by one. */
  readonly channelsOmitted: number;
  /** 1 of each channel that differs; empty where none does. */
  readonly differing: Uint8Array;
  readonly firstMismatch: (Witness & Pick<MismatchReport, 'expected' | 'actual'>) | null;
  /** Some differing values of every differing channel, in sample order: where a diagnosis looks. */
  readonly witnesses: readonly Witness[];
  /** What each side holds beside numbers; null: nothing. */
  readonly notFinite: { readonly expected: NotFinite | null; readonly actual: NotFinite | null };
}

/** What is the same whichever side is expected, and what is told of each. */
export type SidesDiff = Pick<
  LayerDiffResult,
  | 'unit'
  | 'mismatched'
  | 'withinBound'
  | 'maxAbsDiff'
  | 'maxAbsReal'
  | 'meanDiff'
  | 'differing'
  | 'firstMismatch'
  | 'witnesses'
  | 'notFinite'
>;

/** Of the same values with the other side expected. */
export function exchanged(diff: SidesDiff): SidesDiff {
  const { unit, mismatched, withinBound, maxAbsDiff, maxAbsReal, meanDiff, differing, firstMismatch: first } = diff;
  const { witnesses, notFinite } = diff;
  return {
    ...{ unit, mismatched, withinBound, maxAbsDiff, maxAbsReal, meanDiff: -meanDiff, differing, witnesses },
    firstMismatch: first && { ...first, expected: first.actual, actual: first.expected },
    notFinite: { expected: notFinite.actual, actual: notFinite.expected },
  };
}

export interface Witness {
  readonly sample: number;
  readonly channel: number;
  readonly position: number;
}

const NONE = new Uint8Array(0);
const MOST_WITNESSES = 4096;

/**
 * Compares two tensors block by block; a difference is actual - expected.
 * Sums run per channel in sample order, so the result does not depend on the blocks.
 */
export class LayerDiff {
  private samples = 0;
  private withinBound = 0;
  private beyondTolerance = 0;
  private firstMismatch: LayerDiffResult['firstMismatch'] = null;
  private readonly witnesses: Witness[] = [];
  private readonly channels: number;
  private readonly positions: number;
  private readonly stride: number;
  private readonly ranges = new SampleRanges();
  private lastSample = -1;
  private firstSample: number | null = null;
  private readonly notFinite: { readonly expected: NotFiniteCount; readonly actual: NotFiniteCount };
  private readonly range: [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  /** Null: all blocks so far are equal, as those of most layers are. */
  private counts: ChannelCounts | null = null;
  private where: Where | null = null;
  /** Of blocks that are equal: the sum of squares, exact in any order. */
  private equalSignal = 0;

  constructor(private readonly settings: DiffSettings) {
    const { shape } = settings;
    this.channels = channelsOf(shape);
    this.positions = positionsOf(shape);
    this.stride = channelStride(shape);
    this.notFinite = { expected: new NotFiniteCount(shape), actual: new NotFiniteCount(shape) };
  }

  add(block: DiffBlock): void {
    const { zeroPoint } = this.settings;
    const { expected, actual } = block;
    const features = this.channels * this.positions;
    this.firstSample ??= block.firstSample;
    this.notFinite.expected.add(block.firstSample, expected);
    this.notFinite.actual.add(block.firstSample, actual);
    if (this.isFloat) this.widen(expected);
    this.samples += features === 0 ? 0 : expected.length / features;
    if (areSameBytes(expected, actual)) {
      this.equalSignal += sumOfSquares(expected, zeroPoint, this.settings.fast ?? null);
    } else {
      this.counts ??= new ChannelCounts(this.channels, this.isFloat);
      if (!this.isFloat && isCodes(expected) && isCodes(actual))
        this.addCodes(block, expected, this.withinBounds(block, expected, actual));
      else this.addValues(block, this.counts);
    }
  }

  /** What is computed, where it may be what is expected that. */
  private withinBounds({ low, high }: DiffBlock, expected: Codes, actual: Codes): Codes {
    if (!low || !high || (low === actual && high === actual)) return actual;
    const within = actual.slice();
    for (let i = 0; i < within.length; i++) {
      const value = expected[i];
      if (value === actual[i] || !(value >= low[i] && value <= high[i])) continue;
      within[i] = value;
      this.withinBound++;
    }
    return within;
  }

  private addCodes({ firstSample }: DiffBlock, expected: Codes, actual: Codes): void {
    const { zeroPoint, tolerance, shape } = this.settings;
    this.where ??= new Where(shape);
    const runs = { firstSample, stride: this.stride, positions: this.positions, zeroPoint, tolerance };
    const { marks } = this.where;
    const tell = (i: number, sample: number, channel: number, position: number, before: number) => {
      if (before < TOLD_OF_A_CHANNEL) this.witness({ sample, channel, position }, expected[i], actual[i]);
      if (sample !== this.lastSample) this.nextSample(sample);
      return this.witnesses.length < MOST_WITNESSES ? TOLD_OF_A_CHANNEL : 0;
    };
    this.beyondTolerance += this.counts!.addCodes(expected, actual, runs, { tell, marks });
  }

  /** In C order: a run of `stride` values belongs to one channel. */
  private addValues(block: DiffBlock, counts: ChannelCounts): void {
    const { expected, actual, firstSample } = block;
    const { zeroPoint } = this.settings;
    let [sample, channel, position] = [firstSample, 0, 0];
    for (let start = 0; start < expected.length; start += this.stride) {
      let sum = counts.signalOf(channel);
      for (let i = start; i < start + this.stride; i++) {
        const signal = expected[i] - zeroPoint;
        if (Number.isFinite(signal)) sum += signal * signal;
        if (expected[i] !== actual[i]) this.addDifference(block, i, sample, channel, position + i - start);
      }
      counts.setSignal(channel, sum);
      if (++channel < this.channels) continue;
      channel = 0;
      position += this.stride;
      if (position < this.positions) continue;
      position = 0;
      sample++;
    }
  }

  result(): LayerDiffResult {
    const { shape, unit } = this.settings;
    const values = this.samples * this.channels * this.positions;
    const { counts } = this;
    const mismatched = counts?.mismatched ?? 0;
    const each = this.samples * this.positions;
    const whereOf = () =>
      this.where?.patterns(this.firstSample ?? 0, this.samples, counts!.differing, mismatched) ?? [];
    let [channels, where]: [ChannelReport[] | null, PatternReport[] | null] = [null, null];
    return {
      unit,
      shape,
      values,
      mismatched,
      beyondTolerance: this.beyondTolerance,
      withinBound: this.withinBound,
      maxAbsDiff: counts?.maxAbs ?? 0,
      maxAbsReal: counts?.maxReal ?? 0,
      samples: { mismatched: this.ranges.count, ranges: this.ranges.listed() },
      // who asks for these is few, and of many channels or places they take long
      get where() {
        where ??= whereOf();
        return where;
      },
      meanDiff: counts && values > 0 ? counts.sum / values : 0,
      meanReal: counts && values > 0 ? counts.sumReal / values : 0,
      range: this.range[0] <= this.range[1] ? this.range : null,
      sqnrDb: counts && mismatched > 0 ? decibels(this.equalSignal + counts.signal, counts.noise) : 'inf',
      get channels() {
        channels ??= counts?.reports(each) ?? [];
        return channels;
      },
      channelsOmitted: counts?.omitted ?? 0,
      differing: counts?.differing ?? NONE,
      firstMismatch: this.firstMismatch,
      witnesses: this.witnesses,
      notFinite: { expected: this.notFinite.expected.result(), actual: this.notFinite.actual.result() },
    };
  }

  private get isFloat(): boolean {
    return this.settings.unit === 'ulp';
  }

  private widen(expected: NumericArray): void {
    const { range } = this;
    for (const value of expected) {
      if (value < range[0] && value !== Number.NEGATIVE_INFINITY) range[0] = value;
      if (value > range[1] && value !== Number.POSITIVE_INFINITY) range[1] = value;
    }
  }

  /** Called for each of millions: what is met for the first time is told elsewhere, so that what remains is compiled in a few ms. */
  private addDifference(block: DiffBlock, i: number, sample: number, channel: number, position: number): void {
    const expected = block.expected[i];
    const actual = block.actual[i];
    const noise = actual - expected;
    const diff = this.isFloat ? signedUlps(expected, actual) : noise;
    if (diff === 0) return; // +0 and -0, NaN and NaN
    if (block.low && block.high && expected >= block.low[i] && expected <= block.high[i]) {
      this.withinBound++;
      return;
    }
    if (this.counts!.add(channel, diff, noise) < TOLD_OF_A_CHANNEL)
      this.witness({ sample, channel, position }, expected, actual);
    if (sample !== this.lastSample) this.nextSample(sample);
    this.where!.addPosition(position);
    if (Math.abs(diff) > this.settings.tolerance) this.beyondTolerance++;
  }

  private witness(place: Witness, expected: number, actual: number): void {
    this.firstMismatch ??= { ...place, expected, actual };
    if (this.witnesses.length < MOST_WITNESSES) this.witnesses.push(place);
  }

  private nextSample(sample: number): void {
    this.lastSample = sample;
    this.ranges.add(sample);
    this.where ??= new Where(this.settings.shape);
    this.where.addSample(sample);
  }
}

/** Whether bytes are expected, and all of them computed. */
function areSameBytes(expected: NumericArray, actual: NumericArray): expected is Bytes {
  if (!isBytes(expected) || expected.length !== actual.length) return false;
  if (actual instanceof Int32Array) return areEqual(expected, actual);
  return expected.constructor === actual.constructor && areSame(expected, actual);
}

/** Bytes that are made numbers of 32 bits at a time: a loop would be compiled while it runs, which takes a small run longer. */
const AT_ONCE = 1 << 14;

function areEqual(bytes: Bytes, codes: Int32Array): boolean {
  for (let from = 0; from < bytes.length; from += AT_ONCE) {
    const to = from + AT_ONCE;
    if (!areSame(new Int32Array(bytes.subarray(from, to)), codes.subarray(from, to))) return false;
  }
  return true;
}

function signedUlps(expected: number, actual: number): number {
  const distance = ulpDistance(expected, actual);
  return actual < expected ? -distance : distance;
}

/** 10 log10(signal / noise); null without a signal. */
function decibels(signal: number, noise: number): number | null {
  return signal === 0 || noise === 0 ? null : 10 * Math.log10(signal / noise);
}
