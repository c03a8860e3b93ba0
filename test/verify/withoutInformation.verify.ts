import { expect, it } from 'vitest';
import { namesOn } from '../diagnose/withoutInformation.js';

it('no cause is named on 10,000 layers whose values were not computed: constant, shuffled within a row, noise', async () => {
  const names = new Map<number, string[]>();
  let judged = 0;
  for (let seed = 1; seed <= 10_000; seed++) {
    const found = await namesOn(seed);
    if (found) judged++;
    if (found && found.length > 0) names.set(seed, found);
  }
  console.log(`${judged} layers without information, ${names.size} with a name`);
  expect([...names]).toEqual([]);
  expect(judged).toBeGreaterThan(9900);
});
