/** Several codes a byte, the first in the lowest bits: int4, uint4, int2 and uint2, as codes of 8 bits. */
import type { ArraySource } from '../../nouns/array.js';
import { strideOf } from '../../tensor/shape.js';
import type { ByteSource } from '../bytes.js';

export interface Packing {
  readonly bits: number;
  readonly isSigned: boolean;
}

/** Rows may begin inside of a byte. */
export function packedArray(key: string, shape: readonly number[], bytes: ByteSource, packing: Packing): ArraySource {
  const { bits, isSigned } = packing;
  const rowLength = shape.length === 0 ? 1 : strideOf(shape, 0);
  return {
    key,
    dtype: isSigned ? 'int8' : 'uint8',
    shape,
    async read(fromRow = 0, toRow = shape[0] ?? 1) {
      const [from, to] = [fromRow * rowLength, toRow * rowLength];
      const [first, end] = [Math.floor((from * bits) / 8), Math.ceil((to * bits) / 8)];
      const part = new Uint8Array(end - first);
      await bytes.read(part, first);
      return unpacked(part, from - (first * 8) / bits, to - from, packing);
    },
  };
}

export function unpacked(bytes: Uint8Array, from: number, count: number, { bits, isSigned }: Packing) {
  const [each, mask, half] = [8 / bits, (1 << bits) - 1, 1 << (bits - 1)];
  const codes = isSigned ? new Int8Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = from + i;
    const code = (bytes[Math.floor(at / each)] >> (bits * (at % each))) & mask;
    codes[i] = isSigned ? (code ^ half) - half : code;
  }
  return codes;
}
