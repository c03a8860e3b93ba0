import type { NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import type { Constant } from '../nouns/model.js';
import { emptyLike } from '../numeric/array.js';
import { sizeOf } from '../tensor/shape.js';

/** Its samples, over and over. */
export function constantReader({ dims, read }: Constant): ValueReader {
  const features = sizeOf(dims);
  let numbers: Promise<NumericArray> | null = null;
  return {
    features,
    async read(from, to) {
      numbers ??= read();
      const own = await numbers;
      const repeated = emptyLike(own, (to - from) * features);
      for (let i = 0; i < repeated.length; i++) repeated[i] = own[(from * features + i) % own.length];
      return repeated;
    },
  };
}
