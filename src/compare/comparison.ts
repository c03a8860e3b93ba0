/** What the comparison of a candidate works with. */
import type { Diagnosis, Searched } from '../diagnose/diagnose.js';
import type { LayerDiagnosis } from '../diagnose/finding/explanation.js';
import type { Reference } from '../kernels/reference.js';
import type { Capture } from '../nouns/capture.js';
import type { Fast } from '../nouns/kernel.js';
import type { Layer, Model } from '../nouns/model.js';
import type { LayerReport } from '../nouns/report.js';
import type { ReplaySession } from '../replay/session.js';
import type { ReadTooLate } from './beyond/readTooLate.js';
import type { OnOwnValues } from './candidate/readings.js';
import type { SecondCapture } from './candidate/secondCapture.js';
import type { CompareOptions } from './options.js';
import type { CatchUp } from './shard.js';

export interface CandidateComparison {
  readonly model: Model;
  readonly capture: Capture;
  readonly candidate: Capture;
  readonly reference: Reference;
  readonly options: CompareOptions;
  readonly from: number;
  readonly to: number;
  readonly selected: readonly Layer[];
  /** Of the selected ones: those of this shard. */
  readonly own: ReadonlySet<Layer>;
  /** The replay's own comparison: why the capture is what it is. */
  readonly captureLayers: readonly LayerReport[];
  /** What was found of the capture's layers that differ. */
  readonly captureFound: ReadonlyMap<string, LayerDiagnosis>;
  /** Finds it of those before this many selected layers that are another shard's. */
  readonly findCaptured: (end: number) => Promise<void>;
  readonly session: ReplaySession;
  readonly fast: Fast;
  readonly searched: Searched;
  readonly warn: (code: string, where: string, message: string) => void;
  /** Notes whether a layer that differs is accepted all the same. */
  readonly accept: (layer: LayerReport) => void;
}

/** The same, with the model replayed on the candidate's values; what only the model's inputs give is the capture's. */
export interface OwnComparison extends CandidateComparison, OnOwnValues {
  /** The same of what its values mean, where it stores them with the other sign or in another order; null: it does not. */
  readonly meant: () => Promise<OnOwnValues | null>;
  /** Of the candidate's own model, on its own values and on the captured ones; null: it has none. */
  readonly beside: { readonly own: ReplaySession; readonly onCaptured: ReplaySession } | null;
  /** Set where the candidate says who computed it. */
  readonly second: SecondCapture | null;
  readonly diagnosis: Diagnosis;
  /** Values that were read when their memory held others. */
  readonly late: ReadTooLate;
  readonly catchUp: CatchUp;
  /** What was found of the candidate's layers that differ. */
  readonly found: Map<string, LayerDiagnosis>;
  /** Those that are explained on what was captured before them, though the candidate has its own. */
  readonly onCaptured: Set<string>;
}
