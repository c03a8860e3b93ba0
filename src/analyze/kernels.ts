import type { Verification } from '../kernels/verification.js';
import type { Kernel } from '../nouns/kernel.js';

export interface KernelsDocument {
  format: 'qdiff-kernels';
  version: 1;
  kernels: {
    name: string;
    runtime: string;
    equation: string;
    runs_on: string;
    /** Runs of the real runtime that its model was compared with. */
    verified: Omit<Verification, 'kernel'>[];
  }[];
}

/** The kernel models, and what each was verified against. */
export function listKernels(kernels: readonly Kernel[], verifications: readonly Verification[]): KernelsDocument {
  return {
    format: 'qdiff-kernels',
    version: 1,
    kernels: kernels.map(({ name, runtime, equation, runsOn }) => ({
      name,
      runtime,
      equation,
      runs_on: runsOn,
      verified: verifications.filter(({ kernel }) => kernel === name).map(({ kernel: _, ...run }) => run),
    })),
  };
}
