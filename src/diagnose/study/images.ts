/** Whole inputs of a convolution, for hypotheses that take its patches otherwise than declared. */
import type { NumericArray } from '../../nouns/array.js';
import { concat, emptyLike } from '../../numeric/array.js';
import { HOLE } from '../../tensor/patches.js';
import { inBits } from '../../tensor/rows.js';
import type { PatchReading } from '../setup.js';
import type { Range } from './arrays.js';
import type { ImageRows, Images } from './data.js';

/** Values of images in memory: 16 MB of codes. */
const MOST_IMAGE_VALUES = 1.6e7;

/** How many images a scope may have. */
export function mostImages({ width }: ImageRows): number {
  return Math.max(2, Math.floor(MOST_IMAGE_VALUES / width));
}

/** Those of the last rows: blocks of one image come one after the other. */
const latest = new WeakMap<ImageRows, { readonly distinct: string; readonly data: NumericArray }>();

/** The images of some rows, in whose order they are given; runs: of neighbours among them. */
export async function readImages(images: ImageRows, length: number, runs: readonly Range[]): Promise<Images> {
  const { width, positions, channels } = images;
  const place = new Map<number, number>();
  const of = new Int32Array(length);
  let at = 0;
  for (const [from, to] of runs) {
    for (let row = from; row < to; ) {
      const image = Math.floor(row / positions);
      const end = Math.min(to, (image + 1) * positions);
      if (!place.has(image)) place.set(image, place.size);
      of.fill(place.get(image)!, at, at + end - row);
      at += end - row;
      row = end;
    }
  }
  const distinct = [...place.keys()];
  const known = latest.get(images);
  if (known?.distinct === distinct.join()) return { data: known.data, of, width, positions, channels };
  const parts = [];
  for (const image of distinct) parts.push(await images.read(image, image + 1));
  const data = concat(parts, distinct.length * width);
  latest.set(images, { distinct: distinct.join(), data });
  return { data, of, width, positions, channels };
}

/** Patches of rows as a reading takes them, [rows, groups * taps * channels of a group]; fill: what padding holds. */
export function patchesOf(images: Images, rows: readonly number[], reading: PatchReading, fill: number): NumericArray {
  const { taps } = reading.taps;
  const { channels, groups, moved, holds } = reading;
  const each = channels.length / groups;
  const length = rows.length * taps * channels.length;
  // padding may be told by what is no code
  const data = fill < 2 ** 15 || Number.isNaN(fill) ? emptyLike(images.data, length) : new Int32Array(length);
  data.fill(fill);
  const isSame = data.constructor === images.data.constructor;
  const [target, source] = isSame ? [inBits(data), inBits(images.data)] : [data, images.data];
  for (let r = 0, at = 0; r < rows.length; r++) {
    const image = images.of[r] * images.width;
    const position = rows[r] % images.positions;
    const places = reading.taps.at(position);
    for (let first = 0; first < channels.length; first += each) {
      for (let tap = 0; tap < taps; tap++, at += each) {
        if (places[tap] === HOLE) {
          if (holds) data.fill(holds(position, tap), at, at + each);
          continue;
        }
        const start = places[tap] * images.channels;
        for (let c = 0; c < each; c++) {
          const cell = start + channels[first + c];
          target[at + c] = source[image + (moved ? moved(cell) : cell)];
        }
      }
    }
  }
  return data;
}
