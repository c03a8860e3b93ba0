/** What is made of small scopes again and again: thousands of pairs go around dozens of the same sums and patches. */
import type { Codes, Product } from '../../nouns/kernel.js';
import { emptyLike } from '../../numeric/array.js';
import { groupOf } from '../../products/groups.js';

/** Values that are kept in any case. */
const KEPT_ANYWAY = 2 ** 18;

/** How many arrays of a length are kept, at most `most` of long ones. */
export function mostOf(most: number, length: number): number {
  return Math.max(most, Math.floor(KEPT_ANYWAY / Math.max(1, length)));
}

interface Restricted {
  readonly channels: readonly number[];
  readonly inFeatures: number;
  readonly own: Pick<Codes, 'cols' | 'data'>;
}

const restricted = new WeakMap<object, Restricted>();

/** For each of some channels the codes of its group, side by side. */
export function codesOfChannels(codes: Codes, params: Product, channels: readonly number[]): Codes {
  const { inFeatures } = params;
  const known = restricted.get(codes.data);
  if (known?.channels === channels && known.inFeatures === inFeatures) return { ...codes, ...known.own };
  const data = emptyLike(codes.data, codes.rows * channels.length * inFeatures);
  channels.forEach((channel, i) => {
    const from = groupOf(params, channel) * inFeatures;
    for (let row = 0; row < codes.rows; row++) {
      const own = codes.data.subarray(row * codes.cols + from, row * codes.cols + from + inFeatures);
      data.set(own, (row * channels.length + i) * inFeatures);
    }
  });
  const own = { cols: channels.length * inFeatures, data };
  restricted.set(codes.data, { channels, inFeatures, own });
  return { ...codes, ...own };
}
