/** How often each difference of bytes comes, by channel: of each value one count, of which all that is told of a channel follows exactly. */
import { type Codes, type Runs, TOLD_OF_A_CHANNEL, type Told } from './codes.js';

/** Numbers of 8 bits, signed or not, and what lies between two of them. */
const LEAST = -128;
const NUMBERS = 384;
const WIDEST = 383;
const DIFFERENCES = 2 * WIDEST + 1;
/** Tables of more leave the cache. */
const MOST_CHANNELS = 256;
/** Of fewer values a channel going through the tables takes longer. */
const FEWEST_VALUES = 1 << 12;

/** Whether a block is tallied faster than it is counted one by one. */
export function isWorthTally(expected: Codes, actual: Codes, channels: number): boolean {
  if (channels > MOST_CHANNELS || expected.length < channels * FEWEST_VALUES) return false;
  return areBytes(expected) && areBytes(actual);
}

function areBytes(codes: Codes): boolean {
  if (!(codes instanceof Int32Array)) return true;
  for (let i = 0; i < codes.length; i++) if (codes[i] < LEAST || codes[i] >= LEAST + NUMBERS) return false;
  return true;
}

export class Tally {
  private readonly differences: Int32Array;
  private readonly numbers: Int32Array;

  constructor(private readonly channels: number) {
    this.differences = new Int32Array(channels * DIFFERENCES);
    this.numbers = new Int32Array(channels * NUMBERS);
  }

  /** before: differences of each channel so far; counted on only as long as they are told. */
  add(expected: Codes, actual: Codes, { firstSample, stride, positions }: Runs, before: Int32Array, told: Told): void {
    const { differences, numbers, channels } = this;
    const { marks } = told;
    let [sample, channel, position] = [firstSample, 0, 0];
    let [lastTold, most] = [-1, TOLD_OF_A_CHANNEL];
    for (let start = 0; start < expected.length; start += stride) {
      const ofNumber = channel * NUMBERS - LEAST;
      const ofDifference = channel * DIFFERENCES + WIDEST;
      for (let i = start; i < start + stride; i++) {
        const value = expected[i];
        numbers[ofNumber + value]++;
        const diff = actual[i] - value;
        if (diff === 0) continue;
        differences[ofDifference + diff]++;
        if (marks) marks[position + i - start] = 1;
        const had = before[channel];
        if (had >= most && sample === lastTold) continue;
        before[channel] = had + 1;
        most = told.tell(i, sample, channel, position + i - start, had);
        lastTold = sample;
      }
      if (++channel < channels) continue;
      channel = 0;
      position += stride;
      if (position < positions) continue;
      position = 0;
      sample++;
    }
  }

  /** Differences of a channel, each with how often it came. */
  eachDifference(channel: number, count: (diff: number, times: number) => void): void {
    for (let diff = -WIDEST; diff <= WIDEST; diff++) {
      const times = this.differences[channel * DIFFERENCES + WIDEST + diff];
      if (times > 0) count(diff, times);
    }
  }

  /** Of the expected numbers of a channel, the sum of squares. */
  signal(channel: number, zeroPoint: number): number {
    let sum = 0;
    for (let i = 0; i < NUMBERS; i++) {
      const value = LEAST + i - zeroPoint;
      sum += this.numbers[channel * NUMBERS + i] * value * value;
    }
    return sum;
  }
}
