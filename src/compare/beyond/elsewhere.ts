/** Why a captured layer differs, where it is not what the layer does: layers before it whose values were not captured, or other operands. */
import { Diagnosis } from '../../diagnose/diagnose.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { Capture, CapturedValue } from '../../nouns/capture.js';
import type { Layer, Model } from '../../nouns/model.js';
import type { ReplaySession } from '../../replay/session.js';
import { keeping, type Reading, type Samples } from '../candidate/readings.js';
import { seenAs, tellsOfOthers, throughChain } from '../chain.js';
import { isUnexplained } from '../layerReport.js';
import { onOtherOperands } from './otherOperands.js';
import { inOtherPlaces } from './outputOrder.js';

interface CapturedSide extends Samples {
  readonly model: Model;
  readonly values: Capture;
  /** On captured values. */
  readonly session: ReplaySession;
  readonly diagnosis: Diagnosis;
  readonly warn: (code: string, where: string, message: string) => void;
}

type OfLayer = Pick<Reading, 'run' | 'diff'>;

/** Null: neither explains it. */
export async function foundElsewhere(
  side: CapturedSide,
  own: OfLayer,
  observed: CapturedValue,
  found: LayerDiagnosis,
): Promise<LayerDiagnosis | null> {
  const { model, session, fast } = side;
  const isExplained = !isUnexplained(found.report);
  if (isExplained && found.report.subject !== 'model') return null;
  const before = isExplained ? null : await beforeIt(side, own.run.ready.layer, observed, found);
  if (before) return before;
  const reading = { ...own, run: keeping(own.run, side) };
  const { work } = side.diagnosis;
  const diagnosis = () => new Diagnosis('capture', model.producer, (name) => session.paramsOf(name), fast, work);
  const asked = {
    ...side,
    subject: 'model' as const,
    reading,
    observed,
    zeroPoint: null,
    isExplained,
    diagnosis,
    work,
  };
  const others = await onOtherOperands({ ...asked, met: null });
  if (others || isExplained) return others;
  return inOtherPlaces({ ...side, subject: 'capture', reading, observed, expected: null, zeroPoint: null });
}

/** The chain from the last captured value on, searched as one. */
async function beforeIt(
  { warn, ...side }: CapturedSide,
  layer: Layer,
  observed: CapturedValue,
  { report: unexplained }: LayerDiagnosis,
): Promise<LayerDiagnosis | null> {
  if (!tellsOfOthers(unexplained)) return null;
  const chain = { ...side, free: side.diagnosis.free };
  const finding = await throughChain(chain, layer, observed, null, unexplained.of);
  if (!finding) return null;
  const message = `${finding.layer.name} was not captured: what differs in ${layer.name} begins there or earlier`;
  warn('unknown-input', layer.name, message);
  return { report: seenAs(unexplained.of, finding), byChannel: new Map(), changes: [] };
}
