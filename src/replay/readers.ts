/** Readers of values that are no file's. */
import type { NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import { isQuantized, type ValueParams } from '../nouns/value.js';
import { emptyLike } from '../numeric/array.js';

/** Of values in memory. */
export function readerOf(kept: NumericArray, features: number): ValueReader {
  return { features, read: async (from, to) => kept.subarray(from * features, to * features) };
}

/** For values of these parameters. */
export function storageFor(output: ValueParams | null, length: number): NumericArray {
  if (!output || !isQuantized(output)) return new Float32Array(length);
  if (output.dtype === 'uint8') return new Uint8Array(length);
  return output.dtype === 'int8' ? new Int8Array(length) : new Int32Array(length);
}

/** Each row with its values from other places: as many as there are places; fill: where there is none (-1). */
export function takenFrom(reader: ValueReader, places: Int32Array, fill = 0): ValueReader {
  const [own, features] = [reader.features, places.length];
  const read = async (from: number, to: number) => {
    const data = await reader.read(from, to);
    const moved = emptyLike(data, (to - from) * features);
    for (let row = 0, at = 0; row < to - from; row++)
      for (let i = 0; i < features; i++, at++) moved[at] = places[i] < 0 ? fill : data[row * own + places[i]];
    return moved;
  };
  return { features, read };
}
