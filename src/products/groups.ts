/** A grouped product as products of its groups: each its own channels of the input and of the output. */
import type { Codes, Product } from '../nouns/kernel.js';
import { emptyLike } from '../numeric/array.js';

export interface Group {
  readonly product: Product;
  readonly x: Codes;
  /** The first of its output channels. */
  readonly firstChannel: number;
}

export function groupsOf({ groups = 1 }: Product): number {
  return groups;
}

/** Which group an output channel is in. */
export function groupOf(product: Product, channel: number): number {
  return Math.floor(channel / (product.outFeatures / groupsOf(product)));
}

/** The channels of all groups as those of one product, which computes them as each group by itself. */
export function asOneGroup(product: Product): Product {
  const { inFeatures, outFeatures, call } = product;
  const each = { rows: Number.POSITIVE_INFINITY, inFeatures, outFeatures: outFeatures / groupsOf(product) };
  return { ...product, groups: 1, call: call ?? each };
}

/** x: [rows, groups * inFeatures]. */
export function* eachGroup(product: Product, x: Codes): Generator<Group> {
  const groups = groupsOf(product);
  const channels = product.outFeatures / groups;
  for (let group = 0; group < groups; group++) {
    const firstChannel = group * channels;
    const own = groups === 1 ? product : channelsOfProduct(product, firstChannel, firstChannel + channels);
    yield { product: own, x: columnsOfGroup(x, product.inFeatures, group), firstChannel };
  }
}

/** Where the channels of a part of it from `first` on stand in the layer. */
export function partOf({ part, outFeatures }: Product, first: number): NonNullable<Product['part']> {
  return { first: (part?.first ?? 0) + first, of: part?.of ?? outFeatures };
}

/** Output channels [from, to) of a product, which lie in one group. */
export function channelsOfProduct(product: Product, from: number, to: number): Product {
  const { inFeatures, bias, biasInt32, biasInt64, weightScale, weightZeroPoint } = product;
  const own = <A extends Float64Array | Float32Array | Int32Array>(numbers: A) =>
    (numbers.length === product.outFeatures ? numbers.subarray(from, to) : numbers) as A;
  return {
    ...product,
    outFeatures: to - from,
    weight: product.weight.subarray(from * inFeatures, to * inFeatures),
    weightScale: product.perChannel ? own(weightScale) : weightScale,
    weightZeroPoint: product.perChannel ? own(weightZeroPoint) : weightZeroPoint,
    bias: bias && own(bias),
    biasInt32: biasInt32 && own(biasInt32),
    ...(biasInt64 && { biasInt64: own(biasInt64) }),
    part: partOf(product, from),
    groups: 1,
  };
}

/** What the channels of one group read of rows of [groups * inFeatures]. */
export function columnsOfGroup(x: Codes, inFeatures: number, group: number): Codes {
  if (x.cols === inFeatures) return x;
  const data = emptyLike(x.data, x.rows * inFeatures);
  for (let row = 0; row < x.rows; row++) {
    const [from, to] = [row * x.cols + group * inFeatures, row * inFeatures];
    for (let k = 0; k < inFeatures; k++) data[to + k] = x.data[from + k]; // of nine taps a view takes longer than they do
  }
  return { ...x, cols: inFeatures, data };
}
