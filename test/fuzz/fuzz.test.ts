import { afterAll, beforeAll, expect, test } from 'vitest';
import { KINDS } from './cases.js';
import { type Corpus, makeCorpus } from './corpus.js';
import { tryInput } from './input.js';
import { Numpy } from './numpy.js';

/** A few inputs of every kind; `npm run fuzz` tries as many as there is time for. */
const COUNT = 20;
const SEED = 21;

let corpus: Corpus;
let numpy: Numpy | null;
beforeAll(async () => {
  corpus = await makeCorpus();
  numpy = await Numpy.start('python3');
});
afterAll(() => numpy?.stop());

test.each(KINDS)('%s: no damage breaks a law', async (kind) => {
  const codes = new Set<number>();
  for (let index = 0; index < COUNT; index++) {
    const { one, result, faults } = await tryInput(SEED, index, corpus, numpy, kind);
    const broken = faults.filter((fault) => fault.kind !== 'stricter' && fault.kind !== 'slow');
    expect(broken, `npm run fuzz -- 1 ${SEED} --only ${kind} --show ${index}: ${one.argv.join(' ')}`).toEqual([]);
    codes.add(result.code);
  }
  expect(codes.size).toBeGreaterThan(1); // some are refused, some are not
});

/** Found by long runs: a state among the operands, a sample before the first, a --layer of 100,000 characters. */
test.each([
  [195002, 15084],
  [195003, 3984],
  [195003, 5795],
])('the input of seed %i, number %i, no longer ends in a defect', async (seed, index) => {
  const { result } = await tryInput(seed, index, corpus, null);
  expect(result.code).toBeLessThan(70);
});
