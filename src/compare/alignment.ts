/** Which side of a ReLU of its own a value was taken on. */
import type { NumericArray } from '../nouns/array.js';
import type { CapturedValue, ValueReader } from '../nouns/capture.js';
import { isElementwise, isProduct, type Layer, type Model } from '../nouns/model.js';
import { isQuantized } from '../nouns/value.js';
import { blocks } from '../replay/blocks.js';
import { rectified } from './layerReport.js';

interface Samples {
  readonly model: Model;
  readonly from: number;
  readonly to: number;
}

/** The zero point at which both sides are to be clamped: one of them was taken after the ReLU that follows; else null. */
export async function reluBetween(
  { model, from, to }: Samples,
  layer: Layer,
  own: CapturedValue,
  expected: CapturedValue,
): Promise<number | null> {
  if (!isProduct(layer) || layer.form.activation !== 'none' || !followedByRelu(model, layer.name)) return null;
  const zeroPoint = isQuantized(layer.output!) ? layer.output.zeroPoint : 0;
  const [ownBelow, expectedBelow] = [
    await anyBelow(own, zeroPoint, from, to),
    await anyBelow(expected, zeroPoint, from, to),
  ];
  return ownBelow === expectedBelow ? null : zeroPoint;
}

/** Through identities, what is left of fused modules. */
function followedByRelu(model: Model, value: string): boolean {
  const same = new Set([value]);
  for (const { form, inputs, name } of model.layers.filter(isElementwise)) {
    if (!same.has(inputs[0]) || !form.keepsParams) continue;
    if (form.clamp?.lower === 0) return true;
    if (form.clamp === null) same.add(name);
  }
  return false;
}

async function anyBelow(value: CapturedValue, zeroPoint: number, from: number, to: number): Promise<boolean> {
  for (const [start, end] of blocks(from, to, value.features)) {
    if ((await value.read(start, end)).some((v) => v < zeroPoint)) return true;
  }
  return false;
}

export function afterRelu(value: ValueReader, zeroPoint: number | null): ValueReader {
  if (zeroPoint === null) return value;
  return {
    features: value.features,
    read: async (start, end): Promise<NumericArray> => rectified(await value.read(start, end), zeroPoint),
  };
}
