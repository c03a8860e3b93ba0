import { expect, test } from 'vitest';
import { namesByKernel } from './equalKernels.js';
import { kindsOf, MISTAKES } from './mistakes.js';

// (the layers of 272 inputs, and every kernel, in the slower run)
const SCENES = MISTAKES.flatMap((mistake) => {
  const kinds = kindsOf(mistake).filter((kind) => kind !== 'wide');
  return kinds.slice(-1).map((kind) => ({ name: mistake.name, mistake, kind }));
});

test.each(SCENES)(
  '$name, $kind: the same under each declared kernel that the capture cannot tell apart',
  async ({ mistake, kind }) => {
    const { said } = await namesByKernel(mistake, kind, 11, 2);
    expect([...said.entries()].slice(1)).toEqual([]);
  },
);

test('most scenes have several such kernels', async () => {
  const counts = await Promise.all(
    SCENES.slice(0, 40).map(async ({ mistake, kind }) => (await namesByKernel(mistake, kind, 11, 0)).equal.length),
  );
  expect(counts.filter((count) => count > 1).length).toBeGreaterThan(30);
});

test('one value near a tie, inside the bound of sums of floats, is no other type of codes, no clamp and no rounding', async () => {
  const mistake = MISTAKES.find(({ name }) => name === 'candidate: gemmlowp')!;
  const { said } = await namesByKernel(mistake, 'wide', 1, 2);
  expect(said).toEqual(
    new Map([
      ['fixed-point-multiplier', ['fbgemm']],
      ['float-arithmetic', ['pt2e-reference']],
    ]),
  );
});
