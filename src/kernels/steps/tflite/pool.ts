/** Pools: in- and output have the same parameters, only cells inside the image count. */
import type { AdaptivePoolAttributes } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { clamp } from '../../../numeric/integer.js';
import { truncate } from '../../../numeric/round.js';
import { adaptiveCovers, type Covers } from '../../../tensor/covers.js';
import { positionDims, sizeOf } from '../../../tensor/shape.js';
import { maxPool } from '../maxPool.js';
import { imageOf, poolCovers } from '../pool.js';
import { tensorSteps } from '../tensor.js';
import { overWindowSums } from '../windowSums.js';
import { BYTES_AND_INT16, clampOf, type Runtime } from './common.js';

/** Of raw codes; the same in every runtime. */
export const averagePoolTflite: TensorSteps = averageOver(poolCovers);

/** One window over all places; converters make others of more places. */
export const globalAveragePoolTflite: TensorSteps = {
  ...averageOver(adaptivePoolCovers),
  lacks: ({ attributes }) =>
    (attributes as AdaptivePoolAttributes).size.every((places) => places === 1) ? null : 'more than one place',
};

export function adaptivePoolCovers(call: TensorCall): Covers {
  return adaptiveCovers(positionDims(imageOf(call).shape), positionDims(call.output.shape));
}

function averageOver(coversOf: (call: TensorCall) => Covers): TensorSteps {
  const run = (call: TensorCall) => {
    const [lo, hi] = clampOf(call, 'reference');
    return overWindowSums(call, coversOf(call), (sum, { inside }) => {
      const count = sizeOf(inside);
      const half = Math.floor(count / 2);
      return clamp(truncate((sum > 0 ? sum + half : sum - half) / count), lo, hi);
    });
  };
  const equation = 'clamp(trunc((sum of q +- n / 2) / n)), n: cells inside the image';
  return { ...tensorSteps(equation, run), codes: BYTES_AND_INT16, keepsScale: true, ofRawCodes: true };
}

export function maxPoolTflite(runtime: Runtime): TensorSteps {
  const run = (call: TensorCall) => {
    const [lo, hi] = clampOf(call, runtime);
    return (maxPool.run({ ...call, activation: 'none' }) as Int32Array).map((code) => clamp(code, lo, hi));
  };
  return { ...tensorSteps('clamp(max of the codes of a window)', run), codes: BYTES_AND_INT16, keepsScale: true };
}
