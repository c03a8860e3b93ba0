/** What differs in each channel, counted as it comes. */
import type { ChannelReport } from '../nouns/report.js';

/** Upper ends of the histogram's bins; the last bin is open. */
const BIN_UPPER = [-17, -5, -2, -1, 0, 1, 4, 16];
const EQUAL_BIN = BIN_UPPER.indexOf(0);
const BINS = BIN_UPPER.length + 1;
/** Of more channels the first are counted one by one, the others together: 20 million in a file of 40 kB took 7 GB. */
const MOST_CHANNELS = 1 << 18;

export class ChannelCounts {
  /** 1 of each channel that differs, whichever are counted by themselves. */
  readonly differing: Uint8Array;
  readonly mismatched: Float64Array;
  readonly maxAbs: Float64Array;
  readonly sum: Float64Array;
  /** Of the numbers as they are. */
  readonly maxReal: Float64Array;
  readonly sumReal: Float64Array;
  readonly noise: Float64Array;
  /** Of the expected numbers, the sum of squares. */
  readonly signal: Float64Array;
  private readonly bins: Float64Array;

  constructor(private readonly channels: number) {
    this.differing = new Uint8Array(channels);
    // one more for all others
    const counted = Math.min(channels, MOST_CHANNELS + 1);
    const counts = () => new Float64Array(counted);
    this.mismatched = counts();
    this.maxAbs = counts();
    this.sum = counts();
    this.maxReal = counts();
    this.sumReal = counts();
    this.noise = counts();
    this.signal = counts();
    this.bins = new Float64Array(counted * BINS);
  }

  /** Where a channel is counted. */
  placeOf(channel: number): number {
    return Math.min(channel, MOST_CHANNELS);
  }

  /** diff: in steps or ULPs; noise: of the numbers. Returns how many differed before. */
  add(channel: number, diff: number, noise: number): number {
    const at = this.placeOf(channel);
    const size = Math.abs(diff);
    this.differing[channel] = 1;
    if (size > this.maxAbs[at]) this.maxAbs[at] = size;
    this.bins[at * BINS + binOf(diff)]++;
    const real = Number.isNaN(noise) ? Number.POSITIVE_INFINITY : Math.abs(noise);
    if (real > this.maxReal[at]) this.maxReal[at] = real;
    // the mean is that of numbers
    if (Number.isFinite(noise)) {
      this.sum[at] += diff;
      this.sumReal[at] += noise;
      this.noise[at] += noise * noise;
    }
    return this.mismatched[at]++;
  }

  /** Of the channels that differ; values: of a channel. */
  reports(values: number, isFloat: boolean): ChannelReport[] {
    const reports: ChannelReport[] = [];
    for (let channel = 0; channel < Math.min(this.channels, MOST_CHANNELS); channel++) {
      if (this.mismatched[channel] === 0) continue;
      const histogram = [...this.bins.subarray(channel * BINS, (channel + 1) * BINS)];
      histogram[EQUAL_BIN] = values - this.mismatched[channel];
      reports.push({
        channel,
        mismatched: this.mismatched[channel],
        max_abs_diff: this.maxAbs[channel],
        mean_diff: this.sum[channel] / values,
        ...(isFloat && { max_abs_real: this.maxReal[channel], mean_real: this.sumReal[channel] / values }),
        histogram,
        causes: [],
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
}

function binOf(diff: number): number {
  for (let bin = 0; bin < BIN_UPPER.length; bin++) if (diff <= BIN_UPPER[bin]) return bin;
  return BIN_UPPER.length;
}
