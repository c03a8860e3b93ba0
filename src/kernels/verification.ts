import rows from './verification.json' with { type: 'json' };

/** What a kernel model was compared with, and how many values differed. */
export interface Verification {
  readonly kernel: string;
  readonly runtime: string;
  readonly version: string;
  readonly cpu: string;
  /** Environment variables that chose the kernel. */
  readonly settings: string;
  /** qdiff: its replay against the runtime (`npm run verify:runtimes`). numpy model: the model that the golden vectors come from. */
  readonly compared: 'qdiff' | 'numpy model';
  /** What alone is counted here; absent: all that the run had, whatever else is counted apart. */
  readonly of?: 'convolutions';
  readonly values: number;
  readonly mismatched: number;
}

export const verifications = rows as readonly Verification[];
