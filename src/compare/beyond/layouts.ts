/** Orders in which a sample's values may stand in memory: its axes in another order, or walked from the end. */
import type { Shape } from '../../nouns/value.js';
import { ordersOf } from '../../tensor/permute.js';
import { dimsText, strideOf } from '../../tensor/shape.js';

/** From which place of the replay, as an index into a sample, or into all of them, each value is; -1: nobody knows. */
export interface Order {
  readonly order: string;
  readonly rule?: string;
  readonly of: 'sample' | 'all';
  readonly from: (at: number) => number;
  /** What undoes it. */
  readonly numpy: string;
}

/** `rule` is the same of layers of all sizes. */
export type Layout = Order & { readonly rule: string };

const MOST_AXES = 4;

export function* layoutsOf(shape: Shape): Generator<Layout> {
  yield* inOtherLayouts(shape);
  yield* reversedAxes(shape);
}

/** Axes in another order in memory. */
function* inOtherLayouts(shape: Shape): Generator<Layout> {
  const { dims } = shape;
  const axes = [...dims.keys()].filter((axis) => dims[axis] > 1);
  if (axes.length < 2 || axes.length > MOST_AXES) return;
  const own = axes.map((axis) => dims[axis]);
  for (const order of ordersOf([...axes.keys()])) {
    if (order.every((axis, i) => axis === i)) continue;
    const other = order.map((axis) => own[axis]);
    const back = order.map((_, axis) => order.indexOf(axis) + 1);
    yield {
      ...layoutNames(order, own, shape.channelAxis === axes.at(-1), axes.indexOf(shape.channelAxis)),
      of: 'sample',
      from: placeIn(own, order),
      numpy: `y = y.reshape(${[-1, ...other].join(', ')}).transpose(${[0, ...back].join(', ')}).reshape(y.shape)`,
    };
  }
}

/** Of a place in memory with its axes in another order, the one that it is; never as a list, of 16 million values. */
function placeIn(dims: readonly number[], order: readonly number[]): (at: number) => number {
  const sizes = order.map((axis) => dims[axis]);
  const steps = order.map((axis) => strideOf(dims, axis));
  return (at) => {
    let [left, place] = [at, 0];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      place += (left % sizes[axis]) * steps[axis];
      left = Math.floor(left / sizes[axis]);
    }
    return place;
  };
}

/** "channels first, [8, 12, 12], where the file has them last, [12, 12, 8]". */
function layoutNames(order: readonly number[], dims: readonly number[], isLast: boolean, channels: number) {
  const other = dimsText(order.map((axis) => dims[axis]));
  const places = order.filter((axis) => axis !== channels);
  const isInOrder = places.every((axis, i) => i === 0 || axis > places[i - 1]);
  const named = (rule: string, file: string) => {
    return { rule, order: `${rule}, ${other}, where the file has them ${file}, ${dimsText(dims)}` };
  };
  if (isInOrder && isLast && order[0] === channels) return named('channels first', 'last');
  if (isInOrder && channels === 0 && order.at(-1) === channels) return named('channels last', 'first');
  const axes = order.map((axis) => axis + 1).join(', ');
  return {
    rule: `axes in the order ${axes}`,
    order: `memory of ${other}, which are axes ${axes} of ${dimsText(dims)}`,
  };
}

function* reversedAxes({ dims, channelAxis }: Shape): Generator<Layout> {
  const axes = [...dims.keys()].filter((axis) => dims[axis] > 1);
  const spatial = axes.filter((axis) => axis !== channelAxis);
  const sets = [...axes.map((axis) => [axis]), ...(spatial.length > 1 ? [spatial] : [])];
  for (const reversed of sets) {
    const names = reversed.map((axis) => (axis === channelAxis ? 'channels' : `axis ${axis + 1}`));
    const rule = `${names.join(' and ')} from last to first`;
    yield {
      rule,
      order: rule,
      of: 'sample',
      from: reversedPlace(dims, reversed),
      numpy: `y = np.flip(y.reshape(${[-1, ...dims].join(', ')}), axis=(${reversed.map((axis) => axis + 1)},)).reshape(y.shape)`,
    };
  }
}

/** The place that is as far from the end of some axes as another is from their start. */
function reversedPlace(dims: readonly number[], reversed: readonly number[]): (at: number) => number {
  const turned = reversed.map((axis) => ({ size: dims[axis], step: strideOf(dims, axis) }));
  return (at) => {
    let place = at;
    for (const { size, step } of turned) place += (size - 1 - 2 * (Math.floor(at / step) % size)) * step;
    return place;
  };
}
