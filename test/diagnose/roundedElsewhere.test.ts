/** What is said of sums that are cut, counted or rounded before they are codes: each variant of a cause in its own words. */
import { expect, test } from 'vitest';
import type { CauseEvidence, Evidence } from '../../src/diagnose/finding/evidence.js';
import { CAUSE_WORDS, headline } from '../../src/diagnose/finding/sentences.js';
import type { FixContext } from '../../src/diagnose/words/causeWords.js';

type Code = 'pool-divisor' | 'product-rounded' | 'threshold-rule' | 'rounding-twice';

function said<C extends Code>(cause: C, evidence: CauseEvidence[C]): string {
  const context: FixContext = {
    layer: 'fc',
    op: 'linear',
    subject: 'candidate',
    framework: null,
    declaredKernel: 'xnnpack',
    foundKernel: null,
    explainedBy: [],
    evidence: { [cause]: evidence } as Evidence,
    producer: {},
    dynamic: false,
    quantizes: false,
  };
  const explanation = CAUSE_WORDS.get(cause)!.explanation;
  return `${headline(context, [cause])} ${typeof explanation === 'string' ? explanation : explanation(evidence as never)}`;
}

test('sums by their own shift, an input at the other one’s scale', () => {
  expect(said('product-rounded', { of: 'sums', own: true, rule: 'down', bias: 'in' })).toMatch(
    /^Yours: sums shifted, rounded down, before they are multiplied .*with its bias.* before it is multiplied/,
  );
  expect(said('product-rounded', { of: 'inputs', to: 0 })).toMatch(
    /^Yours: input 1 rounded to the steps of input 0 before they are added .*the other one's scale/,
  );
  expect(said('product-rounded', { of: 'values', bits: 8, rule: 'down' })).toMatch(
    /^Yours: products rounded down by 8 bits before they are scaled .*before it is multiplied/,
  );
  expect(said('product-rounded', { of: 'inputs' })).toMatch(/^Yours: inputs rounded .*the output's steps before/);
});

test('what a shift divides by is a number, where the file has one', () => {
  const rule = 'the power of two below the count';
  expect(said('pool-divisor', { rule, declared: 9 })).toMatch(
    /^Yours: windows divided by 8, the power of two below the count, not by 9 /,
  );
  expect(said('pool-divisor', { rule })).toMatch(/^Yours: windows divided by another count: the power of two below/);
});

test('thresholds by each rule', () => {
  expect(said('threshold-rule', { rule: 'greater' })).toMatch(
    /1 too small, as thresholds compared by > .*has reached it/,
  );
  expect(said('threshold-rule', { rule: 'nearest' })).toMatch(
    /1\/2 too large, .*rounded to the nearest.* smaller sums/,
  );
  expect(said('threshold-rule', { rule: 'down' })).toMatch(/1 too large, .*rounded down.* smaller sums/);
});

test('the first of two roundings in steps, and in real units', () => {
  expect(said('rounding-twice', { bits: 4, of: 'step', rule: 'down', unit: 1 / 16 })).toMatch(
    /^Yours: cut to 1\/16 of a step first, then to a code .* 4 bits behind the point before/,
  );
  expect(said('rounding-twice', { bits: 10, of: 'real', rule: 'to nearest', unit: 0.0175 })).toMatch(
    /^Yours: rounded to 2\^-10 \(0.0175 of a step\) first, .* 10 bits behind the point, in real units, before/,
  );
  const rule = { bits: 5, of: 'step', rule: 'to nearest', unit: 1 / 32 } as const;
  const added = { value: 1 / 64, interval: [0.0155, 0.0157] } as const;
  expect(said('rounding-twice', { ...rule, added: { ...added, to: 'all' } })).toMatch(
    /^Yours: 2\^-6 of a step added before the rounding, as rounding to 5 bits first does .*two readings/,
  );
  expect(said('rounding-twice', { ...rule, added: { ...added, to: 'away' } })).toMatch(
    /2\^-6 .* added away from zero /,
  );
  expect(said('rounding-twice', { ...rule, rule: 'down', added: { ...added, to: 'negative' } })).toMatch(
    /2\^-6 of a step taken off what is negative before the rounding, as cutting to 5 bits first does/,
  );
});
