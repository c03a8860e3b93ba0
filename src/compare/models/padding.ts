/** What a convolution's image is padded with in all: by itself, and by a layer of its own before it. */
import { isLayout, isProduct, type Layer, type LayoutLayer, type Model } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';

/** Of each spatial axis. */
export type Paddings = readonly (readonly [before: number, after: number])[];

/** Null: no convolution, or its numbers are known only once its input is. */
export function paddingOf(layer: Layer, { layers, layout }: Model): Paddings | null {
  if (!isProduct(layer) || !layer.form.patch || layer.form.patch.same) return null;
  const own = layer.form.patch.window.padding;
  const behind = layers.find(({ name }) => name === layer.inputs[0]);
  const before = behind && isLayout(behind) && behind.op === 'pad' ? zerosAround(behind, own.length + 1) : null;
  const places = before && (layout === 'NHWC' ? before.slice(0, -1) : before.slice(1));
  const channels = before?.[layout === 'NHWC' ? own.length : 0];
  if (!places || !channels || channels[0] + channels[1] > 0) return own;
  return own.map(([first, last], axis) => [first + places[axis][0], last + places[axis][1]]);
}

/** Large enough for any mirror, small enough to walk. */
const PROBED = 4;

/** Of every axis; null where it pads with something else than zeros. */
function zerosAround({ form, output }: LayoutLayer, rank: number): Paddings | null {
  const shape = { dims: Array(rank).fill(PROBED), channelAxis: 0 };
  const dims = form.dims(shape);
  const zero = output && isQuantized(output) ? output.zeroPoint : 0;
  const moves = typeof dims === 'string' || form.fill !== zero ? null : form.moves(shape);
  if (typeof dims === 'string' || !moves || sizeOf(dims) === 0) return null;
  const first = indicesOf(moves.indexOf(0), dims);
  const all = dims.map((size, axis): [number, number] => [first[axis], size - PROBED - first[axis]]);
  const holes = moves.filter((source) => source === -1).length;
  return holes === sizeOf(dims) - PROBED ** rank && all.every(([a, b]) => a >= 0 && b >= 0) ? all : null;
}
