/** A candidate whose values stand in another order and are wrong besides: named as in the file's order, and the order with it. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { kernelByName } from '../../src/kernels/registry.js';
import { int16Wrap } from '../../src/kernels/steps/accumulate.js';
import { downward } from '../../src/kernels/steps/round.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { ProductSteps } from '../../src/nouns/kernel.js';
import { replayedCapture } from '../../src/replay/reference.js';
import { ReplaySession } from '../../src/replay/session.js';
import { permuted } from '../../src/tensor/permute.js';
import { networkBy } from '../support/networkBy.js';

const CONVOLUTIONS = ['stem', 'dw', 'pw'];

/** Values of three axes with their axes in another order. */
function inOrder(candidate: Capture, order: readonly number[]): Capture {
  const moved = (value: CapturedValue): CapturedValue => {
    const { dims } = value.shape;
    const read = async (from: number, to: number) =>
      permuted(await value.read(from, to), [to - from, ...dims], [0, ...order.map((axis) => axis + 1)]);
    return dims.length === 3 ? { ...value, read } : value;
  };
  return { ...candidate, values: new Map([...candidate.values].map(([name, value]) => [name, moved(value)])) };
}

async function causesIn({ model, capture }: Awaited<ReturnType<typeof networkBy>>, candidate: Capture) {
  const { candidate_layers: layers, warnings } = await compare(model, capture, {
    candidate,
    samples: { from: 0, to: 4 },
    selects: ({ name }) => CONVOLUTIONS.includes(name),
  });
  const found = layers!.map(({ diagnosis }) => ({ causes: new Set(diagnosis?.causes), diagnosis }));
  return { found, notes: warnings.filter(({ code }) => code === 'one-order').map(({ message }) => message) };
}

test.each<[string, readonly number[], Partial<ProductSteps>, RegExp]>([
  ['rounded down, channels last', [1, 2, 0], { round: downward }, /in the same other order \(channels last\)/],
  ['rounded down, width before channels and height', [2, 0, 1], { round: downward }, /axes in the order 3, 1, 2/],
  ['sums of 16 bits, channels last', [1, 2, 0], { accumulate: int16Wrap }, /channels last/],
])('%s: both, in each layer', async (_, order, steps, rule) => {
  const network = await networkBy(steps);
  const { found: plain, notes: none } = await causesIn(network, network.candidate);
  const { found: moved, notes } = await causesIn(network, inOrder(network.candidate, order));
  expect(plain.flatMap(({ causes }) => [...causes])).not.toContain('unexplained');
  expect(none).toEqual([]);
  expect(notes).toEqual([expect.stringMatching(rule)]);
  for (const [i, { causes, diagnosis }] of moved.entries()) {
    expect(causes).toEqual(new Set(['output-order', ...plain[i].causes]));
    expect(diagnosis!.explained).toBe(diagnosis!.of);
    expect(diagnosis!.fixes.map(({ text }) => text).join()).toMatch(/write the values in the order of the file/);
  }
});

test('an image that is read with its sides exchanged is no order of what is written', async () => {
  const network = await networkBy({});
  const { model, capture } = network;
  const turned = inOrder(capture, [0, 2, 1]);
  const session = new ReplaySession(model, turned, kernelByName('fbgemm')!, 'isolated');
  const values = new Map([['stem', replayedCapture(model, turned, session).values.get('stem')!]]);
  const { found } = await causesIn(network, { ...capture, values });
  expect(found[0].causes).toEqual(new Set(['k-order']));
});
