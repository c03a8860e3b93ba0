import { expect, it } from 'vitest';
import { namesByKernel } from '../diagnose/equalKernels.js';
import { kindsOf, MISTAKES } from '../diagnose/mistakes.js';

it.each([1, 2, 3])(
  'no other name is given where another of equal kernels was declared: layers of seed %i',
  async (seed) => {
    const different: string[] = [];
    let sets = 0;
    for (const mistake of MISTAKES) {
      for (const kind of kindsOf(mistake)) {
        const { said, isOne } = await namesByKernel(mistake, kind, seed);
        sets++;
        if (!isOne) different.push(`${mistake.name}, ${kind}: ${JSON.stringify([...said])}`);
      }
    }
    console.log(`${sets} sets, ${different.length} that depend on the declared kernel`);
    expect(different).toEqual([]);
  },
);
