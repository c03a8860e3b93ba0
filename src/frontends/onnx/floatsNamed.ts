import type { Context } from './draft.js';
import type { GraphNode } from './graph.js';
import { axisBeside } from './samples.js';

/** How a node computes with what it reads so. */
export const ON_FLOATS = { arithmetic: 'float', because: 'it reads floats, which nothing dequantized for it' } as const;

/** What a node reads, floats of the file among them; null where one of them is none. asPart: joined with others. */
export function floatsNamed(
  { inputs, outputs: [output] }: Pick<GraphNode, 'inputs' | 'outputs'>,
  { arrays, asRun, constants, typeOf }: Context,
  asPart = false,
): readonly string[] | null {
  const named = inputs.map((tensor) => {
    const constant = constants.get(tensor) ?? constants.real(tensor);
    if (!constant) return typeOf(tensor) === 'float32' ? tensor : null;
    if (constant.dtype.name !== 'float32') return null;
    return arrays.value(tensor, constant, { dtype: 'float32' }, asPart, axisBeside(constant.shape, output, asRun));
  });
  return named.includes(null) ? null : (named as string[]);
}
