/** The largest codes of windows: sixteen channels of a place side by side, image by image. */
import type { ImageCodes, WindowPlaces } from '../nouns/kernel.js';
import type { Bytes } from '../numeric/array.js';
import { roomFor } from '../numeric/room.js';
import { copyCodes } from './finish.js';
import type { Machine } from './job.js';

/** Bytes of an image in shared memory. */
const LARGEST_IMAGE = 1 << 26;

export function largestBytes<A extends Bytes>(
  machine: Machine,
  { codes, channels, places, inPlanes }: ImageCodes<A>,
  { list, ends }: WindowPlaces,
  least: number,
): A | null {
  const [size, made] = [channels * places, channels * ends.length];
  if (Math.max(size, made) > LARGEST_IMAGE) return null;
  const result = roomFor(codes, (codes.length / size) * made);
  machine.reset();
  const windows = { list: machine.place(list), ends: machine.place(ends), count: ends.length };
  const [source, rows] = [machine.allocate(size + 8 * places), machine.allocate(size)];
  const [found, target] = [machine.allocate(made + 8 * channels), machine.allocate(made)];
  for (let from = 0, to = 0; from < codes.length; from += size, to += made) {
    machine.put(codes.subarray(from, from + size), source);
    if (inPlanes) machine.transpose(source, rows, channels, places);
    machine.largest(inPlanes ? rows : source, found, windows, channels, codes instanceof Int8Array, least);
    if (inPlanes) machine.transpose(found, target, ends.length, channels);
    copyCodes(machine, inPlanes ? target : found, result.subarray(to, to + made));
  }
  return result;
}
