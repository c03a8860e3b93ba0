/** A candidate that says who computed it is a second capture: each layer of it is replayed as its own runtime computes it. */
import { fixed } from '../diagnose/fixed.js';
import { frameworkName } from '../diagnose/frameworks.js';
import { departureTo } from '../kernels/departure.js';
import { stepsOf } from '../kernels/kernel.js';
import { referenceFor } from '../kernels/reference.js';
import { formsInWords } from '../kernels/steps/tflite/words.js';
import type { Capture, ValueReader } from '../nouns/capture.js';
import type { Fast, Kernel } from '../nouns/kernel.js';
import type { Layer, Model, Producer } from '../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../nouns/report.js';
import { blocks } from '../replay/blocks.js';
import { type LayerRun, ReplaySession } from '../replay/session.js';
import { computedBy } from '../validate/producer.js';
import { diffReplay } from './readings.js';

export interface SecondCapture {
  readonly producer: Producer;
  /** On its own values, under its own kernel. */
  readonly session: ReplaySession;
}

/** Null: the candidate does not say who computed it. */
export function secondCapture(model: Model, candidate: Capture, values: Capture, fast: Fast): SecondCapture | null {
  const { kernel, framework } = candidate.producer ?? {};
  if (kernel === undefined && framework === undefined) return null;
  const theirs = computedBy(model, candidate);
  const reference = referenceFor(theirs.producer);
  return { producer: theirs.producer, session: new ReplaySession(theirs, values, reference, 'isolated', fast) };
}

/** What a finding about two captures rests on; in the report under `two-captures`. */
export interface TwoCaptures {
  readonly capture: OneCapture;
  readonly candidate: OneCapture;
  /** Values of the layer that the forms make differ on the same input, of those that differ. */
  readonly values: number;
  /** Those that differ since the input does. */
  readonly inherited: number;
  readonly from: string;
}

interface OneCapture {
  readonly name: string;
  readonly kernel: string;
  readonly does: string | null;
}

interface Asked {
  readonly second: SecondCapture;
  readonly model: Model;
  /** The first capture's session on the second's values. */
  readonly ownSession: ReplaySession;
  readonly layer: Layer;
  readonly report: LayerReport;
  readonly observed: ValueReader;
  readonly expected: ValueReader;
  readonly zeroPoint: number | null;
  readonly from: number;
  readonly to: number;
  readonly fast: Fast;
  /** What the layer read that the candidate has. */
  source(run: LayerRun): Promise<string>;
}

/** Null: its own runtime does not give every value, or the first capture's does and both read the same. */
export async function asSecondCapture(asked: Asked): Promise<DiagnosisReport | null> {
  const { second, ownSession, layer, observed, zeroPoint } = asked;
  if (second.session.whyNotReplayed(layer) || ownSession.whyNotReplayed(layer)) return null;
  const own = await second.session.open(layer);
  if ((await diffReplay(asked, own, observed, zeroPoint)).mismatched > 0) return null;
  const first = await ownSession.open(layer);
  const counts = await countsOf(asked, first);
  if (counts.departing + counts.inherited === 0) return null;
  return diagnosisOf(asked, own, first, { ...counts, source: await asked.source(first) });
}

interface Counts {
  readonly departing: number;
  readonly inherited: number;
  /** That would differ if the second computed as the first does. */
  readonly left: number;
}

/** Of the values that differ: those that the first runtime computes otherwise from the second's input, and the rest. */
async function countsOf({ observed, expected, from, to }: Asked, run: LayerRun): Promise<Counts> {
  let [departing, inherited, left] = [0, 0, 0];
  for (const [start, end] of blocks(from, to, run.input.features + observed.features)) {
    const { data, low, high } = await run.replay(start, end);
    const [theirs, ours] = [await observed.read(start, end), await expected.read(start, end)];
    for (let i = 0; i < theirs.length; i++) {
      if (ours[i] !== data[i]) left++;
      if (theirs[i] === ours[i]) continue;
      const isSame = low && high ? theirs[i] >= low[i] && theirs[i] <= high[i] : theirs[i] === data[i];
      if (isSame) inherited++;
      else departing++;
    }
  }
  return { departing, inherited, left };
}

function diagnosisOf(
  asked: Asked,
  own: LayerRun,
  first: LayerRun,
  counts: Counts & { source: string },
): DiagnosisReport {
  const { departing, inherited, source } = counts;
  const { second, model, layer, report } = asked;
  const [a, b] = [stepsOf(first.kernel, layer.op), stepsOf(own.kernel, layer.op)];
  const forms = departing > 0 && a && b ? { cause: departureTo(a, b, layer), words: formsInWords(a, b) } : null;
  const one = (producer: Producer, kernel: string, does: string | null) => ({ name: nameOf(producer), kernel, does });
  const two: TwoCaptures = {
    capture: one(model.producer, first.kernel.name, forms?.words[0] ?? null),
    candidate: one(second.producer, own.kernel.name, forms?.words[1] ?? null),
    values: departing,
    inherited,
    from: source,
  };
  const causes = [...(inherited > 0 ? ['inherited'] : []), ...(forms ? [forms.cause] : [])];
  return {
    causes,
    subject: 'candidate',
    kernel: own.kernel.name,
    explained: report.mismatched!,
    of: report.mismatched!,
    lost: 0,
    explained_by: [own.kernel.name],
    indistinguishable: [],
    evidence: {
      ...(inherited > 0 ? { inherited: { from: source, values: inherited } } : {}),
      ...(forms ? { [forms.cause]: { values: departing, declared: forms.words[0], found: forms.words[1] } } : {}),
      'two-captures': two,
    },
    ...fixed(forms ? fixesOf(asked, first.kernel, counts) : []),
  };
}

/** Run as the other side was. */
function fixesOf({ model, report }: Asked, { runWith }: Kernel, { left }: Counts): DiagnosisReport['fixes'] {
  if (runWith === undefined || left >= report.mismatched!) return [];
  const text = `run both with what made the first capture, ${nameOf(model.producer)}: ${runWith}`;
  return [{ subject: 'candidate', text, rehearsal: { mismatched_after_fix: left } }];
}

/** `LiteRT 2.3.0`. */
function nameOf({ framework, frameworkVersion }: Producer): string {
  return [frameworkName(framework) ?? 'a runtime', frameworkVersion].filter(Boolean).join(' ');
}
