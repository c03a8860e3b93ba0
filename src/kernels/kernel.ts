/** What a kernel does for an op. */
import type { ElementwiseSteps, Kernel, OpSteps, Product, ProductSteps, TensorSteps } from '../nouns/kernel.js';
import type { Layer } from '../nouns/model.js';
import type { ValueParams } from '../nouns/value.js';

/** What says which steps compute a layer; an op alone: on codes. */
export type Ran = Pick<Layer, 'op' | 'arithmetic' | 'onFloats'> | string;

/** Null: this kernel does not have the op. Ops are named by files: never keys that an object inherits. */
export function stepsOf(kernel: Kernel, layer: Ran): OpSteps | null {
  const { op, arithmetic, onFloats } = typeof layer === 'string' ? { op: layer } : layer;
  if (onFloats && kernel.onFloats) return named(op, kernel.onFloats);
  if (arithmetic === 'float' && kernel.opsInFloat) return named(op, kernel.opsInFloat);
  return onFloats ? null : (named(op, kernel.ops) ?? named(op, kernel.tensors ?? {}));
}

function named(op: string, ops: Kernel['ops']): OpSteps | null {
  return Object.hasOwn(ops, op) ? ops[op] : null;
}

/** Whether an op is computed alike: by the same functions and numbers. */
export function sameSteps(one: OpSteps, other: OpSteps): boolean {
  if (one === other) return true;
  const [own, its] = [Object.entries(one), new Map<string, unknown>(Object.entries(other))];
  return own.length === its.size && own.every(([field, value]) => its.has(field) && isSame(value, its.get(field)));
}

function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((item, i) => item === other[i]);
}

export function productSteps(kernel: Kernel, layer: Ran): ProductSteps | null {
  const steps = stepsOf(kernel, layer);
  return steps?.kind === 'product' ? steps : null;
}

const BYTES = ['uint8', 'int8'] as const;

/** Whether steps on whole values take and give such codes. */
export function takesCodes({ codes = BYTES }: Pick<TensorSteps, 'codes'>, params: readonly ValueParams[]): boolean {
  return params.every(({ dtype }) => dtype === 'float32' || (codes as readonly string[]).includes(dtype));
}

export function tensorSteps(kernel: Kernel, layer: Ran): TensorSteps | null {
  const steps = stepsOf(kernel, layer);
  return steps?.kind === 'tensor' ? steps : null;
}

export function elementwiseSteps(kernel: Kernel, layer: Ran): ElementwiseSteps | null {
  const steps = stepsOf(kernel, layer);
  return steps?.kind === 'elementwise' ? steps : null;
}

/** Whether a kernel's product takes a layer's weights and gives its output. */
export function takes(steps: ProductSteps, { weightDtype, input, output, curve, biasInt64 }: Product): boolean {
  const { uint8Weights, float, givesFloats, onReals } = steps;
  if (biasInt64 && !steps.bias.int64) return false;
  if (curve && !onReals?.curves[curve]) return false;
  if (givesFloats && output.dtype !== 'float32') return false;
  return (
    (weightDtype !== 'uint8' || uint8Weights.includes(input.dtype)) && (output.dtype !== 'int32' || float === null)
  );
}
