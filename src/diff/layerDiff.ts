import type { NumericArray } from '../nouns/array.js';
import type { Fast } from '../nouns/kernel.js';
import type { ChannelReport, MismatchReport, Unit } from '../nouns/report.js';
import { ulpDistance } from '../numeric/float.js';
import { sumOfSquares } from '../products/multiply.js';

/** Upper ends of the histogram's bins; the last bin is open. */
const BIN_UPPER = [-17, -5, -2, -1, 0, 1, 4, 16];
const EQUAL_BIN = BIN_UPPER.indexOf(0);
const BINS = BIN_UPPER.length + 1;

export interface DiffSettings {
  readonly features: number;
  readonly unit: Unit;
  /** Subtracted from the expected codes to give the signal of the SQNR; 0 for floats. */
  readonly zeroPoint: number;
  /** Differences up to this many steps (or ULPs) are within tolerance. */
  readonly tolerance: number;
  readonly fast?: Fast;
}

export interface DiffBlock {
  readonly firstSample: number;
  /** [rows, features] */
  readonly expected: NumericArray;
  readonly actual: NumericArray;
  /** A value within [low, high] of its place is no difference (float paths without a fixed order). */
  readonly low?: NumericArray | null;
  readonly high?: NumericArray | null;
}

/** What differs in one layer; `channels` holds those that do. */
export interface LayerDiffResult {
  readonly unit: Unit;
  readonly features: number;
  readonly values: number;
  readonly mismatched: number;
  readonly beyondTolerance: number;
  readonly withinBound: number;
  readonly maxAbsDiff: number;
  readonly meanDiff: number;
  readonly sqnrDb: number | 'inf' | null;
  readonly channels: ChannelReport[];
  readonly firstMismatch: MismatchReport | null;
  /** Some differing values of every differing channel, in sample order: where a diagnosis looks. */
  readonly witnesses: readonly { readonly sample: number; readonly channel: number }[];
}

const WITNESSES_OF_A_CHANNEL = 4;
const MOST_WITNESSES = 4096;

/**
 * Compares two tensors block by block; a difference is actual - expected.
 * Sums run per channel in sample order, so the result does not depend on the blocks.
 */
export class LayerDiff {
  private samples = 0;
  private withinBound = 0;
  private beyondTolerance = 0;
  private firstMismatch: MismatchReport | null = null;
  private readonly witnesses: { sample: number; channel: number }[] = [];
  private readonly mismatched: Float64Array;
  private readonly maxAbs: Float64Array;
  private readonly sum: Float64Array;
  private readonly signal: Float64Array;
  private readonly noise: Float64Array;
  private readonly bins: Float64Array;
  /** Of blocks that are equal: the sum of squares, exact in any order. */
  private equalSignal = 0;

  constructor(private readonly settings: DiffSettings) {
    const { features } = settings;
    this.mismatched = new Float64Array(features);
    this.maxAbs = new Float64Array(features);
    this.sum = new Float64Array(features);
    this.signal = new Float64Array(features);
    this.noise = new Float64Array(features);
    this.bins = new Float64Array(features * BINS);
  }

  add(block: DiffBlock): void {
    const { features, zeroPoint } = this.settings;
    const { expected, actual } = block;
    if (sameBytes(expected, actual)) {
      this.equalSignal += sumOfSquares(expected, zeroPoint, this.settings.fast ?? null);
      this.samples += features === 0 ? 0 : expected.length / features;
      return;
    }
    for (let i = 0, channel = 0, sample = block.firstSample; i < expected.length; i++) {
      const signal = expected[i] - zeroPoint;
      if (Number.isFinite(signal)) this.signal[channel] += signal * signal;
      if (expected[i] !== actual[i]) this.addDifference(block, i, sample, channel);
      if (++channel === features) {
        channel = 0;
        sample++;
      }
    }
    this.samples += features === 0 ? 0 : expected.length / features;
  }

  result(): LayerDiffResult {
    const { features, unit } = this.settings;
    const values = this.samples * features;
    const channels: ChannelReport[] = [];
    for (let channel = 0; channel < features; channel++) {
      if (this.mismatched[channel] > 0) channels.push(this.channelReport(channel));
    }
    const mismatched = total(this.mismatched);
    return {
      unit,
      features,
      values,
      mismatched,
      beyondTolerance: this.beyondTolerance,
      withinBound: this.withinBound,
      maxAbsDiff: channels.reduce((worst, c) => Math.max(worst, c.max_abs_diff), 0),
      meanDiff: values === 0 ? 0 : total(this.sum) / values,
      sqnrDb: mismatched === 0 ? 'inf' : decibels(this.equalSignal + total(this.signal), total(this.noise)),
      channels,
      firstMismatch: this.firstMismatch,
      witnesses: this.witnesses,
    };
  }

  private addDifference(block: DiffBlock, i: number, sample: number, channel: number): void {
    const expected = block.expected[i];
    const actual = block.actual[i];
    const diff = this.settings.unit === 'ulp' ? ulpDistance(expected, actual) : actual - expected;
    if (diff === 0) return; // +0 and -0, NaN and NaN
    if (block.low && block.high && expected >= block.low[i] && expected <= block.high[i]) {
      this.withinBound++;
      return;
    }
    const size = Math.abs(diff);
    this.firstMismatch ??= { sample, channel, expected, actual };
    if (this.mismatched[channel]++ < WITNESSES_OF_A_CHANNEL && this.witnesses.length < MOST_WITNESSES) {
      this.witnesses.push({ sample, channel });
    }
    this.sum[channel] += diff;
    if (size > this.maxAbs[channel]) this.maxAbs[channel] = size;
    if (size > this.settings.tolerance) this.beyondTolerance++;
    this.bins[channel * BINS + binOf(diff)]++;
    const noise = actual - expected;
    if (Number.isFinite(noise)) this.noise[channel] += noise * noise;
  }

  private channelReport(channel: number): ChannelReport {
    const histogram = [...this.bins.subarray(channel * BINS, (channel + 1) * BINS)];
    histogram[EQUAL_BIN] = this.samples - this.mismatched[channel];
    return {
      channel,
      mismatched: this.mismatched[channel],
      max_abs_diff: this.maxAbs[channel],
      mean_diff: this.sum[channel] / this.samples,
      histogram,
      causes: [],
    };
  }
}

type Bytes = Uint8Array | Int8Array;

function sameBytes(a: NumericArray, b: NumericArray): a is Bytes {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) && !(a instanceof Int8Array && b instanceof Int8Array)) {
    return false;
  }
  return Buffer.from(a.buffer, a.byteOffset, a.length).equals(Buffer.from(b.buffer, b.byteOffset, b.length));
}

function binOf(diff: number): number {
  const bin = BIN_UPPER.findIndex((upper) => diff <= upper);
  return bin < 0 ? BINS - 1 : bin;
}

function total(values: Float64Array): number {
  return values.reduce((sum, v) => sum + v, 0);
}

/** 10 log10(signal / noise); null without a signal. */
function decibels(signal: number, noise: number): number | null {
  return signal === 0 || noise === 0 ? null : 10 * Math.log10(signal / noise);
}
