/**
 * Which elements PyTorch's elementwise kernels compute in vectors of 64 and which one by one, at the end of a run: the two round
 * differently. Source: ATen's TensorIterator and Vectorized loops; kernels of torch 2.13 under 16 layouts, 11 million values.
 */
import { indicesOf, sizeOf } from './shape.js';
import { type Iterated, stridesOf } from './strides.js';

/** Two vectors of 32 bytes. */
const STEP = 64;
/** Fewer elements stay on one thread. */
const GRAIN = 32768;

interface Axis {
  readonly size: number;
  /** Of the output, then of each input; 0 where it is broadcast. */
  readonly strides: readonly number[];
  readonly axis: number;
}

/** All of them do, or none. */
export const everyElement = () => true;
export const noElement = () => false;

/**
 * Whether an element of the output, counted in C order over a call of so many samples, lies in a vector.
 * inputs: as they are, broadcast to the output where a size is 1.
 */
export function vectorBody(
  output: Iterated,
  inputs: readonly Iterated[],
  samples: number,
  threads: number,
): (element: number) => boolean {
  const dims = [samples, ...output.shape.dims];
  const all = [output, ...inputs].map((operand) => broadcast(operand, dims));
  const axes = sortedAxes(dims.map((size, axis) => ({ size, axis, strides: all.map((strides) => strides[axis]) })));
  const inner = mergedInner(axes);
  const [own, ...others] = inner.strides;
  const isVectorized =
    own === 1 && others.every((s) => s === 0 || s === 1) && others.filter((s) => s === 0).length <= 1;
  if (!isVectorized) return noElement;
  const isBody = rangesOf(sizeOf(dims), inner.size, threads);
  if (isBody === everyElement) return everyElement;
  const plain = axes.every(({ axis }, i) => axis === dims.length - 1 - i);
  return plain ? isBody : (element) => isBody(inOrderOf(axes, indicesOf(element, dims)));
}

function broadcast(operand: Iterated, dims: readonly number[]): number[] {
  const strides = stridesOf(operand);
  const own = [dims[0], ...operand.shape.dims];
  const missing = dims.length - own.length;
  return dims.map((size, axis) => {
    if (axis === 0) return strides[0];
    const from = axis - missing;
    return from < 1 || (own[from] === 1 && size > 1) ? 0 : strides[from];
  });
}

/** Fastest first, as TensorIterator's insertion sort leaves them. */
function sortedAxes(axes: Axis[]): Axis[] {
  const sorted = [...axes].reverse();
  for (let i = 1; i < sorted.length; i++) {
    for (let at = i, j = i - 1; j >= 0; j--) {
      const order = compare(sorted[j], sorted[at]);
      if (order < 0) break;
      if (order === 0) continue;
      [sorted[j], sorted[at]] = [sorted[at], sorted[j]];
      at = j;
    }
  }
  return sorted;
}

/** By the first operand that has both strides and tells them apart. */
function compare(a: Axis, b: Axis): number {
  for (const [i, stride] of a.strides.entries()) {
    const other = b.strides[i];
    if (stride === 0 || other === 0) continue;
    if (stride !== other) return stride > other ? 1 : -1;
    if (a.size > b.size) return 1;
  }
  return 0;
}

/** The fastest axis, with those that continue it in every operand. */
function mergedInner([first, ...rest]: readonly Axis[]): Pick<Axis, 'size' | 'strides'> {
  let { size, strides } = first;
  for (const next of rest) {
    const continues = strides.every((stride, i) => size * stride === next.strides[i]);
    if (size !== 1 && next.size !== 1 && !continues) break;
    if (size === 1) strides = next.strides;
    size *= next.size;
  }
  return { size, strides };
}

/** Runs of the inner length, and within a thread's range: whole vectors of each piece. */
function rangesOf(count: number, inner: number, threads: number): (element: number) => boolean {
  const parts = count >= GRAIN && threads > 1 ? Math.min(threads, Math.ceil(count / GRAIN)) : 1;
  const range = Math.ceil(count / parts);
  if ([inner, range, count].every((length) => length % STEP === 0)) return everyElement;
  if (Math.min(inner, range, count) < STEP) return noElement;
  return (element) => {
    const begin = Math.floor(element / range) * range;
    const start = Math.max(begin, Math.floor(element / inner) * inner);
    const end = Math.min(count, begin + range, Math.floor(element / inner) * inner + inner);
    return element - start < Math.floor((end - start) / STEP) * STEP;
  };
}

/** The element's number in the order in which the kernel visits them. */
function inOrderOf(axes: readonly Axis[], at: readonly number[]): number {
  let element = 0;
  for (const { size, axis } of [...axes].reverse()) element = element * size + at[axis];
  return element;
}
