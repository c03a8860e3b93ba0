import type { Severity } from '../../../documents/lint.js';
import { type LosingPairs, type PairGroup, worstPair } from '../pairs.js';
import type { Found, Rule } from '../rule.js';
import type { Subject } from '../subject.js';

type Code = 'int16-saturation';

/** Two products of raw codes that vpmaddubsw adds can leave int16: 255 * 127 + 255 * 2 = 32895. */
export const int16Saturation: Rule<Code> = {
  code: 'int16-saturation',
  ofChannel: (subject, channel) =>
    subject.saturating.flatMap((group) => {
      const losing = worstPair(subject.product, group, channel, subject.range.codes);
      return losing ? [found(subject, group, channel, losing)] : [];
    }),
};

function found(subject: Subject, group: PairGroup, channel: number, { pair, pairs, total }: LosingPairs): Found<Code> {
  const { product, observed } = subject;
  const { kernels } = group;
  const possible = { pair, pairs_that_can_saturate: pairs, pairs: total };
  if (!observed) return { severity: 'error', kernels, evidence: possible, facts: null };
  const { samples, codes, codesAbove127 } = observed;
  const values = observed.inexact.get(group.step)![channel];
  const isSafe = worstPair(product, group, channel, codes) === null;
  return {
    severity: severityOf(values, isSafe),
    kernels,
    evidence: { ...possible, saturated_values: values, codes_above_127: codesAbove127 },
    facts: { samples, codes, isSafe },
  };
}

/** isSafe: no pair leaves int16 within the captured codes. */
function severityOf(saturatedValues: number, isSafe: boolean): Severity {
  if (saturatedValues > 0) return 'error';
  return isSafe ? 'info' : 'warning';
}
