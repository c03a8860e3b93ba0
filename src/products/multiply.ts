/** The one door to the accelerator: everyone else multiplies through here, and gets the readable loops where it declines. */
import type { Codes, Fast, Gathered, Product, ProductSteps, SumData } from '../nouns/kernel.js';
import type { AccumulateForm, LossyForm } from '../nouns/sumForms.js';
import type { Shape } from '../nouns/value.js';
import { fromRows, toRows } from '../tensor/rows.js';
import { channelStride, channelsOf } from '../tensor/shape.js';

/** Exact sums, no pairs. */
export const EXACT: AccumulateForm = { pairs: null };

/** Sums [rows, outFeatures] of a form, none of which leaves int32; null where the case is not taken. */
export function fastSums(form: AccumulateForm, x: Codes | Gathered, product: Product, fast: Fast): Int32Array | null {
  return fast?.accumulate(form, x, product) ?? null;
}

/** Sums [rows, outFeatures] that lose something after every product; null where the case is not taken. */
export function fastLossy(form: LossyForm, x: Codes, product: Product, fast: Fast): Int32Array | null {
  return fast?.lossy(form, x, product) ?? null;
}

/** Codes [rows, outFeatures] of a whole product, or of so many places [..., outFeatures, places]; null where the case is not taken. */
export function fastCodes(
  steps: ProductSteps,
  product: Product,
  x: Codes | Gathered,
  fast: Fast,
  places?: number,
): Uint8Array | Int8Array | null {
  return hasReals(product) ? null : (fast?.codes(steps, product, x, places) ?? null);
}

/** Codes of sums that are there already; null where the case is not taken. */
export function fastFinish(steps: ProductSteps, product: Product, sums: SumData, fast: Fast) {
  const isTaken = sums instanceof Int32Array && !hasReals(product);
  return isTaken ? (fast?.finish(steps, product, sums) ?? null) : null;
}

/** It does something to real values, which the accelerator knows nothing of. */
function hasReals({ addend, curve }: Product): boolean {
  return addend !== undefined || curve !== undefined;
}

/** `toRows` of codes. */
export function fastToRows(data: Codes['data'], shape: Shape, fast: Fast): Codes['data'] {
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  const isMoved = stride > 1 && (data instanceof Uint8Array || data instanceof Int8Array);
  return (isMoved && fast?.transposed(data, channels, stride)) || toRows(data, shape);
}

/** `fromRows` of codes. */
export function fastFromRows<A extends Uint8Array | Int8Array>(rows: A, shape: Shape, fast: Fast): A {
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  return (stride > 1 && fast?.transposed(rows, stride, channels)) || fromRows(rows, shape);
}

/** A loop over all V8 would stop to compile. */
const SQUARES = 1024;

function squaresOf(codes: Uint8Array | Int8Array, from: number, zeroPoint: number): number {
  const to = Math.min(codes.length, from + SQUARES);
  let sum = 0;
  for (let i = from; i < to; i++) sum += (codes[i] - zeroPoint) * (codes[i] - zeroPoint);
  return sum;
}

/** The sum of (code - zeroPoint)^2, exact. */
export function sumOfSquares(codes: Uint8Array | Int8Array, zeroPoint: number, fast: Fast): number {
  const found = fast?.sumOfSquares(codes, zeroPoint);
  if (typeof found === 'number') return found;
  let sum = 0;
  for (let from = 0; from < codes.length; from += SQUARES) sum += squaresOf(codes, from, zeroPoint);
  return sum;
}
