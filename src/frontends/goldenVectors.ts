/** What `golden` calls its arrays' file. */
export const GOLDEN = 'golden.npz';

/** Golden vectors of our own, as captures. */
import type { ArrayFile } from '../nouns/array.js';
import type { Model } from '../nouns/model.js';

/**
 * Golden vectors by the capture's names: LAYER.output is LAYER, LAYER.input stays. Constants are left out, and LAYER.accumulator
 * too: a capture's is before the bias, a vector's after it. Any other file is itself.
 */
export function asCapture(file: ArrayFile): ArrayFile {
  const layers = layersOf(file);
  if (layers.length === 0) return file;
  const arrays = new Map(file.arrays);
  for (const layer of layers) {
    // a capture has the operands of a sum under their own names
    for (let i = 1; arrays.delete(`${layer}.input_${i}`); i++)
      if (!arrays.has(`${layer}.weight`)) arrays.delete(`${layer}.input`);
    for (const name of CONSTANTS) arrays.delete(`${layer}.${name}`);
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

/** Of arrays LAYER.output and LAYER.input, where a layer among them has the constants that golden vectors have. */
function layersOf({ arrays }: ArrayFile): string[] {
  const names = [...arrays.keys()]
    .filter((key) => key.endsWith('.output'))
    .map((key) => key.slice(0, -'.output'.length));
  const layers = names.filter((name) => !arrays.has(name) && arrays.has(`${name}.input`));
  return layers.some((name) => arrays.has(`${name}.weight`) && arrays.has(`${name}.bias_int32`)) ? layers : [];
}
