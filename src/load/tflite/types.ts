/** What a tensor of a .tflite holds, by the schema's numbers. */
import type { StoredDtype } from '../../nouns/array.js';

export interface TensorType {
  readonly name: string;
  /** Of one element; 0: no numbers of a fixed width. */
  readonly bits: number;
  /** As an array has it; null: not read. */
  readonly dtype: StoredDtype | null;
}

const type = (name: string, bits: number, dtype: StoredDtype | null = null): TensorType => ({ name, bits, dtype });

const FLOAT32 = type('float32', 32, 'float32');

const TYPES: readonly TensorType[] = [
  FLOAT32,
  type('float16', 16, 'float16'),
  type('int32', 32, 'int32'),
  type('uint8', 8, 'uint8'),
  type('int64', 64, 'int64'),
  type('string', 0),
  type('bool', 8, 'bool'),
  type('int16', 16, 'int16'),
  type('complex64', 64),
  type('int8', 8, 'int8'),
  type('float64', 64, 'float64'),
  type('complex128', 128),
  type('uint64', 64, 'uint64'),
  type('resource', 0),
  type('variant', 0),
  type('uint32', 32, 'uint32'),
  type('uint16', 16, 'uint16'),
  type('int4', 4, 'int8'), // two a byte, the first in the low nibble; read as codes of their own
  type('bfloat16', 16),
  type('int2', 2),
  type('uint4', 4),
];

/** Null: a type that this version does not know. */
export function tensorType(code: number): TensorType | null {
  return TYPES[code] ?? null;
}
