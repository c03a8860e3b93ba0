/** A convolution's weights by taps, or their channels, in another order. */
import { indicesOf } from '../../tensor/shape.js';
import type { Packed, WeightOrder } from './memoryOrders.js';

/** BGR for RGB, of images. */
export const REVERSED = 'channels last to first';

function rowIndex({ inFeatures, patch }: Packed) {
  return (out: number, tap: number, channel: number) => out * inFeatures + tap * patch!.inChannels + channel;
}

/** Flipped and exchanged axes of the kernel, channels from last to first. */
export function tapOrders(params: Packed): WeightOrder[] {
  const { window, inChannels } = params.patch!;
  const { kernel } = window;
  const at = rowIndex(params);
  const tapOf = (indices: readonly number[]) => indices.reduce((tap, index, axis) => tap * kernel[axis] + index, 0);
  const flipped = (axes: readonly number[]): WeightOrder['from'] => {
    return (out, tap, channel) =>
      at(
        out,
        tapOf(indicesOf(tap, kernel).map((i, axis) => (axes.includes(axis) ? kernel[axis] - 1 - i : i))),
        channel,
      );
  };
  const axes = [...kernel.keys()].filter((axis) => kernel[axis] > 1);
  const names = ['z', 'y', 'x'].slice(-kernel.length);
  const exchanged = (order: readonly number[], mirrored: readonly number[] = []): WeightOrder['from'] => {
    return (out, tap, channel) => {
      const indices = indicesOf(tap, kernel);
      const from = order.map((axis) => indices[axis]);
      return at(out, tapOf(from.map((i, axis) => (mirrored.includes(axis) ? kernel[axis] - 1 - i : i))), channel);
    };
  };
  const exchanges = permutations([...kernel.keys()]).filter(
    (order) =>
      order.some((axis, i) => axis !== i && kernel[i] > 1) && order.every((axis, i) => kernel[axis] === kernel[i]),
  );
  const isLastTwo = (order: readonly number[]) => order.slice(0, -2).every((axis, i) => axis === i);
  const nameOf = (order: readonly number[]) =>
    isLastTwo(order)
      ? 'kernel rows for columns'
      : `kernel axes z, y, x as ${order.map((axis) => names[axis]).join(', ')}`;
  const [rows, columns] = kernel.slice(-2);
  const turned: WeightOrder['from'] = (out, tap, channel) =>
    at(out, (tap % columns) * rows + Math.floor(tap / columns), channel);
  const fromLast: WeightOrder['from'] = (out, tap, channel) => at(out, tap, inChannels - 1 - channel);
  return [
    ...(axes.length > 1 ? [{ order: 'kernel flipped', from: flipped(axes) }] : []),
    ...axes.map((axis) => ({ order: `kernel flipped along ${names[axis]}`, from: flipped([axis]) })),
    ...exchanges.map((order) => ({ order: nameOf(order), from: exchanged(order) })),
    ...exchanges.filter(isLastTwo).flatMap((order) =>
      TURNS.map(([name, ...ends]) => {
        return {
          order: `kernel ${name}`,
          from: exchanged(
            order,
            ends.map((end) => kernel.length + end),
          ),
        };
      }),
    ),
    ...(kernel.length === 2 && rows !== columns && rows > 1 && columns > 1
      ? [{ order: 'kernel [kh, kw] memory as [kw, kh]', from: turned }]
      : []),
    ...(inChannels > 1 ? [{ order: REVERSED, from: fromLast }] : []),
  ];
}

/** Rows for columns and mirrored, by the axes from the end: numpy.rot90, its reverse, and flipped as well. */
const TURNS: readonly (readonly [name: string, ...mirrored: number[]])[] = [
  ['turned left by 90 degrees', -1],
  ['turned right by 90 degrees', -2],
  ['flipped, rows for columns', -1, -2],
];

function permutations(axes: readonly number[]): number[][] {
  if (axes.length < 2) return [[...axes]];
  return axes.flatMap((first) => permutations(axes.filter((axis) => axis !== first)).map((rest) => [first, ...rest]));
}
