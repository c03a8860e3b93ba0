/** Small constants that shape an operator: axes, sizes, paddings. */
import { TfliteArray } from '../../load/tflite/array.js';
import type { Tensor, TfliteFile } from '../../load/tflite/model.js';

/** Null where they are not integers of the file, or more than `most`. */
export async function integersOf(
  { buffer, path }: TfliteFile,
  { name, type, data }: Tensor,
  most = 64,
): Promise<number[] | null> {
  if (!data || (type.name !== 'int32' && type.name !== 'int64') || data.length > most * 8) return null;
  const stored = {
    key: name,
    range: data,
    shape: [(8 * data.length) / type.bits],
    dtype: type.dtype!,
    bits: type.bits,
  };
  return [...(await new TfliteArray(buffer.file, path, stored).read())];
}
