/** What differs in each channel, counted as it comes. */

import type { ChannelReport } from '../nouns/report.js';
import { int32s } from '../numeric/array.js';
import { type Codes, type Runs, TOLD_OF_A_CHANNEL, type Told } from './codes.js';
import { isWorthTally, Tally } from './tally.js';

/** Upper ends of the histogram's bins; the last bin is open. */
const BIN_UPPER = [-17, -5, -2, -1, 0, 1, 4, 16];
const EQUAL_BIN = BIN_UPPER.indexOf(0);
const BINS = BIN_UPPER.length + 1;
/** Of more channels the first are counted one by one, the others together: 20 million in a file of 40 kB took 7 GB. */
const MOST_CHANNELS = 1 << 17;

/** Where a channel's numbers stand in its record: of many channels each array of its own is another miss of the cache. */
const MISMATCHED = 0;
const MAX_ABS = 1;
const SUM = 2;
/** Of the expected numbers, the sum of squares. */
const SIGNAL = 3;
const NOISE = 4;
/** Of the numbers as they are; of codes these are the steps. */
const MAX_REAL = 5;
const SUM_REAL = 6;
const FIRST_BIN = 7;
const RECORD = FIRST_BIN + BINS;

export class ChannelCounts {
  /** 1 of each channel that differs, whichever are counted by themselves. */
  readonly differing: Uint8Array;
  private readonly records: Float64Array;

  constructor(
    private readonly channels: number,
    private readonly isFloat: boolean,
  ) {
    this.differing = new Uint8Array(channels);
    // one more for all others
    this.records = new Float64Array(Math.min(channels, MOST_CHANNELS + 1) * RECORD);
  }

  get mismatched(): number {
    return this.total(MISMATCHED);
  }

  get maxAbs(): number {
    return this.largest(MAX_ABS);
  }

  get maxReal(): number {
    const most = this.largest(MAX_REAL);
    return this.isFloat ? most : Math.max(most, this.maxAbs);
  }

  get sum(): number {
    return this.total(SUM);
  }

  get sumReal(): number {
    return this.total(this.isFloat ? SUM_REAL : SUM);
  }

  get signal(): number {
    return this.total(SIGNAL);
  }

  get noise(): number {
    return this.total(NOISE);
  }

  signalOf(channel: number): number {
    return this.records[recordOf(channel) + SIGNAL];
  }

  setSignal(channel: number, signal: number): void {
    this.records[recordOf(channel) + SIGNAL] = signal;
  }

  /** One difference. diff: in steps or ULPs; noise: of the numbers. Returns how many differed before. */
  add(channel: number, diff: number, noise: number): number {
    const { records } = this;
    const at = recordOf(channel);
    const size = Math.abs(diff);
    this.differing[channel] = 1;
    if (size > records[at + MAX_ABS]) records[at + MAX_ABS] = size;
    records[at + FIRST_BIN + binOf(diff)]++;
    const real = Number.isNaN(noise) ? Number.POSITIVE_INFINITY : Math.abs(noise);
    if (real > records[at + MAX_REAL]) records[at + MAX_REAL] = real;
    // the mean is that of numbers
    if (Number.isFinite(noise)) {
      records[at + SUM] += diff;
      records[at + SUM_REAL] += noise;
      records[at + NOISE] += noise * noise;
    }
    return records[at + MISMATCHED]++;
  }

  /** A block of codes. Returns how many are beyond tolerance. */
  addCodes(expected: Codes, actual: Codes, runs: Runs, told: Told): number {
    const { channels } = this;
    const { stride, positions } = runs;
    if (isWorthTally(expected, actual, channels)) {
      const tally = new Tally(channels);
      tally.add(expected, actual, runs, this.before(0, channels), told);
      return this.fold(tally, 0, channels, runs);
    }
    const together = channels - MOST_CHANNELS;
    if (together > 0 && stride === 1 && positions === 1 && isWorthTally(expected, actual, 1))
      return this.addRows(expected, actual, together, runs, told);
    return this.addEach(expected, actual, channels, runs, told);
  }

  /** Rows of so many channels that those at the end are counted together. */
  private addRows(expected: Codes, actual: Codes, together: number, runs: Runs, { tell }: Told): number {
    const { channels } = this;
    const tally = new Tally(1);
    const before = this.before(MOST_CHANNELS, 1);
    let beyond = 0;
    for (let start = 0, firstSample = runs.firstSample; start < expected.length; start += channels, firstSample++) {
      const middle = start + MOST_CHANNELS;
      const [first, last] = [expected, actual].map((codes) => codes.subarray(start, middle));
      beyond += this.addEach(
        first,
        last,
        MOST_CHANNELS,
        { ...runs, firstSample },
        {
          marks: null,
          tell: (i, ...place) => tell(start + i, ...place),
        },
      );
      const [wanted, own] = [expected, actual].map((codes) => codes.subarray(middle, start + channels));
      tally.add(wanted, own, { ...runs, firstSample, stride: together, positions: together }, before, {
        marks: this.differing.subarray(MOST_CHANNELS),
        tell: (i, sample, _, place, had) => tell(middle + i, sample, MOST_CHANNELS + place, 0, had),
      });
    }
    return beyond + this.fold(tally, MOST_CHANNELS, 1, runs);
  }

