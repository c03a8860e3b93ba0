/** The report: the JSON document, field by field (CLI contract). */
import type { Warning } from './problem.js';

export type Unit = 'lsb' | 'ulp';
export type LayerStatus = 'match' | 'mismatch' | 'not-replayed' | 'not-captured';

export interface ChannelReport {
  channel: number;
  mismatched: number;
  max_abs_diff: number;
  mean_diff: number;
  /** Of floats: the same two in the value's own unit. */
  max_abs_real?: number;
  mean_real?: number;
  /** Differing values by size: <= -17, -16..-5, -4..-2, -1, equal, 1, 2..4, 5..16, >= 17. */
  histogram: number[];
  causes: string[];
}

export interface MismatchReport {
  sample: number;
  channel: number;
  /** [y, x] of an image; empty (absent in older reports) where a channel has one value. */
  at?: number[];
  expected: number;
  actual: number;
}

export interface DiagnosisReport {
  causes: string[];
  subject: 'capture' | 'model' | 'candidate';
  kernel: string | null;
  explained: number;
  of: number;
  lost: number;
  explained_by: string[];
  indistinguishable: { causes: string[]; kernel: string | null }[];
  evidence: Record<string, unknown>;
  fix: string | null;
  rehearsal: { mismatched_after_fix: number } | null;
  /** Who can do what; the first is `fix` and `rehearsal`, where this side has one. */
  fixes: {
    subject: DiagnosisReport['subject'];
    text: string;
    rehearsal: DiagnosisReport['rehearsal'];
    /** The same as lines to paste, where it can be written so. */
    code?: { where: string; language: 'python' | 'json' | 'c' | 'verilog' | 'shell'; text: string }[];
  }[];
}

/** `NAME.accumulator` on both sides: zero points corrected, before bias. */
export interface AccumulatorReport {
  values: number;
  mismatched: number;
  max_abs_diff: number;
  first_mismatch: MismatchReport | null;
}

/** Part [from, to) of so many samples, channels, rows ..., every `step`th, that all differing values are in. */
export interface PatternReport {
  axis: 'sample' | 'channel' | 'position' | 'plane' | 'row' | 'column' | 'border';
  from: number;
  to: number;
  step: number;
  of: number;
}

export interface LayerReport {
  name: string;
  op: string;
  /** Names of the values that it reads; older reports do not say. */
  inputs?: string[];
  /** Names of the nodes that the layer was folded from; this and the next two are absent where the model file names its layers itself. */
  nodes?: string[];
  /** What the runtime computed it with; null where it computes nothing, or where that is not known. */
  arithmetic?: 'integers' | 'float' | null;
  because?: string | null;
  kernel: string | null;
  unit: Unit | null;
  status: LayerStatus;
  accepted: null | 'tolerance' | 'baseline';
  aligned: null | 'relu';
  out_features: number | null;
  /** Of one sample; older reports do not say. */
  shape?: number[] | null;
  /** Values of a channel in a sample. */
  positions?: number | null;
  values: number | null;
  mismatched: number | null;
  beyond_tolerance: number | null;
  within_bound: number | null;
  max_abs_diff: number | null;
  /** In the value's own unit; null where its scale is not known. */
  max_abs_real: number | null;
  mean_diff: number | null;
  /** Of floats: the mean in the value's own unit, and the smallest and largest number expected. */
  mean_real?: number;
  range?: [number, number];
  sqnr_db: number | 'inf' | null;
  /** Samples with a value that differs, and the first of them as half-open ranges. */
  samples: { mismatched: number; ranges: string[] } | null;
  /** Where all that differs is, if that is a pattern; absent: it is none. */
  where?: PatternReport[];
  /** Every differing channel, by channel; reporters shorten the list. */
  channels: ChannelReport[] | null;
  channels_omitted: number | null;
  first_mismatch: MismatchReport | null;
  /** Absent where accumulators were not captured. */
  accumulator?: AccumulatorReport;
  /** Of a candidate: against the replay on what it read. */
  on_own_input?: OwnInputReport;
  diagnosis: DiagnosisReport | null;
}

export interface OwnInputReport {
  /** Its own value before it, or the captured one as a test bench feeds it. */
  read: 'own' | 'captured';
  mismatched: number;
  max_abs_diff: number;
  max_abs_real: number | null;
}

/** How much of a layer or channel differs, and why. */
export interface LayerResult {
  mismatched: number;
  max_abs_diff: number;
  causes: string[];
}

/** A layer that differs otherwise than its baseline says. */
export interface BaselineChange {
  layer: string;
  change: 'new' | 'larger' | 'explained-differently' | 'better';
  recorded: LayerResult;
  found: LayerResult;
  /** Those that are new or larger; where the layer is better, those that are smaller or gone. By channel. */
  channels: { channel: number; recorded: Omit<LayerResult, 'causes'>; found: Omit<LayerResult, 'causes'> }[];
  channels_omitted: number;
}

export interface BaselineReport {
  file: string;
  /** Whether the file was written with what was found. */
  updated: boolean;
  changes: BaselineChange[];
}

/** A layer that differs though nothing it reads does. */
export interface DivergenceReport {
  layer: string;
  /** Layers behind it that are equal though they read what differs; null: each was compared on its captured input, which does not tell. */
  equal_again: string[] | null;
  /** Layers that nothing reads and that it comes to; none: it heals. */
  reaches: string[] | null;
}

/** How much of the verdict's layers was compared with anything. */
export interface Coverage {
  compared: number;
  layers: number;
  not_compared: string[];
}

/** What a candidate's model file says otherwise of a layer; found before any value is looked at. */
export interface ModelDifference {
  layer: string;
  candidate_layer: string;
  /** As model.json names it: scale, zero_point, weight, weight_scale, bias, stride ... */
  field: string;
  /** null: the whole field. */
  channel: number | null;
  /** Of a weight: the first that differs in the channel. */
  k?: number;
  expected: ModelNumber;
  actual: ModelNumber;
  /** Of a float bias: the other file has it as int32 codes at s_x * s_w. */
  rounded?: 'to nearest' | 'toward zero';
  /** It is the other file that has it as float. */
  rounded_here?: true;
}

export type ModelNumber = null | boolean | number | string | ModelNumber[] | { [name: string]: ModelNumber };

export interface Report {
  format: 'qdiff-report';
  version: 1;
  tool: { name: 'qdiff'; version: string };
  model: string;
  capture: string;
  candidate: string | null;
  /** The candidate's own model file; absent: it has the model's. */
  candidate_model?: string;
  model_differences?: ModelDifference[];
  /** What the candidate is judged by: the capture, or the declared replay, chained from the capture's inputs. */
  against: 'capture' | 'replay';
  mode: 'isolated' | 'propagated';
  kernel: string;
  /** Who computed the capture, as its producer is written; null or absent: nothing says so. */
  framework?: string | null;
  /** Who computed the candidate, where it says so. */
  candidate_framework?: string | null;
  samples: number;
  replayed: number;
  total: number;
  coverage: Coverage;
  verdict: 'match' | 'mismatch';
  first_divergence: string | null;
  /** On each branch of the graph the first, in order, at most 256; absent where nothing differs, or not all layers were compared. */
  divergences?: DivergenceReport[];
  /** Answers of a classifier that differ, "all", and those of them that come back when a cause alone is taken away; null: no classification. */
  top1_flips?: Record<string, number> | null;
  layers: LayerReport[];
  candidate_layers: LayerReport[] | null;
  /** Only where a baseline was given. */
  baseline?: BaselineReport;
  warnings: Warning[];
}
