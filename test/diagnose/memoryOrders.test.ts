/** Weights in memory of one layout that are read in another's. */
import { expect, it, test } from 'vitest';
import { fileOrders, otherOrders } from '../../src/diagnose/orders/memoryOrders.js';
import type { Product } from '../../src/nouns/kernel.js';
import { indicesOf, sizeOf } from '../../src/tensor/shape.js';
import { codesOf, diagnosisOf, type Form, sceneOf } from '../support/anyConvolution.js';

const weightsOf = (out: number, channels: number, kernel: readonly number[], transposed: boolean) =>
  ({
    outFeatures: out,
    patch: {
      inChannels: channels,
      outChannels: out,
      groups: 1,
      window: { kernel, transposed: transposed ? [0, 0] : null },
    },
  }) as unknown as Product;
const namesOf = (orders: readonly { order: string }[]) => orders.map(({ order }) => order);

/** Sizes of "[out, in, kh, kw]", and which weight lies at a place of that memory. */
function layout(name: string, sizes: Record<string, number>) {
  const axes = name.split(', ');
  const dims = axes.map((axis) => sizes[axis]);
  return {
    placeOf: (at: Record<string, number>) => axes.reduce((place, axis, i) => place * dims[i] + at[axis], 0),
    at: (place: number) => Object.fromEntries(indicesOf(place, dims).map((index, i) => [axes[i], index])),
  };
}

it.each([true, false])('transposed: %s; each is what its name says, by loops over both layouts', (transposed) => {
  const sizes = { out: 5, in: 3, kh: 2, kw: 4 };
  const product = weightsOf(5, 3, [2, 4], transposed);
  const orders = [...fileOrders(product), ...otherOrders(product)];
  expect(orders.length).toBe(transposed ? 31 : 7);
  for (const { order, from } of orders) {
    const [written, read] = [...order.matchAll(/\[(.*?)\]/g)].map(([, name]) => layout(name, sizes));
    for (let i = 0; i < sizeOf(Object.values(sizes)); i++) {
      const [out, kh, kw, channel] = indicesOf(i, [5, 2, 4, 3]);
      const place = order.endsWith('not flipped') ? { kh: 1 - kh, kw: 3 - kw } : { kh, kw };
      const at = written.at(read.placeOf({ out, ...place, in: channel }));
      expect(from(out, kh * 4 + kw, channel), order).toBe(((at.out * 2 + at.kh) * 4 + at.kw) * 3 + at.in);
    }
  }
});

it('has no two names for one order, and none for the declared one or the transposed weight', () => {
  const depthwise = weightsOf(16, 1, [3, 3], false);
  expect(namesOf([...fileOrders(depthwise), ...otherOrders(depthwise)])).toEqual([
    '[out, in, kh, kw] memory as [kh, kw, in, out]',
    '[kh, kw, in, out] memory as [out, in, kh, kw]',
  ]);
  const pointwise = weightsOf(6, 4, [1, 1], false);
  expect(namesOf([...fileOrders(pointwise), ...otherOrders(pointwise)])).toEqual([
    '[out, in, kh, kw] memory as [in, out, kh, kw]',
    '[kh, kw, in, out] memory as [out, in, kh, kw]',
  ]);
  expect(namesOf(otherOrders(weightsOf(4, 4, [1, 1], true)))).toEqual([]);
});

const FORM: Form = {
  op: 'conv_transpose2d',
  input: [5, 6, 5],
  weight: [5, 4, 3, 3],
  stride: [2, 2],
  padding: [
    [1, 1],
    [1, 1],
  ],
  dilation: [1, 1],
  groups: 1,
};

test("a transposed convolution's weights, written as PyTorch has them and read as TFLite's", async () => {
  const scene = sceneOf(FORM);
  const sizes = { out: 4, in: 5, kh: 3, kw: 3 };
  const [written, read] = ['in, out, kh, kw', 'out, kh, kw, in'].map((name) => layout(name, sizes));
  const wrong = await codesOf(scene, {
    weight: ({ n, c, tap: [kh, kw] }, own) => {
      const at = written.at(read.placeOf({ out: n, in: c, kh, kw }));
      return own(at.out, at.in, [at.kh, at.kw]);
    },
  });
  const diagnosis = await diagnosisOf(scene, wrong);
  expect(diagnosis).toMatchObject({
    causes: ['k-order'],
    evidence: { 'k-order': { of: 'weights', order: '[in, out, kh, kw] memory as [out, kh, kw, in]' } },
    lost: 0,
  });
  // not those of a convolution, which the mistake may have been
  expect(diagnosis!.fixes[0].text).toContain('take weights as [in, out / groups, kh, kw]');
  expect(diagnosis!.fixes[0].code!.map(({ text }) => text).join()).toContain('w[((c * OUT_CHANNELS + n) * KH + ky)');
});
