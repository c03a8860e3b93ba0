import { elementwiseSteps, productSteps } from '../../src/kernels/kernel.js';
import { kernelByName } from '../../src/kernels/registry.js';
import type { ElementwiseSteps, Kernel, ProductSteps } from '../../src/nouns/kernel.js';

/** What a kernel does for a linear layer. */
export function linearSteps(kernel: Kernel | string): ProductSteps {
  return productSteps(typeof kernel === 'string' ? kernelByName(kernel) : kernel, { op: 'linear' })!;
}

/** The same for a layer that quantizes its own input; null where the kernel has none. */
export function dynamicSteps(kernel: Kernel | string): ProductSteps | null {
  return productSteps(typeof kernel === 'string' ? kernelByName(kernel) : kernel, { op: 'linear_dynamic' });
}

export function stepsFor(kernel: Kernel | string, op: string): ElementwiseSteps {
  return elementwiseSteps(typeof kernel === 'string' ? kernelByName(kernel) : kernel, { op })!;
}
