/** Golden vectors of our own, as captures. */
import type { ArrayFile } from '../nouns/array.js';
import type { Model } from '../nouns/model.js';

/**
 * Golden vectors by the capture's names: LAYER.output is LAYER, LAYER.input stays. Constants are left out, and LAYER.accumulator
 * too: a capture's is before the bias, a vector's after it. Any other file is itself.
 */
export function asCapture(file: ArrayFile): ArrayFile {
  const layers = [...file.arrays.keys()].flatMap((key) => layerOf(key, file));
  if (layers.length === 0) return file;
  const arrays = new Map(file.arrays);
  for (const layer of layers) {
    for (const key of [...arrays.keys()]) if (CONSTANTS.some((name) => key === `${layer}.${name}`)) arrays.delete(key);
    arrays.set(layer, file.arrays.get(`${layer}.output`)!);
  }
  return { ...file, arrays };
}

/** What a layer read is the model's input where it reads one: a chain of layers begins there. */
export function withInputs(file: ArrayFile, { inputs, layers }: Model): ArrayFile {
  const arrays = new Map(file.arrays);
  const names = new Set(inputs.map(({ name }) => name));
  for (const { name, inputs: read } of layers) {
    const [input] = read;
    const own = file.arrays.get(`${name}.input`);
    if (own && names.has(input) && !arrays.has(input)) arrays.set(input, own);
  }
  return { ...file, arrays };
}

const CONSTANTS = [
  'output',
  'accumulator',
  'weight',
  'weight_zero_point',
  'bias_int32',
  'bias_float32',
  'multiplier_int32',
  'multiplier_float32',
  'shift',
];

/** The layer of an array LAYER.output, where LAYER has what golden vectors have. */
function layerOf(key: string, { arrays }: ArrayFile): string[] {
  if (!key.endsWith('.output')) return [];
  const layer = key.slice(0, -'.output'.length);
  const has = (name: string) => arrays.has(`${layer}.${name}`);
  return !arrays.has(layer) && has('weight') && has('bias_int32') && has('input') ? [layer] : [];
}
