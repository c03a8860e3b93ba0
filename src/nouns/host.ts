/** What ran a model, where a runtime's own code depends on it. fma: x86 with FMA; sse: x86 without. version: [1, 32]; null: the newest. */
export interface Host {
  readonly cpu: 'fma' | 'sse' | 'neon';
  readonly version: readonly number[] | null;
}

/** Which of its builds PyTorch runs (`ATEN_CPU_CAPABILITY`): how wide vectors are; `default` has none of its own. */
export type Vectors = 'avx512' | 'avx2' | 'default';
