/** Codes in another order of their axes: sixteen rows and columns at a time. */
import type { Bytes } from '../numeric/array.js';
import { roomFor } from '../numeric/room.js';
import { copyCodes } from './finish.js';
import type { Machine } from './job.js';

/** Bytes in shared memory at a time, where a matrix is no larger: they stay in the second-level cache. */
const BYTES_AT_ONCE = 1 << 18;

/** [..., outer, inner] to [..., inner, outer]. */
export function transposedBytes<A extends Bytes>(machine: Machine, codes: A, outer: number, inner: number): A {
  const size = outer * inner;
  const result = roomFor(codes, codes.length);
  const most = size * Math.max(1, Math.floor(BYTES_AT_ONCE / size));
  machine.reset();
  const [source, target] = [machine.allocate(most + 8 * inner), machine.allocate(most)];
  for (let from = 0; from < codes.length; from += most) {
    const part = codes.subarray(from, from + most);
    machine.put(part, source);
    for (let at = 0; at < part.length; at += size) machine.transpose(source + at, target + at, outer, inner);
    copyCodes(machine, target, result.subarray(from, from + part.length));
  }
  return result;
}
