import type { Warning } from './problem.js';
import type { LayerReport, ModelDifference, Report } from './report.js';

/** The index-th of count processes, 1-based. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** What one process found: all layers of a comparison, or a shard's. Parts of one comparison give one report. */
export interface Part {
  /** The same in every shard. */
  run: Pick<
    Report,
    'model' | 'capture' | 'candidate' | 'against' | 'mode' | 'kernel' | 'framework' | 'candidate_framework'
  > & {
    samples: { from: number; to: number };
    /** Names of all layers of the comparison, in order. */
    selected: string[];
    requireReplayed: boolean;
    failFast: boolean;
  };
  /** How many of the selected layers were this part's to compare. */
  own: number;
  layers: LayerReport[];
  candidateLayers: LayerReport[] | null;
  /** Of a candidate with a model of its own: the same in every shard. */
  candidateModel?: { path: string; differences: ModelDifference[] };
  warnings: {
    /** Of model and capture, and of the candidate's file: the same in every shard. */
    files: Warning[];
    candidate: Warning[];
    /** Of single layers. */
    layers: Warning[];
  };
}
