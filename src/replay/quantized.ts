/** Many floats to codes: by the numbers at which each code begins, found once. */
import type { NumericArray } from '../nouns/array.js';
import type { QuantParams } from '../nouns/value.js';
import type { Bytes } from '../numeric/array.js';
import { float32Beside, float32Ordinal } from '../numeric/float.js';

/** Values from which 255 bisections of some 30 steps pay. */
const WORTH_BOUNDS = 1 << 16;
const MOST_CODES = 256;
/** In steps of the scale: within, a quantize step neither overflows nor wraps, so that it keeps the order of numbers. */
const REACH = 2 ** 22;

/** Codes as `write` gives them, which keeps order within REACH; null where that does not pay. */
export function quantizedMany(
  values: NumericArray,
  write: (real: number) => number,
  { dtype, scale, zeroPoint, quantMin, quantMax }: QuantParams,
): Int32Array | Bytes | null {
  const count = quantMax - quantMin + 1;
  const reach = Math.fround(REACH * scale);
  const isWorth = values instanceof Float32Array && values.length >= WORTH_BOUNDS && count <= MOST_CODES;
  if (!isWorth || !(reach > 0 && reach < Number.POSITIVE_INFINITY)) return null;
  if (write(-reach) < quantMin || write(reach) > quantMax) return null;
  const begins = Float64Array.from({ length: count + 1 }, (_, i) =>
    i === 0 ? Number.NEGATIVE_INFINITY : i === count ? Number.POSITIVE_INFINITY : begin(write, quantMin + i, reach),
  );
  const Codes = dtype === 'uint8' ? Uint8Array : dtype === 'int8' ? Int8Array : Int32Array;
  const codes = new Codes(values.length);
  const [perStep, first] = [1 / scale, zeroPoint - quantMin + 0.5];
  for (let i = 0; i < codes.length; i++) {
    const value = values[i];
    if (!(value > -reach && value < reach)) {
      const code = write(value);
      codes[i] = code;
      if (codes[i] !== code) return null;
      continue;
    }
    let at = Math.max(0, Math.min(value * perStep + first, count - 1)) | 0;
    while (value < begins[at]) at--;
    while (value >= begins[at + 1]) at++;
    codes[i] = at + quantMin;
  }
  return codes;
}

/** The smallest float32 within reach whose code is no less; infinite: none. */
function begin(write: (real: number) => number, code: number, reach: number): number {
  let [below, from] = [-float32Ordinal(reach) - 1, float32Ordinal(reach) + 1];
  const most = from;
  while (from - below > 1) {
    const middle = Math.floor((below + from) / 2);
    if (write(float32Beside(0, middle)) >= code) from = middle;
    else below = middle;
  }
  return from === most ? Number.POSITIVE_INFINITY : float32Beside(0, from);
}
