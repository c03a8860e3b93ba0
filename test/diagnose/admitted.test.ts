import { expect, test } from 'vitest';
import { withAdmitted } from '../../src/diagnose/search/admitted.js';
import type { Change } from '../../src/diagnose/setup.js';
import type { Study } from '../../src/diagnose/study/study.js';

const [float, short] = ['float-arithmetic', 'multiplier-short'].map(
  (cause) => ({ cause, tiny: cause === 'float-arithmetic' }) as Change,
);

function namesOf(mismatched: number) {
  const study = { free: true, data: { mismatched }, agreesOnSubset: () => true } as unknown as Study;
  const hypothesis = (changes: readonly Change[]) => ({ changes, setup: {} as never });
  const searched = {
    causes: [{ code: short.cause, admits: () => [short] }] as never,
    bases: { isBetweenCodes: true } as never,
    hypothesis,
  };
  return withAdmitted(study, searched, [hypothesis([float])]).map(({ changes }) => changes[0].cause);
}

test('what gives sixteen values exactly comes before a bound that leaves them open, fewer after it', () => {
  expect(namesOf(16)).toEqual(['multiplier-short', 'float-arithmetic']);
  expect(namesOf(15)).toEqual(['float-arithmetic', 'multiplier-short']);
});
