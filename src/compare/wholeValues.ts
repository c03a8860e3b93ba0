/** Values that are in memory as a whole, and the class that each row of one answers. */
import type { NumericArray } from '../nouns/array.js';
import type { Capture, CapturedValue } from '../nouns/capture.js';
import type { Layer, Model } from '../nouns/model.js';
import type { Shape } from '../nouns/value.js';
import { blocks } from '../replay/blocks.js';
import { channelsOf, positionsOf } from '../tensor/shape.js';

export function wholeReader(data: NumericArray, shape: Shape, samples: number): CapturedValue {
  const features = data.length / samples;
  const read = async (from: number, to: number) => data.subarray(from * features, to * features);
  return { samples, features, shape, dtype: data instanceof Float32Array ? 'float32' : 'int32', read };
}

/** The last value that both sides have, where it is one number a class; null: the output is no classification. */
export function classification({ layers }: Model, capture: Capture, candidate: Capture | null): Layer | null {
  const sides = candidate ? [capture, candidate] : [capture];
  const last = layers.findLast(({ name }) => sides.some(({ values }) => values.has(name)));
  const found = sides.map(({ values }) => last && values.get(last.name));
  const isClasses = found.every((value) => value && channelsOf(value.shape) > 1 && positionsOf(value.shape) === 1);
  return last && isClasses ? last : null;
}

/** numpy's argmax: the first of equals. */
export function largestChannels(values: NumericArray, features: number): Int32Array {
  const largest = new Int32Array(values.length / features);
  for (let row = 0; row < largest.length; row++) {
    const start = row * features;
    let most = values[start];
    for (let channel = 1; channel < features; channel++) {
      if (!(values[start + channel] > most)) continue;
      most = values[start + channel];
      largest[row] = channel;
    }
  }
  return largest;
}

/** The class that each sample of a value answers. */
export async function classesOf(value: CapturedValue, samples: number): Promise<Int32Array> {
  const classes = new Int32Array(samples);
  for (const [from, to] of blocks(0, samples, value.features)) {
    classes.set(largestChannels(await value.read(from, to), value.features), from);
  }
  return classes;
}
