import { indicesOf, sizeOf } from './shape.js';

/** Of an element of [samples, ...output] in C order: which element of [samples, ...input] stands for it. */
export function broadcastIndex(input: readonly number[], output: readonly number[]): (element: number) => number {
  const [own, size] = [sizeOf(input), sizeOf(output)];
  if (own === size) return (element) => element;
  const missing = output.length - input.length;
  const within = Int32Array.from({ length: size }, (_, feature) => {
    const at = indicesOf(feature, output);
    return input.reduce((flat, dim, axis) => flat * dim + (dim === 1 ? 0 : at[axis + missing]), 0);
  });
  return (element) => Math.floor(element / size) * own + within[element % size];
}
