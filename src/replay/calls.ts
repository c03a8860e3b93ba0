/** The batches of a capture: the runtime's calls. */
import type { ValueReader } from '../nouns/capture.js';
import { largestOf, rangeOfRow, smallestOf } from '../numeric/extremes.js';
import { blocks } from './blocks.js';

/** The first that ends after a sample; ends: one past the last sample of each. */
export function batchOf(ends: readonly number[], sample: number): number {
  let [lo, hi] = [0, ends.length - 1];
  while (lo < hi) {
    const middle = Math.floor((lo + hi) / 2);
    if (sample < ends[middle]) hi = middle;
    else lo = middle + 1;
  }
  return lo;
}

export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** Of what a layer reads whose parameters follow from it. */
export interface BatchRanges {
  batchOf(sample: number): number;
  /** Smallest and largest input of a batch. */
  rangeOf(batch: number): ValueRange;
  readonly batches: number;
  /** The same where rows are counted. */
  sampleOf(sample: number): number;
  rangeOfSample(sample: number): ValueRange;
  /** Of the rows at one place of all samples of a batch: a step of a sequence. */
  rangeOfStep(sample: number, place?: number): ValueRange;
}

/** ends: one past the last sample of each call; places: rows of a sample. */
export async function rangesOf(
  input: ValueReader,
  samples: number,
  ends: readonly number[],
  places: number,
): Promise<BatchRanges> {
  const { features } = input;
  const each = features / places;
  const [least, most] = [new Float64Array(samples).fill(Infinity), new Float64Array(samples).fill(-Infinity)];
  const steps = ends.length * places;
  const [leastOfStep, mostOfStep] = [new Float64Array(steps).fill(Infinity), new Float64Array(steps).fill(-Infinity)];
  for (const [start, end] of blocks(0, samples, features)) {
    const block = await input.read(start, end);
    for (let sample = start, at = 0; sample < end; sample++) {
      const first = batchOf(ends, sample) * places;
      for (let step = first; step < first + places; step++, at += each) {
        const { min, max } = rangeOfRow(block.subarray(at, at + each));
        least[sample] = Math.min(least[sample], min);
        most[sample] = Math.max(most[sample], max);
        leastOfStep[step] = Math.min(leastOfStep[step], min);
        mostOfStep[step] = Math.max(mostOfStep[step], max);
      }
    }
  }
  const ranges = ends.map((end, i): ValueRange => {
    const from = ends[i - 1] ?? 0;
    return { min: smallestOf(least.subarray(from, end)), max: largestOf(most.subarray(from, end)) };
  });
  return {
    batches: ranges.length,
    batchOf: (sample) => batchOf(ends, sample),
    rangeOf: (batch) => ranges[batch],
    sampleOf: (sample) => sample,
    rangeOfSample: (sample) => ({ min: least[sample], max: most[sample] }),
    rangeOfStep: (sample, place = 0) => {
      const step = batchOf(ends, sample) * places + place;
      return { min: leastOfStep[step], max: mostOfStep[step] };
    },
  };
}
