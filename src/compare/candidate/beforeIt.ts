/** Layers whose values a candidate does not have, and what they do to the first that it has. */

import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { fixed } from '../../diagnose/finding/fixed.js';
import { seenAs, throughChain } from '../chain.js';
import { otherBefore } from '../inherited.js';
import type { Case } from './case.js';
import { diffReplay } from './readings.js';
import { unknownInput } from './unknownInput.js';

/** The chain from its last value on, searched as one. */
export async function beforeIt({
  comparison,
  layer,
  report,
  observed,
  expected,
  zeroPoint,
}: Case): Promise<LayerDiagnosis | null> {
  const { diagnosis, model, candidate, warn } = comparison;
  const { chainedSession: session, chainedValues: values } = (await comparison.meant()) ?? comparison;
  if (session.whyNotReplayed(layer)) return null;
  const chain = { ...comparison, values, session, free: true, diagnosis };
  const finding = await throughChain(chain, layer, observed, zeroPoint, report.mismatched!);
  if (!finding) return null;
  const unknown = unknownInput(model, candidate, layer);
  if (unknown !== null) warn('unknown-input', layer.name, unknown);
  const { mismatched } = await diffReplay(comparison, await session.open(layer), expected, zeroPoint);
  const fixes = finding.found.report.fixes.map((fix) => ({ ...fix, rehearsal: { mismatched_after_fix: mismatched } }));
  const { evidence, ...told } = seenAs(report.mismatched!, finding);
  // mended, it gives what the chain's first value, where that differs already, makes of it
  const from = mismatched === 0 ? null : await otherBefore(comparison, session, layer);
  const inherited = from !== null && { inherited: { from } };
  const diagnosed = { ...told, evidence: { ...evidence, ...inherited }, ...fixed(fixes) };
  return { report: diagnosed, byChannel: new Map(), changes: [] };
}
