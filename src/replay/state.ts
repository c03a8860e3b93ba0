/** What a runtime keeps from call to call, as a value like any other: a call reads what the one before has left. */
import type { NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import type { StateForm } from '../nouns/model.js';
import { emptyLike } from '../numeric/array.js';
import { sizeOf } from '../tensor/shape.js';
import { batchOf } from './calls.js';

/** assigned: what is left for the next call; null: nothing ever is. ends: one past the last sample of each call. */
export function stateReader(
  { dims, initial }: StateForm,
  assigned: ValueReader | null,
  ends: readonly number[],
): ValueReader {
  const features = sizeOf(dims);
  let first: Promise<NumericArray> | null = null;
  return {
    features,
    async read(from, to) {
      first ??= initial();
      const own = await first;
      const data = emptyLike(own, (to - from) * features);
      for (let sample = from; sample < to; sample++) {
        const call = assigned ? batchOf(ends, sample) : 0;
        const start = call > 0 ? ends[call - 1] : 0;
        const at = (sample - from) * features;
        if (call === 0) data.set(samplesOf(own, features, sample - start), at);
        else {
          const before = sample - start + (ends[call - 2] ?? 0);
          data.set(await assigned!.read(before, before + 1), at);
        }
      }
      return data;
    },
  };
}

function samplesOf(numbers: NumericArray, features: number, sample: number): NumericArray {
  const start = (sample * features) % numbers.length;
  return numbers.subarray(start, start + features);
}
