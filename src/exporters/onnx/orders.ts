/** Axes that the optimizer turned: where it moves a Transpose, tensors in between have theirs in another order than the model. */
import { ordersOf as axisOrders, permuted } from '../../tensor/permute.js';
import type { Values } from './names.js';
import type { OrtTensor } from './runtime.js';

/** How a tensor's axes become the model's; null: in no order. Tensors that are as in the model have none. */
export type Orders = ReadonlyMap<string, readonly number[] | null>;

/** From the values of one call, and what the model computes of it without any optimization. */
export function ordersOf(values: Values, plain: Values): Orders {
  const orders = [...plain].map(([name, meant]) => [name, orderOf(values.get(name)!, meant)] as const);
  return new Map(orders.filter(([, order]) => order === null || order.some((axis, at) => axis !== at)));
}

/** Fused or not, values are nearly the same: of the orders that have the shape it is the one that leaves the least difference. */
function orderOf(value: OrtTensor, meant: OrtTensor): readonly number[] | null {
  const { dims } = value;
  if (dims.length !== meant.dims.length || value.data.length !== meant.data.length) return null;
  const seen = new Map<string, readonly number[]>();
  for (const order of axisOrders(dims.map((_, axis) => axis))) {
    if (order.some((axis, at) => dims[axis] !== meant.dims[at])) continue;
    const moved = `${order.filter((axis) => dims[axis] > 1)}`;
    if (!seen.has(moved)) seen.set(moved, order);
  }
  const [first = null, ...others] = seen.values();
  let best = first;
  if (others.length === 0) return best;
  let least = difference(turned(value, first!), meant);
  for (const order of others) {
    const left = difference(turned(value, order), meant);
    if (left < least) [best, least] = [order, left];
  }
  return best;
}

function difference({ data: a }: OrtTensor, { data: b }: OrtTensor): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs(Number(a[i]) - Number(b[i]));
    if (Number.isFinite(apart)) sum += apart;
  }
  return sum;
}

export function inTheModelsOrder(values: ReadonlyMap<string, OrtTensor>, orders: Orders): Map<string, OrtTensor> {
  const result = new Map<string, OrtTensor>();
  for (const [name, value] of values) {
    const order = orders.get(name);
    if (order !== null) result.set(name, order ? turned(value, order) : value);
  }
  return result;
}

function turned({ type, dims, data }: OrtTensor, order: readonly number[]): OrtTensor {
  return { type, dims: order.map((axis) => dims[axis]), data: permuted(data, dims, order) };
}
