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
    /** Its output is a classification, and all that leads to it is compared. */
    classifies: boolean;
    /** Every layer of the model is compared. */
    whole: boolean;
  };
  /** How many of the selected layers were this part's to compare. */
  own: number;
  layers: LayerReport[];
  candidateLayers: LayerReport[] | null;
  /** Of a candidate with a model of its own: the same in every shard. */
  candidateModel?: { path: string; differences: ModelDifference[] };
  /** Of a classifier of which some layer differs; null where nothing here does, or they cannot be replayed. */
  answers: Answers | null;
  warnings: {
    /** Of model and capture, and of the candidate's file: the same in every shard. */
    files: Warning[];
    candidate: Warning[];
    /** Of single layers. */
    layers: Warning[];
  };
}

/** Top-1 answers that differ between the two sides of a comparison. */
export interface Answers {
  all: number;
  /** Of them: those that agree once a cause alone is taken away; null: what follows from that cannot be replayed. */
  byCause: Record<string, number | null>;
}
