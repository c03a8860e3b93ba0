/** What a kernel does for an op. */
import type { ElementwiseSteps, Kernel, OpSteps, Product, ProductSteps, TensorSteps } from '../nouns/kernel.js';
import type { ValueParams } from '../nouns/value.js';

/** Null: this kernel does not have the op. Ops are named by files: never keys that an object inherits. */
export function stepsOf({ ops }: Kernel, op: string): OpSteps | null {
  return Object.hasOwn(ops, op) ? ops[op] : null;
}

export function productSteps(kernel: Kernel, op: string): ProductSteps | null {
  const steps = stepsOf(kernel, op);
  return steps?.kind === 'product' ? steps : null;
}

const BYTES = ['uint8', 'int8'] as const;

/** Whether steps on whole values take and give such codes. */
export function takesCodes({ codes = BYTES }: Pick<TensorSteps, 'codes'>, params: readonly ValueParams[]): boolean {
  return params.every(({ dtype }) => dtype === 'float32' || (codes as readonly string[]).includes(dtype));
}

export function tensorSteps(kernel: Kernel, op: string): TensorSteps | null {
  const steps = stepsOf(kernel, op);
  return steps?.kind === 'tensor' ? steps : null;
}

export function elementwiseSteps(kernel: Kernel, op: string): ElementwiseSteps | null {
  const steps = stepsOf(kernel, op);
  return steps?.kind === 'elementwise' ? steps : null;
}

/** Whether a kernel's product takes a layer's weights and gives its output. */
export function takes({ uint8Weights, int32Output }: ProductSteps, { weightDtype, input, output }: Product): boolean {
  return (weightDtype !== 'uint8' || uint8Weights.includes(input.dtype)) && (output.dtype !== 'int32' || int32Output);
}
