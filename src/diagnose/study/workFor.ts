import type { Capture } from '../../nouns/capture.js';
import { isProduct, type Layer, type Model, type ProductLayer } from '../../nouns/model.js';
import { largestOf } from '../../numeric/extremes.js';
import { sumOf } from '../../numeric/integer.js';
import type { Side } from './data.js';
import { Work } from './work.js';

/** Of each byte of a file: captures of real layers that are deflated hold up to 5, noise that is worth a search no more. */
const MOST_VALUES_OF_A_BYTE = 8;

/** For the layers of a model with these values: of a small file that holds millions not much more than of any of its size. */
export function workFor(
  side: Side,
  { layers }: Model,
  { samples, values, bytes = Number.POSITIVE_INFINITY }: Pick<Capture, 'samples' | 'values' | 'bytes'>,
): Work {
  const weightsOf = ({ form: { weight } }: ProductLayer) => weight.inFeatures * weight.outFeatures;
  const captured = (names: readonly string[]) => {
    const all = sumOf(names.map((name) => (values.get(name)?.features ?? 0) * samples));
    return Math.min(all, bytes * MOST_VALUES_OF_A_BYTE);
  };
  const sizeOf = (layer: Layer) => (isProduct(layer) ? weightsOf(layer) : 0) + captured([layer.name, ...layer.inputs]);
  const all = sumOf(layers.filter(isProduct).map(weightsOf)) + captured([...values.keys()]);
  return new Work(side, all, largestOf(layers.map(sizeOf)));
}
