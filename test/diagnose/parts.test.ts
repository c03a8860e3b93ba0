import { expect, test } from 'vitest';
import { inEachPart } from '../../src/diagnose/search/parts.js';
import type { Change, Setup } from '../../src/diagnose/setup.js';
import type { Study } from '../../src/diagnose/study/study.js';

test('no part is sought once the search is over: what it is takes a replay of a million channels', () => {
  const asked: unknown[] = [];
  const study = new Proxy({}, { get: (_, name) => asked.push(name) }) as Study;
  const setupOf = () => ({}) as Setup;
  const parts = inEachPart(study, [{} as Change], [], setupOf, () => true);
  expect([...parts]).toEqual([]);
  expect(asked).toEqual([]);
});
