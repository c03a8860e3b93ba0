import { fixed } from '../diagnose/finding/fixed.js';
import type { Layer } from '../nouns/model.js';
import type { LayerReport } from '../nouns/report.js';
import type { LayerRun, ReplaySession } from '../replay/session.js';
import { firstDiffering, type Samples } from './candidate/readings.js';
import type { OwnComparison } from './comparison.js';

/** Exact on its own input; it differs only since its input does. */
export function inherited(report: LayerReport, kernel: string, from: string): LayerReport['diagnosis'] {
  return {
    causes: ['inherited'],
    subject: 'capture',
    kernel,
    explained: report.mismatched!,
    of: report.mismatched!,
    lost: 0,
    explained_by: [kernel],
    indistinguishable: [],
    evidence: { inherited: { from } },
    ...fixed([]),
  };
}

/** The first of a layer's inputs that is not what `session` reads, the captured one; null: it reads the same. */
export async function otherInput(session: ReplaySession, run: LayerRun, samples: Samples): Promise<string | null> {
  const { layer } = run.ready;
  if (session.whyNotReplayed(layer)) return null;
  const { inputs } = await session.open(layer);
  return layer.inputs[await firstDiffering(samples, run.inputs, inputs)] ?? null;
}

/** The last value before a layer that the candidate wrote: what came with the input came from there. */
export function sourceOf({ model, candidate }: Pick<OwnComparison, 'model' | 'candidate'>, input: string): string {
  let name = input;
  while (!candidate.values.has(name)) {
    const producer = model.layers.find((layer) => layer.name === name);
    if (!producer) return input;
    [name] = producer.inputs;
  }
  return name;
}

/** The candidate's last value before a layer, where it is not the captured one; own: what reads the candidate's. */
export async function otherBefore(
  comparison: OwnComparison,
  own: ReplaySession,
  { inputs: [input] }: Layer,
): Promise<string | null> {
  const { model, candidate, session } = comparison;
  const source = sourceOf(comparison, input);
  const reader = model.layers.find(({ inputs }) => inputs.includes(source));
  if (!reader || !candidate.values.has(source) || own.whyNotReplayed(reader)) return null;
  const other = await otherInput(session, await own.open(reader), comparison);
  return other === source ? source : null;
}
