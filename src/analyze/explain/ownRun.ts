/** A layer on what a candidate read. */
import { layoutsOf } from '../../compare/beyond/layouts.js';
import { asMeant, STORED_OTHERWISE } from '../../compare/candidate/meant.js';
import { putBack } from '../../compare/candidate/storedOrders.js';
import type { Beside } from '../../compare/candidate/storedSigns.js';
import { hasValueBefore, unknownInput } from '../../compare/candidate/unknownInput.js';
import type { Evidence } from '../../diagnose/finding/evidence.js';
import { besideValue, type Capture } from '../../nouns/capture.js';
import type { Layer, Model } from '../../nouns/model.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import { replayedCapture } from '../../replay/reference.js';
import { type LayerRun, ReplaySession } from '../../replay/session.js';

interface Files {
  readonly model: Model;
  readonly capture: Capture;
  readonly candidate: Capture;
}

/**
 * The layer of a run on what the candidate's own values make of its input; null where they do not show what it read. Layers between
 * that the candidate lacks (a ReLU) are replayed where the comparison has proven that it read so, as what it inherits.
 */
export async function runOnOwn(
  { model, capture, candidate }: Files,
  { ready: { layer }, kernel }: LayerRun,
  session: ReplaySession,
  diagnosis: DiagnosisReport | null,
): Promise<LayerRun | null> {
  const hasOwn =
    besideValue(candidate.values, model, layer.name, 'input') !== undefined || hasValueBefore(model, candidate, layer);
  const isProven =
    diagnosis !== null && Object.hasOwn(diagnosis.evidence, 'inherited') && !diagnosis.causes.includes('unexplained');
  if (!hasOwn || (!isProven && unknownInput(model, candidate, layer) !== null)) return null;
  const given = model.inputs.flatMap(({ name }) => {
    const value = candidate.values.get(name) ?? capture.values.get(name);
    return value ? ([[name, value]] as const) : [];
  });
  const values = { ...candidate, batchSizes: capture.batchSizes, values: new Map([...candidate.values, ...given]) };
  const isOther = diagnosis?.causes.some((cause) => STORED_OTHERWISE.includes(cause)) ?? false;
  const meant = isOther ? await asMeant(values, besideOf(model, capture, session)) : null;
  const own = new ReplaySession(model, meant ?? values, session.asReference(), 'isolated');
  own.readAs(layer, kernel);
  return own.whyNotReplayed(layer) === null ? own.open(layer) : null;
}

/** The candidate with the layer's values in the file's order, where they were found to stand in another; null: they were not. */
export function inFilesOrder(
  candidate: Capture,
  { ready }: LayerRun,
  diagnosis: DiagnosisReport | null,
): Capture | null {
  const { rule } = (diagnosis?.evidence as Evidence | undefined)?.['output-order'] ?? {};
  const { layer, shapes } = ready;
  const value = candidate.values.get(layer.name);
  const order = value && rule !== undefined ? [...layoutsOf(shapes.output)].find((own) => own.rule === rule) : null;
  return order ? { ...candidate, values: new Map([...candidate.values, [layer.name, putBack(value!, order)]]) } : null;
}

function besideOf(model: Model, capture: Capture, session: ReplaySession): Beside {
  return { model, capture: replayedWhereLacking(model, capture, session), session, from: 0, to: capture.samples };
}

/** Where inputs alone are there, the replay is what a candidate was judged by. */
function replayedWhereLacking(model: Model, capture: Capture, session: ReplaySession): Capture {
  const isCaptured = (layer: Layer) => capture.values.has(layer.name) && !session.whyNotReplayed(layer);
  return model.layers.some(isCaptured) ? capture : replayedCapture(model, capture, session);
}
