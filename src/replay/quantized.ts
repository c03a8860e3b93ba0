/** Many floats to codes: by the numbers at which each code begins, found once. */
import { reachOf } from '../kernels/steps/call.js';
import type { NumericArray } from '../nouns/array.js';
import type { Fast } from '../nouns/kernel.js';
import type { QuantParams } from '../nouns/value.js';
import { type Bytes, isBytes } from '../numeric/array.js';
import { climbed, ladderOf } from '../numeric/ladder.js';

/** Values from which 255 bisections of some 30 steps pay. */
const WORTH_BOUNDS = 1 << 16;
const MOST_CODES = 256;

/** Codes as `write` gives them, which keeps their order within reach; null where that does not pay. */
export function quantizedMany(
  values: NumericArray,
  write: (real: number) => number,
  params: QuantParams,
  fast: Fast = null,
): Int32Array | Bytes | null {
  const { dtype, quantMin, quantMax } = params;
  const reach = reachOf(params);
  const isWorth = values instanceof Float32Array && values.length >= WORTH_BOUNDS && quantMax - quantMin < MOST_CODES;
  if (!isWorth || !(reach > 0 && reach < Number.POSITIVE_INFINITY)) return null;
  const ladder = ladderOf('float32', write, -reach, reach);
  if (!ladder || write(-reach) < quantMin || write(reach) > quantMax) return null;
  const Codes = dtype === 'uint8' ? Uint8Array : dtype === 'int8' ? Int8Array : Int32Array;
  const codes = new Codes(values.length);
  const made = isBytes(codes) && fast?.climbed(values, { ladder, reach, code: write }, codes);
  if (made) return made;
  for (let i = 0; i < codes.length; i++) {
    const value = values[i];
    codes[i] = Math.abs(value) < reach ? climbed(ladder, value) : write(value);
  }
  return codes;
}
