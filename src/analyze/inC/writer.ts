/** What is written of a layer on whole values in C: one code of the output at a time. Functions that it calls: report/inC/goldenValuesC.ts. */
import { quantized } from '../../kernels/steps/call.js';
import type { TensorCall } from '../../nouns/kernel.js';
import type { FixedPointMultiplier } from '../../nouns/written.js';
import { frexp } from '../../numeric/float.js';

export interface ValueInC {
  /** Constants: names behind the layer's identifier. */
  readonly arrays: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
  /** From the codes x0 and x1 of a sample and the index i of the output to `code`, unclamped; `id`: the layer's identifier. */
  readonly lines: (id: string) => readonly string[];
  readonly clamp: readonly [lo: number, hi: number];
}

/** Null: not of such types. */
export type Writer = (call: TensorCall) => ValueInC | null;

export const paramsOf = (call: TensorCall) => [...call.inputs, call.output].map(quantized);
export const pair = ({ multiplier, exponent }: FixedPointMultiplier) => `${multiplier}, ${exponent}`;

/** value = mantissa * 2^exponent with the mantissa as small as it gets: at most 24 bits, 48 for a product of two. */
export function inIntegers(value: number): { readonly mantissa: number; readonly exponent: number } {
  const { fraction, exponent } = frexp(value);
  let [mantissa, power] = [fraction * 2 ** 53, exponent - 53];
  while (mantissa !== 0 && mantissa % 2 === 0) [mantissa, power] = [mantissa / 2, power + 1];
  return mantissa === 0 ? { mantissa: 0, exponent: 0 } : { mantissa, exponent: power };
}

/** A golden_float. */
export function floatText(value: number): string {
  const { mantissa, exponent } = inIntegers(value);
  return `(golden_float){${mantissa}, ${exponent}}`;
}
