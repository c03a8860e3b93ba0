/** Memory of a convolution's weights that was written in one framework's layout and is read in another's. */
import type { Product } from '../../nouns/kernel.js';
import type { PlacedPatch } from '../../nouns/window.js';
import { sizeOf } from '../../tensor/shape.js';

type Axis = 'out' | 'in' | 'kernel';
type Layout = readonly [Axis, Axis, Axis];
type Pair = readonly [written: Layout, read: Layout];

/** What an order is made from. */
export interface Packed extends Pick<Product, 'outFeatures' | 'inFeatures'> {
  readonly patch?: Pick<PlacedPatch, 'window' | 'groups' | 'inChannels' | 'outChannels'>;
}

/** Of weight [out, tap, channel]: which one is used in its place, as an index into the rows [out, tap * channel]. */
export interface WeightOrder {
  readonly order: string;
  readonly from: (out: number, tap: number, channel: number) => number;
}

const OIHW: Layout = ['out', 'in', 'kernel'];
const IOHW: Layout = ['in', 'out', 'kernel'];
const OHWI: Layout = ['out', 'kernel', 'in'];
const HWIO: Layout = ['kernel', 'in', 'out'];
const HWOI: Layout = ['kernel', 'out', 'in'];
const IHWO: Layout = ['in', 'kernel', 'out'];

const OF_FILE: readonly Pair[] = [
  [OIHW, IOHW],
  [OIHW, OHWI],
  [OHWI, OIHW],
  [OIHW, HWIO],
];
const OF_LAST_OUT: readonly Pair[] = [
  [HWIO, OIHW],
  [HWIO, OHWI],
  [OHWI, HWIO],
];
/** PyTorch's and ONNX's, TFLite's, Keras' [kh, kw, out, in], and what ordinary convolutions have. */
const OF_TRANSPOSED: readonly Layout[] = [IOHW, OHWI, HWOI, OIHW, HWIO, IHWO];

/** A group's weights lie beside each other where its outputs or inputs come first. */
const OF_GROUPS: readonly Layout[] = [IOHW, OHWI, OIHW, IHWO];

/** The file's memory taken for another's, and the reverse. */
export function fileOrders(params: Packed): WeightOrder[] {
  return params.patch!.window.transposed ? [] : distinct(params, OF_FILE).map((pair) => orderOf(params, pair));
}

/**
 * TensorFlow's, of which outputs come last; of a transposed convolution each framework's for each other's, first what is written as the
 * file is: one order of weights has several names, [kh, kw, out, in] for TFLite's is [in, kh, kw, out] for PyTorch's.
 */
export function otherOrders(params: Packed, isTflite = false): WeightOrder[] {
  if (!params.patch!.window.transposed)
    return distinct(params, [...OF_FILE, ...OF_LAST_OUT])
      .filter((pair) => !OF_FILE.includes(pair))
      .map((pair) => orderOf(params, pair));
  const layouts = params.patch!.groups > 1 ? OF_GROUPS : OF_TRANSPOSED;
  const pairs = distinct(params, eachForEach(isTflite ? [OHWI, ...layouts] : layouts, layouts));
  return [...pairs.map((pair) => orderOf(params, pair)), ...asConvolution(params)];
}

/** Handed to a convolution of the spread image as they are: outputs for inputs, and the kernel the other way round. */
function asConvolution(params: Packed): WeightOrder[] {
  const taps = sizeOf(params.patch!.window.kernel);
  if (taps < 2) return [];
  const { from } = orderOf(params, [IOHW, OIHW]);
  return [
    {
      order: `[${namesOf(IOHW)}] memory as a convolution's [${namesOf(OIHW)}], not flipped`,
      from: (out, tap, channel) => from(out, taps - 1 - tap, channel),
    },
  ];
}

function eachForEach(layouts: readonly Layout[], others: readonly Layout[]): Pair[] {
  return layouts.flatMap((written) => others.flatMap((read) => (read === written ? [] : [[written, read] as const])));
}

/** Of a transposed convolution each group by itself. */
function sizesOf({ outFeatures, patch }: Packed): Record<Axis, number> {
  const { window, inChannels, outChannels } = patch!;
  return { out: window.transposed ? outChannels : outFeatures, in: inChannels, kernel: sizeOf(window.kernel) };
}

/** An axis of one place is nowhere; inputs for outputs of a square layer are the transposed weight, a cause of its own. */
function distinct(params: Packed, pairs: readonly Pair[]): Pair[] {
  const sizes = sizesOf(params);
  const known = new Set<string>();
  const exchanged = { out: 'in', in: 'out', kernel: 'kernel' } as const;
  return pairs.filter(([written, read]) => {
    const [a, b] = [written, read].map((layout) => layout.filter((axis) => sizes[axis] > 1));
    const key = `${a} ${b}`;
    const isTransposed = sizes.in === sizes.out && `${a.map((axis) => exchanged[axis])}` === `${b}`;
    if (`${a}` === `${b}` || isTransposed || known.has(key)) return false;
    known.add(key);
    return true;
  });
}

function orderOf(params: Packed, [written, read]: Pair): WeightOrder {
  const sizes = sizesOf(params);
  const [reading, writing, own] = [read, written, OHWI].map((layout) => stridesOf(layout, sizes));
  return {
    order: `[${namesOf(written)}] memory as [${namesOf(read)}]`,
    from: (out, tap, channel) => {
      const within = out % sizes.out;
      const place = within * reading.out + tap * reading.kernel + channel * reading.in;
      const index = (axis: Axis) => (Math.floor(place / writing[axis]) % sizes[axis]) * own[axis];
      return (out - within) * own.out + index('out') + index('kernel') + index('in');
    },
  };
}

/** How far apart neighbours along each axis lie. */
function stridesOf(layout: Layout, sizes: Record<Axis, number>): Record<Axis, number> {
  const strides = { out: 1, in: 1, kernel: 1 };
  layout.forEach((axis, i) => {
    strides[axis] = sizeOf(layout.slice(i + 1).map((after) => sizes[after]));
  });
  return strides;
}

function namesOf(layout: Layout): string {
  return layout.map((axis) => (axis === 'kernel' ? 'kh, kw' : axis)).join(', ');
}
