/** Rows and columns at the edges of an image that hold one value, all that differs among them: written by nobody. */
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import type { BorderRegion } from '../setup.js';
import type { ProductStudy } from '../study/study.js';

/** Fewer values, of the replay, say nothing of a border. */
const FEWEST = 4;

export interface Border {
  readonly region: BorderRegion;
  /** Held by every channel, or one a channel. */
  readonly values: readonly number[];
}

/** Null: what differs lies inside too, or a border holds several values. */
export function constantBorder(study: ProductStudy): Border | null {
  const { channels, subset, data } = study;
  const { patch } = study.declared.params;
  if (!patch || !data.images || sizeOf(patch.output) < 2) return null;
  const dims = patch.output;
  const { samples, observed } = subset;
  const first = study.differing.indexOf(1);
  if (first < 0) return null;
  const row = Math.floor(first / channels) * channels;
  const values = Array.from({ length: channels }, (_, n) => observed[row + n]);
  const places = samples.map((sample) => sample % sizeOf(dims));
  const isConstant = (r: number) => values.every((value, n) => observed[r * channels + n] === value);
  // by axis and index: whether some place there holds something else
  const others = dims.map((size) => new Uint8Array(size));
  const missed: number[][] = [];
  const indices = new Map<number, readonly number[]>();
  samples.forEach((_, r) => {
    const at = indices.get(places[r]) ?? indicesOf(places[r], dims);
    indices.set(places[r], at);
    if (!isConstant(r)) for (const [axis, index] of at.entries()) others[axis][index] = 1;
    if (study.differing.subarray(r * channels, (r + 1) * channels).some(Boolean)) missed.push([r, ...at]);
  });
  const inside = others.map((own) => [own.indexOf(1), own.lastIndexOf(1) + 1] as const);
  if (inside.some(([from]) => from < 0)) return null;
  const isInside = ([, ...at]: readonly number[]) =>
    at.every((index, axis) => index >= inside[axis][0] && index < inside[axis][1]);
  if (missed.some(isInside)) return null;
  const replayed = study.values(study.declared);
  const seen = new Set(missed.flatMap(([r]) => [...replayed.subarray(r * channels, (r + 1) * channels)]));
  return seen.size < FEWEST ? null : { region: { inside, dims }, values };
}