  private before(from: number, channels: number): Int32Array {
    return int32s({ length: channels }, (_, i) => this.records[recordOf(from + i) + MISMATCHED]);
  }

  /** What was tallied of channels. Returns how many are beyond tolerance. */
  private fold(tally: Tally, from: number, channels: number, { zeroPoint, tolerance }: Runs): number {
    const { records } = this;
    let beyond = 0;
    for (let channel = 0; channel < channels; channel++) {
      const at = recordOf(from + channel);
      records[at + SIGNAL] += tally.signal(channel, zeroPoint);
      tally.eachDifference(channel, (diff, times) => {
        const size = Math.abs(diff);
        records[at + MISMATCHED] += times;
        records[at + MAX_ABS] = Math.max(records[at + MAX_ABS], size);
        records[at + SUM] += diff * times;
        records[at + NOISE] += diff * diff * times;
        records[at + FIRST_BIN + binOf(diff)] += times;
        if (from === 0) this.differing[channel] = 1;
        if (size > tolerance) beyond += times;
      });
    }
    return beyond;
  }

  private addEach(expected: Codes, actual: Codes, channels: number, runs: Runs, { marks, tell }: Told): number {
    const { records, differing } = this;
    const { stride, positions, zeroPoint, tolerance } = runs;
    let [sample, channel, position] = [runs.firstSample, 0, 0];
    let [beyond, lastTold, most] = [0, -1, TOLD_OF_A_CHANNEL];
    for (let start = 0; start < expected.length; start += stride) {
      const at = recordOf(channel);
      let signal = records[at + SIGNAL];
      for (let i = start; i < start + stride; i++) {
        const value = expected[i];
        signal += (value - zeroPoint) * (value - zeroPoint);
        const diff = actual[i] - value;
        if (diff === 0) continue;
        const size = Math.abs(diff);
        const before = records[at + MISMATCHED]++;
        if (size > records[at + MAX_ABS]) records[at + MAX_ABS] = size;
        records[at + SUM] += diff;
        records[at + NOISE] += diff * diff;
        records[at + FIRST_BIN + BIN_OF[Math.min(Math.max(diff, -WIDEST), WIDEST) + WIDEST]]++;
        differing[channel] = 1;
        if (size > tolerance) beyond++;
        if (marks) marks[position + i - start] = 1;
        if (before >= most && sample === lastTold) continue;
        most = tell(i, sample, channel, position + i - start, before);
        lastTold = sample;
      }
      records[at + SIGNAL] = signal;
      if (++channel < channels) continue;
      channel = 0;
      position += stride;
      if (position < positions) continue;
      position = 0;
      sample++;
    }
    return beyond;
  }

  /** Of the channels that differ; values: of a channel. What is alike in many of them is one array: each layer keeps up to 131,072. */
  reports(values: number): ChannelReport[] {
    const { records, isFloat } = this;
    const reports: ChannelReport[] = [];
    const causes: string[] = [];
    const known = new Map<number, number[]>();
    for (let channel = 0; channel < Math.min(this.channels, MOST_CHANNELS); channel++) {
      const at = channel * RECORD;
      const mismatched = records[at + MISMATCHED];
      if (mismatched === 0) continue;
      records[at + FIRST_BIN + EQUAL_BIN] = values - mismatched;
      const key = keyOf(records, at + FIRST_BIN, values);
      const histogram = known.get(key) ?? Array.from(records.subarray(at + FIRST_BIN, at + RECORD));
      if (key >= 0) known.set(key, histogram);
      reports.push({
        channel,
        mismatched,
        max_abs_diff: records[at + MAX_ABS],
        mean_diff: records[at + SUM] / values,
        ...(isFloat && { max_abs_real: records[at + MAX_REAL], mean_real: records[at + SUM_REAL] / values }),
        histogram,
        causes,
      });
    }
    return reports;
  }

  /** That differ beyond those that are counted one by one. */
  get omitted(): number {
    let count = 0;
    for (let channel = MOST_CHANNELS; channel < this.channels; channel++) count += this.differing[channel];
    return count;
  }

  private total(of: number): number {
    let sum = 0;
    for (let at = of; at < this.records.length; at += RECORD) sum += this.records[at];
    return sum;
  }

  private largest(of: number): number {
    let most = 0;
    for (let at = of; at < this.records.length; at += RECORD) most = Math.max(most, this.records[at]);
    return most;
  }
}

/** A number for the counts of bins, of up to so many values that it is exact; -1: of more. */
function keyOf(records: Float64Array, from: number, values: number): number {
  if (values > 50) return -1;
  let key = 0;
  for (let bin = 0; bin < BINS; bin++) key = key * (values + 1) + records[from + bin];
  return key;
}

function recordOf(channel: number): number {
  return Math.min(channel, MOST_CHANNELS) * RECORD;
}

function binOf(diff: number): number {
  for (let bin = 0; bin < BIN_UPPER.length; bin++) if (diff <= BIN_UPPER[bin]) return bin;
  return BIN_UPPER.length;
}

/** Differences beyond fall into the outermost bins. */
const WIDEST = 18;
const BIN_OF = Uint8Array.from({ length: 2 * WIDEST + 1 }, (_, i) => binOf(i - WIDEST));
