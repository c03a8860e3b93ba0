import { elementwiseSteps } from '../kernels/kernel.js';
import type { Kernel } from '../nouns/kernel.js';
import type { Layer } from '../nouns/model.js';
import type { Shape, ValueParams } from '../nouns/value.js';
import { sizeOf } from '../tensor/shape.js';

/** Kernels that take several values of a tensor at a time compute the rest of it otherwise: why that is not replayed, or null. */
export function reasonOfTail(
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
