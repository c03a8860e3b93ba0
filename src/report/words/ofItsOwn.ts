/** A layer's own causes, told apart from what came with its input: in a chain of layers one cause is one finding. */

import { firstFixSentence, inheritedSentence, rehearsalSentence } from '../../diagnose/finding/sentences.js';
import type { FindingContext } from '../../diagnose/words/causeWords.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { counted } from '../../text.js';
import { total } from './numbers.js';

/** One side's departure in one layer. */
export interface Side {
  readonly context: FindingContext;
  readonly diagnosis: DiagnosisReport;
  readonly layer: LayerReport;
}

/** Without what came with its input, which other layers' findings tell. */
export function ofItsOwn(side: Side): Side {
  const { context, diagnosis, layer } = side;
  if (!diagnosis.causes.includes('inherited') || isInherited(diagnosis)) return side;
  const causes = diagnosis.causes.filter((cause) => cause !== 'inherited');
  const { inherited, ...others } = context.evidence;
  const fixes = diagnosis.fixes.filter(({ text }) => !saysFirst(text, layer, context));
  if (fixes.length === 0) return side; // what to do is there alone
  // counts of each cause are this layer's
  const uncounted = Object.entries(others).map(([cause, own]) => [cause, { ...own, values: undefined }]);
  const evidence = { ...Object.fromEntries(uncounted), inherited };
  return {
    context: { ...context, evidence },
    diagnosis: { ...diagnosis, causes, fixes, fix: fixes.at(0)?.text ?? null },
    layer,
  };
}

/** Exact on its own input: the headline says all there is. */
export function isInherited({ causes }: DiagnosisReport): boolean {
  return causes.length > 0 && causes.every((cause) => cause === 'inherited');
}

/** That part of it came with the input is among its causes. */
function isTold({ causes }: DiagnosisReport): boolean {
  return causes.includes('inherited');
}

/** Few for a line each. */
const FEW = 3;

/** Which layers read one that differs already, and how much of what differs came with it. */
export function inheritedLines(sides: readonly Side[]): string[] {
  const reading = sides.filter(({ context }) => inheritedSentence(context) !== null);
  if (reading.some(({ diagnosis }) => isTold(diagnosis))) return [];
  if (reading.length <= FEW) return reading.map((side) => cameWith(inheritedSentence(side.context)!, [side]));
  return [cameWith(`${reading.length} of these layers read one that differs already`, reading)];
}

function cameWith(reads: string, sides: readonly Side[]): string {
  const different = total(sides.map(({ layer }) => layer.mismatched));
  const values = sides.flatMap(({ context }) => context.evidence.inherited?.values ?? []);
  if (values.length === sides.length)
    return `${reads}: ${total(values)} of ${sides.length === 1 ? 'its' : 'their'} ${counted(different, 'differing value')} came with it`;
  if (sides[0].diagnosis.subject === 'candidate') return reads;
  // propagated: its own cause is counted on the captured input, and more differ
  const own = total(sides.map(({ diagnosis }) => diagnosis.of));
  return `${counted(different, 'value')} ${different === 1 ? 'differs' : 'differ'} here, ${own} on the captured input: ${reads}`;
}

/** Whether a fix is to mend the layer before. */
export function saysFirst(fix: string | undefined, layer: LayerReport, { evidence }: FindingContext): boolean {
  const { from, values } = evidence.inherited ?? {};
  return from !== undefined && values !== undefined && fix === firstFixSentence(layer, from, values);
}

/** What a candidate's layer is rehearsed to do on the input that it had, which differs. */
function keepsInput({ layer, diagnosis, context }: Side, fix: number): boolean {
  if (diagnosis.subject !== 'candidate' || context.evidence.inherited === undefined) return false;
  return !saysFirst(diagnosis.fixes.at(fix)?.text, layer, context);
}

const BY_INPUT = ', by what came with the input';

/** By itself a fix leaves what came with the input, and nothing else: where nothing did is said apart. */
export function rehearsalOf(sides: readonly Side[], fix: number): string | null {
  const known = sides.map((side) => ({
    left: side.diagnosis.fixes.at(fix)?.rehearsal?.mismatched_after_fix,
    values: side.layer.values ?? 0,
    isSame: !keepsInput(side, fix),
  }));
  if (known.some(({ left }) => left === undefined)) return null;
  const sum = (some: typeof known): [left: number, values: number] => [
    some.reduce((total, { left }) => total + left!, 0),
    some.reduce((total, { values }) => total + values, 0),
  ];
  const [same, others] = [known.filter(({ isSame }) => isSame), known.filter(({ isSame }) => !isSame)];
  const [left, values] = sum(others);
  if (left > 0 && same.length > 0)
    return `${rehearsalSentence(...sum(same))} where the input is the same; ${left} of ${values} elsewhere still differ${BY_INPUT}`;
  const rehearsed = sum(known);
  // each side is what its own runtime computes: under one runtime only another input makes another value
  const isInput = rehearsed[0] > 0 && sides.every(({ diagnosis }) => 'two-captures' in diagnosis.evidence);
  return rehearsalSentence(...rehearsed) + (left > 0 || isInput ? BY_INPUT : '');
}
