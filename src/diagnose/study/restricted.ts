/** What is made of small scopes again and again: thousands of pairs go around dozens of the same sums and patches. */
import type { NumericArray } from '../../nouns/array.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import { emptyLike } from '../../numeric/array.js';
import { groupOf, groupsOf } from '../../products/groups.js';
import { rowsOf } from './arrays.js';
import type { Scope } from './data.js';

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

/** The channels of a scope; parts are kept, so that equal arrays stay identical and share accumulators. */
export class RestrictedProducts {
  private readonly parts = new WeakMap<object, Map<Scope, NumericArray>>();
  private readonly known = new WeakMap<Product, Map<Scope, Product>>();

  of(params: Product, scope: Scope): Product {
    if (!scope.channels) return params;
    const known = this.known.get(params) ?? new Map<Scope, Product>();
    this.known.set(params, known);
    const own = known.get(scope) ?? this.ofChannels(params, scope, scope.channels);
    known.set(scope, own);
    return own;
  }

  private ofChannels(params: Product, scope: Scope, channels: readonly number[]): Product {
    const pick = <A extends NumericArray>(values: A, width: number): A => {
      let parts = this.parts.get(values);
      if (!parts) {
        parts = new Map();
        this.parts.set(values, parts);
      }
      let part = parts.get(scope);
      if (!part) {
        part = rowsOf(values, channels, width);
        parts.set(scope, part);
      }
      return part as A;
    };
    return {
      ...params,
      outFeatures: channels.length,
      ...(groupsOf(params) > 1 && { groups: channels.length }),
      weight: pick(params.weight, params.inFeatures),
      weightScale: params.weightScale.length > 1 ? pick(params.weightScale, 1) : params.weightScale,
      weightZeroPoint: params.weightZeroPoint.length > 1 ? pick(params.weightZeroPoint, 1) : params.weightZeroPoint,
      bias: params.bias && pick(params.bias, 1),
      biasInt32: params.biasInt32 && pick(params.biasInt32, 1),
      ...(params.biasInt64 && { biasInt64: pick(params.biasInt64, 1) }),
    };
  }
}
