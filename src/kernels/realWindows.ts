/** Pools and means in real numbers. */
import type { AveragePoolAttributes, ReduceAttributes } from '../nouns/attributes.js';
import type { TensorCall } from '../nouns/kernel.js';
import { floor } from '../numeric/round.js';
import { axesOf, checkedAxes } from '../tensor/axes.js';
import { adaptiveCovers, type Cover, type Covers } from '../tensor/covers.js';
import { reducedAxes } from '../tensor/reduced.js';
import { channelsOf, placeOf, positionDims, positionsOf, sizeOf } from '../tensor/shape.js';
import { type Line, type RealForm, type RealValue, realOf } from './realForm.js';
import { imageOf, poolCovers } from './steps/pool.js';

/** What is taken of the values of a window: one after the other, and of what has come together. */
interface Taken {
  readonly first: number;
  join(a: number, b: number): number;
  last?(joined: number, count: number): number;
}

const LARGEST: Taken = { first: Number.NEGATIVE_INFINITY, join: Math.max };
const SMALLEST: Taken = { first: Number.POSITIVE_INFINITY, join: Math.min };
const MEAN: Taken = { first: 0, join: (a, b) => a + b, last: (sum, count) => sum / count };
const SUM: Taken = { ...MEAN, last: undefined };

/** Means over windows; divisor: of a window. */
function meansOver(call: TensorCall, covers: Covers, divisor: (cover: Cover) => number): RealValue {
  const sum = overWindows(call, covers, SUM);
  const cover = coverOf(call, covers);
  return (i) => sum(i) / divisor(cover(i));
}

function overWindows(call: TensorCall, covers: Covers, { first, join, last }: Taken): RealValue {
  const { data, shape, params } = imageOf(call);
  const real = realOf({ params });
  const [before, places] = [shape, positionsOf(shape)];
  const [channels, after] = [channelsOf(before), call.output.shape];
  const size = sizeOf(after.dims);
  const isLast = before.channelAxis > 0;
  return (i) => {
    const { channel, position } = placeOf(after, i % size);
    const own = covers.at(position).places;
    const start = floor(i / size) * places * channels;
    let joined = first;
    for (const place of own)
      joined = join(joined, real(data[start + (isLast ? place * channels + channel : channel * places + place)]));
    return last ? last(joined, own.length) : joined;
  };
}

/** Of an element of the output its window. */
function coverOf(call: TensorCall, covers: Covers): (element: number) => Cover {
  const { shape } = call.output;
  const size = sizeOf(shape.dims);
  return (i) => covers.at(placeOf(shape, i % size).position);
}

function averageDivisor({ attributes }: TensorCall): (cover: Cover) => number {
  const { countIncludePad, divisor } = attributes as AveragePoolAttributes;
  return ({ inside, padded }) => divisor ?? sizeOf(countIncludePad ? padded : inside);
}

function adaptiveCoversOf(call: TensorCall): Covers {
  return adaptiveCovers(positionDims(imageOf(call).shape), positionDims(call.output.shape));
}

/**
 * A mean along one of two axes, rounded, then along the other: two passes of a separable filter, or vector instructions that halve sums of bytes.
 * What divides is how many cells there are.
 */
function meanOfLines(call: TensorCall, covers: Covers, first: Line, round: (mean: number) => number): RealValue {
  const cover = coverOf(call, covers);
  const values: number[] = [];
  const window = overWindows(call, covers, { first: 0, join: (_, value) => values.push(value) });
  return (i) => {
    values.length = 0;
    window(i);
    const [rows, columns] = cover(i).inside;
    const [lines, each] = first === 'rows' ? [rows, columns] : [columns, rows];
    let joined = 0;
    for (let line = 0; line < lines; line++) {
      let sum = 0;
      for (let k = 0; k < each; k++) sum += values[first === 'rows' ? line * columns + k : k * columns + line];
      joined += round(sum / each);
    }
    return round(joined / lines);
  };
}

export const averagePool: RealForm = {
  is: 'mean',
  lines: (call, first, round) => meanOfLines(call, poolCovers(call), first, round),
  value: (call) => meansOver(call, poolCovers(call), averageDivisor(call)),
  others: { maximum: (call) => overWindows(call, poolCovers(call), LARGEST) },
  count(call) {
    const [cover, divisor] = [coverOf(call, poolCovers(call)), averageDivisor(call)];
    return (i) => divisor(cover(i));
  },
  divisors(attributes) {
    const own = attributes as AveragePoolAttributes;
    const inside = { rule: 'values inside the image', attributes: { ...own, countIncludePad: false, divisor: null } };
    const padded = {
      rule: 'the window with its padding',
      attributes: { ...own, countIncludePad: true, divisor: null },
    };
    const size = sizeOf(own.window.kernel);
    return [inside, padded, { rule: `always ${size}`, attributes: { ...own, divisor: size } }];
  },
};

export const adaptivePool: RealForm = {
  is: 'mean',
  value: (call) => overWindows(call, adaptiveCoversOf(call), MEAN),
  lines: (call, first, round) => meanOfLines(call, adaptiveCoversOf(call), first, round),
  others: { maximum: (call) => overWindows(call, adaptiveCoversOf(call), LARGEST) },
  count(call) {
    const cover = coverOf(call, adaptiveCoversOf(call));
    return (i) => cover(i).places.length;
  },
};

export const mean: RealForm = {
  is: 'mean',
  value: (call) => overAxes(call, MEAN),
  others: { maximum: (call) => overAxes(call, LARGEST) },
  count(call) {
    const { count } = reducedBy(call);
    return () => count;
  },
};

export const sum: RealForm = { value: (call) => overAxes(call, SUM) };

function overAxes(call: TensorCall, { first, join, last }: Taken): RealValue {
  const [input] = call.inputs;
  const { data, shape } = input;
  const { first: starts, step, size, count } = reducedBy(call);
  const real = realOf(input);
  return (i) => {
    const start = floor(i / size) * sizeOf(shape.dims) + starts[i % size];
    let joined = first;
    for (const offset of step) joined = join(joined, real(data[start + offset]));
    return last ? last(joined, count) : joined;
  };
}

function reducedBy({ inputs: [{ shape }], attributes }: TensorCall) {
  return reducedAxes(shape.dims, checkedAxes(axesOf((attributes as ReduceAttributes).dim, shape)));
}

export const maximum: RealForm = {
  is: 'maximum',
  others: {
    mean: (call) => overWindows(call, poolCovers(call), MEAN),
    minimum: (call) => overWindows(call, poolCovers(call), SMALLEST),
  },
};
