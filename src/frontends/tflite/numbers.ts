/** Small constants that shape an operator: axes, sizes, paddings. */
import { TfliteArray } from '../../load/tflite/array.js';
import type { Tensor, TfliteFile } from '../../load/tflite/model.js';

const MOST_BYTES = 512;

/** Null where they are not integers of the file, or too many to shape anything. */
export async function integersOf({ buffer, path }: TfliteFile, { name, type, data }: Tensor): Promise<number[] | null> {
  if (!data || (type.name !== 'int32' && type.name !== 'int64') || data.length > MOST_BYTES) return null;
  const stored = {
    key: name,
    range: data,
    shape: [(8 * data.length) / type.bits],
    dtype: type.dtype!,
    bits: type.bits,
  };
  return [...(await new TfliteArray(buffer.file, path, stored).read())];
}
