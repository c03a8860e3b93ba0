/**
 * Memory of results that nobody reads any more: the first touch of a page that is new to a process takes as long as filling it, and all
 * 50 MB that are made a collection of some 8 ms.
 */
import type { NumericArray } from '../nouns/array.js';
import type { Bytes } from './array.js';

/** Smaller ones are made in no time. */
const LEAST = 1 << 16;
const MOST_KEPT = 64 << 20;

/** By size. */
const kept: ArrayBuffer[] = [];
const lent = new WeakSet<ArrayBufferLike>();

/** Of the type of `like`; contents are arbitrary. */
export function roomFor<A extends Bytes>(like: A, length: number): A {
  const Type = like.constructor as new (from: number | ArrayBuffer, at?: number, length?: number) => A;
  if (length < LEAST) return new Type(length);
  const found = kept.findIndex(({ byteLength }) => byteLength >= length);
  const [buffer] = found < 0 ? [new ArrayBuffer(length)] : kept.splice(found, 1);
  lent.add(buffer);
  return new Type(buffer, 0, length);
}

/** What `roomFor` gave, and nobody else has; of anything else nothing happens. */
export function giveBack({ buffer }: NumericArray): void {
  if (!lent.delete(buffer)) return;
  kept.push(buffer as ArrayBuffer);
  kept.sort((a, b) => a.byteLength - b.byteLength);
  let bytes = kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
  while (bytes > MOST_KEPT) bytes -= kept.shift()!.byteLength;
}
