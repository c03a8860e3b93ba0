/** Groups whose sums take less than to cut them out are gone through at once: what each gives by itself. */
import { expect, test, vi } from 'vitest';
import { productSteps } from '../../src/kernels/kernel.js';
import { kernelByName, kernels } from '../../src/kernels/registry.js';
import { isPaired } from '../../src/kernels/steps/accumulate.js';
import type { Product } from '../../src/nouns/kernel.js';
import { eachGroup } from '../../src/products/groups.js';
import { replayProduct } from '../../src/replay/product.js';
import { sumsOfGroups } from '../../src/replay/sumsOfGroups.js';
import { randomFrom } from '../diagnose/world.js';
import { linearOf, params } from '../kernels/layers.js';

const ROWS = 3;

function grouped(groups: number, each: number, inFeatures: number, dtype: 'uint8' | 'int8') {
  const random = randomFrom(groups + each + inFeatures);
  const numbers = (count: number, of: () => number) => Array.from({ length: count }, of);
  const channels = groups * each;
  const product: Product = {
    ...linearOf({
      // some pairs lose, some cannot
      weight: numbers(channels, () => 0).map((_, n) =>
        numbers(inFeatures, () => random.integer(-127, 127) >> ((n % 3) * 2)),
      ),
      weightScale: numbers(channels, () => random.integer(1, 90) / 1e4),
      weightZeroPoint: numbers(channels, () => 0),
      bias: numbers(channels, () => random.integer(-50, 50) / 7),
      input: params(dtype, 0.05, dtype === 'int8' ? 3 : 130),
      output: params(dtype, 0.3, 7),
    }),
    groups,
  };
  const codes = numbers(ROWS * groups * inFeatures, () =>
    random.integer(product.input.quantMin, product.input.quantMax),
  );
  const data = dtype === 'int8' ? Int8Array.from(codes) : Uint8Array.from(codes);
  return { product, x: { rows: ROWS, cols: groups * inFeatures, data } };
}

const SIZES = [
  [5, 1, 9],
  [4, 3, 6],
  [17, 1, 1],
] as const;

test.each(['uint8', 'int8'] as const)('%s: every kernel', (dtype) => {
  for (const [groups, each, inFeatures] of SIZES) {
    const { product, x } = grouped(groups, each, inFeatures, dtype);
    for (const kernel of kernels) {
      const steps = productSteps(kernel, 'conv2d');
      if (!steps) continue;
      const whole = replayProduct(steps, product, x);
      for (const { product: own, x: codes, firstChannel } of eachGroup(product, x)) {
        const alone = replayProduct(steps, own, codes);
        for (const field of ['data', 'low', 'high', 'accumulator'] as const) {
          const columns = (values: ArrayLike<number>, width: number, from: number) =>
            Array.from({ length: ROWS * each }, (_, i) => values[Math.floor(i / each) * width + from + (i % each)]);
          if (!alone[field]) continue;
          expect(columns(whole[field]!, product.outFeatures, firstChannel), kernel.name).toEqual([...alone[field]]);
        }
      }
    }
  }
});

test('no group is cut out, whether its pairs lose something or not', () => {
  const { product, x } = grouped(50, 1, 9, 'uint8');
  let lost = 0;
  for (const name of ['fbgemm', 'fbgemm-avx2', 'qnnpack']) {
    const { accumulate } = productSteps(kernelByName(name), 'linear')!;
    const run = vi.spyOn(accumulate, 'run');
    const { data } = sumsOfGroups(accumulate, x, product, null);
    expect(run).not.toHaveBeenCalled();
    run.mockRestore();
    const exact = sumsOfGroups(productSteps(kernelByName('numpy'), 'linear')!.accumulate, x, product, null);
    if (isPaired(accumulate)) lost += data.filter((sum: number, i: number) => sum !== exact.data[i]).length;
  }
  expect(lost).toBeGreaterThan(0);
});

test('nor where a layer runs in float: its numbers are made for all groups at once', () => {
  const { product, x } = grouped(50, 1, 9, 'uint8');
  const steps = productSteps(kernelByName('pt2e-reference'), 'linear')!;
  const near = vi.spyOn(steps.float!.product, 'near');
  replayProduct(steps, product, x);
  expect(near).toHaveBeenCalledOnce();
  near.mockRestore();
});
