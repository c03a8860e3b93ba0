import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { disagreement, Numpy, ownOpinion } from '../fuzz/numpy.js';
import { NUMPY_CASES } from './asNumpy.js';

test.each(NUMPY_CASES)('$what: $by', async ({ npz, by }) => {
  const own = await ownOpinion(npz);
  expect('refused' in own ? own.refused : 'read').toMatch(by === 'read' ? /^read$/ : /^a\.npz.*: expected .*, got .*/);
});

const own = join(import.meta.dirname, '../../.venv/bin/python');
const python = existsSync(own) ? own : 'python3';
const numpy = await Numpy.start(python);

describe.skipIf(numpy === null)('numpy itself', () => {
  let asked: Numpy;
  beforeAll(() => {
    asked = numpy!;
  });
  afterAll(() => asked.stop());

  test.each(NUMPY_CASES)('$what: $by', async ({ npz, by }) => {
    const different = disagreement(await ownOpinion(npz), await asked.opinion(npz));
    // a name twice is read by nobody who has to know which of the two is meant
    if (by !== 'strict') expect(different).toBeNull();
    else if (different) expect(different.kind).toBe('stricter');
  });
});
