import { everyPlace } from './places.js';
import { sizeOf } from './shape.js';

/** Of an element of [samples, ...output] in C order: which element of [samples, ...input] stands for it. */
export function broadcastIndex(input: readonly number[], output: readonly number[]): (element: number) => number {
  const [own, size] = [sizeOf(input), sizeOf(output)];
  if (own === size) return (element) => element;
  const within = withinSample(input, output, size);
  return (element) => (element < size ? within[element] : Math.floor(element / size) * own + within[element % size]);
}

/** Of each feature of the output. */
function withinSample(input: readonly number[], output: readonly number[], size: number): Int32Array {
  const missing = output.length - input.length;
  const steps = output.map((_, axis) =>
    axis < missing || input[axis - missing] === 1 ? 0 : sizeOf(input.slice(axis - missing + 1)),
  );
  const within = new Int32Array(size);
  everyPlace(output, steps, (at, from) => {
    within[at] = from;
    return true;
  });
  return within;
}
