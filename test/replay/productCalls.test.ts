/** Of many calls those that are quantized alike are replayed at once: each gives what it does by itself. */
import { expect, test } from 'vitest';
import { productSteps } from '../../src/kernels/kernel.js';
import { kernelByName } from '../../src/kernels/registry.js';
import { compareCalls, IN, outputsIn, truth } from '../diagnose/dynamicWorld.js';
import { randomFrom } from '../diagnose/world.js';

const random = randomFrom(7);

test.each([
  ['fbgemm', 'fbgemm', 1],
  ['qnnpack', 'qnnpack', 3],
])('%s: hundreds of calls, of few ranges', async (engine, kernel, batch) => {
  const samples = 200 * batch;
  const x = Float32Array.from({ length: samples * IN }, () => Math.fround(random.normal()));
  // each third call has the range of another before it
  for (let call = 3; call < 200; call += 3) {
    const [from, to] = [3 * random.integer(0, Math.floor(call / 3) - 1), call];
    x.copyWithin(to * batch * IN, from * batch * IN, (from + 1) * batch * IN);
    x.subarray(to * batch * IN, (to + 1) * batch * IN).reverse();
  }
  const calls = { x, batch, reduceRange: false };
  const captured = outputsIn(calls, productSteps(kernelByName(kernel), { op: 'linear_dynamic' })!, truth);
  const { layers } = await compareCalls(calls, truth, engine, captured);
  expect(layers[0]).toMatchObject({ mismatched: 0, values: captured.length });
});
