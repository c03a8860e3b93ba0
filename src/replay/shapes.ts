import { elementwiseSteps } from '../kernels/kernel.js';
import type { Kernel } from '../nouns/kernel.js';
import { isProduct, isTensor, type Layer } from '../nouns/model.js';
import type { Shape, ValueParams } from '../nouns/value.js';
import type { Window } from '../nouns/window.js';
import { positionsOf, sizeOf } from '../tensor/shape.js';

/** Kernels that take several values of a tensor at a time compute the rest of it otherwise: why that is not replayed, or null. */
function reasonOfTail(
  kernel: Kernel,
  layer: Layer,
  [input]: readonly (ValueParams | null)[],
  shape: Shape | undefined,
): string | null {
  const steps = elementwiseSteps(kernel, layer);
  const block = steps?.rest ? 1 : (steps?.block?.(input!, layer.output!) ?? 1);
  const tail = shape ? sizeOf(shape.dims) % block : 0;
  if (tail === 0) return null;
  return `kernel ${kernel.name} computes the last ${tail} of its ${sizeOf(shape!.dims)} values otherwise, which has no model`;
}

/** Values that the windows of a sample read in all: beyond them a layer takes minutes, and a file that asks for them may have 5 kB. */
const MOST_READ = 2 ** 31;

/** What a layer's shape has against it, or null. */
export function reasonOfDims(
  kernel: Kernel,
  layer: Layer,
  inputs: readonly (ValueParams | null)[],
  shape: Shape | undefined,
): string | null {
  const window = windowOf(layer);
  const [taps, places] = [sizeOf(window?.kernel ?? []), shape ? positionsOf(shape) : 0];
  if (window && taps * places > MOST_READ)
    return `its ${places} windows of ${taps} places are too many to be gone through`;
  return reasonOfTail(kernel, layer, inputs, shape);
}

function windowOf(layer: Layer): Window | null {
  if (isProduct(layer)) return layer.form.patch?.window ?? null;
  return isTensor(layer) ? ((layer.form.attributes as { window?: Window } | null)?.window ?? null) : null;
}
