import type { KernelsDocument } from '../documents/kernels.js';
import type { Verification } from '../kernels/verification.js';
import type { Kernel } from '../nouns/kernel.js';

/** The kernel models, and what each was verified against. */
export function listKernels(kernels: readonly Kernel[], verifications: readonly Verification[]): KernelsDocument {
  return {
    format: 'qdiff-kernels',
    version: 1,
    kernels: kernels.map(({ name, runtime, equation, runsOn, ops, tensors }) => ({
      name,
      runtime,
      equation,
      runs_on: runsOn,
      ops: Object.keys({ ...ops, ...tensors }),
      verified: verifications.filter(({ kernel }) => kernel === name).map(({ kernel: _, ...run }) => run),
    })),
  };
}
