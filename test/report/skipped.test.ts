import { expect, it } from 'vitest';
import { NO_INK } from '../../src/report/terminal/ink.js';
import { skippedNotes } from '../../src/report/words/skipped.js';

const skipped = ['a', 'b', 'c', 'd'].map((layer) => ({ layer, why: 'quantize has no vectors of its own' }));
const options = { verbosity: 'normal', ink: NO_INK, unicode: true, width: 100 } as Parameters<typeof skippedNotes>[1];

it('says one reason once, and with -v every layer of it', () => {
  const all = [...skipped, { layer: 'e', why: 'no steps' }];
  expect(skippedNotes(all, options)).toEqual([
    'note: a, b, c and 1 more are not in it: quantize has no vectors of its own',
    'note: e is not in it: no steps',
  ]);
  expect(skippedNotes(all, { ...options, verbosity: 'verbose' })[0]).toContain('a, b, c, d are');
});
