/** What a call decides for its own rows: the range that it quantizes by, the arithmetic that its size has. */
import type { Codes, Fast, Product, ProductSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { replayFloatProduct } from '../../replay/floatProduct.js';
import type { LayerData, Outputs, Scope } from './data.js';

export type Visit = (first: number, rows: number, input: QuantParams) => void;

/** A product of floats that dequantizes what each call has quantized. */
export function spreadByCall(
  steps: ProductSteps,
  params: Product,
  { rows, cols, data: codes }: Codes,
  fast: Fast,
  each: (visit: Visit) => void,
): Outputs {
  const { outFeatures } = params;
  const [data, low, high] = [0, 1, 2].map(() => new Float32Array(rows * outFeatures));
  each((first, count, input) => {
    const own = { rows: count, cols, data: codes.subarray(first * cols, (first + count) * cols) };
    const part = replayFloatProduct(steps, { ...params, input }, own, fast);
    const at = first * outFeatures;
    data.set(part.data, at);
    low.set(part.low ?? part.data, at);
    high.set(part.high ?? part.data, at);
  });
  return { data, low, high };
}

/** One past the last row of a scope whose call is computed as that of row `first`. */
export function sameCall(
  { callOf }: Pick<LayerData, 'callOf'>,
  { multiplier: { ofCall } }: ProductSteps,
  { samples }: Scope,
  first: number,
): number {
  if (!ofCall || !callOf) return samples.length;
  const stepOf = (row: number) => {
    const call = callOf(samples[row]);
    return call && ofCall(call);
  };
  const step = stepOf(first);
  let end = first + 1;
  while (end < samples.length && stepOf(end) === step) end++;
  return end;
}
