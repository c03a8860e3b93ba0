import type { Capture } from '../nouns/capture.js';
import type { Layer } from '../nouns/model.js';
import type { Shard } from '../nouns/part.js';
import type { LayerReport } from '../nouns/report.js';
import type { Mode } from '../replay/session.js';
import type { CandidateModel } from './models/beside.js';

export type AcceleratorChoice = 'auto' | 'portable';

/** Samples [from, to) of the capture. */
export interface SampleSpan {
  readonly from: number;
  readonly to: number;
}

export interface CompareOptions {
  /** Default: isolated. */
  readonly mode?: Mode;
  /** Name of the kernel to replay; default: what the producer declares. */
  readonly kernel?: string;
  /** Which layers to compare; default: all. */
  readonly selects?: (layer: Layer) => boolean;
  /** Samples [from, to) of the capture; default: all. */
  readonly samples?: SampleSpan | undefined;
  readonly tolerance?: (layerName: string) => Tolerance;
  /** The user's own implementation: then it is what is judged, against the capture. */
  readonly candidate?: Capture;
  /** The model file that the candidate comes from, where it is another. */
  readonly candidateModel?: CandidateModel;
  /** What a candidate is judged by: the capture (default), or the replay, chained from the capture's inputs. */
  readonly against?: 'capture' | 'replay';
  /** Default: true. */
  readonly diagnose?: boolean;
  /** A layer that is not replayed or not captured makes the verdict a mismatch. */
  readonly requireReplayed?: boolean;
  /** Whether a layer that differs is accepted all the same: a baseline's say. */
  readonly accepts?: (layer: LayerReport) => boolean;
  /** Stop after the first layer that differs and is not accepted. */
  readonly failFast?: boolean;
  /** At most so many threads; default: one a core. The report is the same for any number. */
  readonly threads?: number;
  /** portable: nothing whose meaning WebAssembly leaves to the engine, proven or not. The report is the same. Default: auto. */
  readonly accelerator?: AcceleratorChoice;
  /** Isolated mode: only this process's share of the layers. Default: all. */
  readonly shard?: Shard;
  readonly onProgress?: (done: Progress) => void;
}

export interface Progress {
  readonly layer: string;
  readonly stage: 'replay' | 'diagnose';
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly samplesDone: number;
  readonly samplesTotal: number;
  /** Of a layer that is diagnosed: hypotheses. */
  readonly tried?: number;
}

/** How far a layer may differ and still be accepted: at most `percent` of its values by more than `lsb` (or `ulp`). */
export interface Tolerance {
  readonly lsb: number;
  readonly ulp: number;
  readonly percent: number;
}
