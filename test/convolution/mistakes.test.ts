/** Mistakes in convolutions of every form: each is named, by itself and beside another. QDIFF_SEED=N makes other layers of them. */
import { describe, expect, test } from 'vitest';
import type { Product } from '../../src/nouns/kernel.js';
import { type Change, codesOf, diagnosisOf, sceneOf } from '../support/anyConvolution.js';
import { DYNAMIC_FORMS, FORMS, MISTAKES, type Mistake } from './mistakes.js';

const SEED = Number(process.env.QDIFF_SEED ?? 1);

/** Null: a mistake that is none in this form. */
async function diagnosed(name: string, mistakes: readonly Mistake[], seed: number) {
  const form = FORMS[name] ?? DYNAMIC_FORMS[name];
  const changes = mistakes.map(({ change }) => change(form)).filter((change): change is Change => change !== null);
  if (changes.length < mistakes.length) return null;
  const steps = Object.assign({}, ...changes.map((change) => change.steps));
  const scene = sceneOf(form, { seed: SEED * 1000 + seed, coarse: mistakes.some(({ coarse }) => coarse) });
  const product: Change['product'] = (own) =>
    changes.reduce<Partial<Product>>(
      (all, change) => Object.assign(all, change.product?.(Object.assign({}, own, all))),
      {},
    );
  return diagnosisOf(scene, await codesOf(scene, { ...Object.assign({}, ...changes), steps, product }));
}

const mistake = (name: string) => {
  const found = MISTAKES.find((own) => own.name === name);
  if (!found) throw new Error(`no mistake is called ${name}`);
  return found;
};
const possible = (name: string) => MISTAKES.filter(({ change }) => change(FORMS[name]) !== null);

describe.each(Object.keys(FORMS))('%s', (name) => {
  test.each(possible(name))('$name is $cause', async (own) => {
    const diagnosis = await diagnosed(name, [own], MISTAKES.indexOf(own));
    expect(diagnosis).toMatchObject({ causes: [own.cause], lost: 0 });
    expect(diagnosis!.explained).toBe(diagnosis!.of);
  });
});

const GEOMETRY = MISTAKES.filter(
  ({ cause }) => /^(padding|stride|dilation|groups)-/.test(cause) || cause === 'k-order',
);
describe.each(Object.entries(DYNAMIC_FORMS))('%s', (name, form) => {
  test.each(GEOMETRY.filter(({ change }) => change(form) !== null))('$name is $cause', async (own) => {
    const diagnosis = await diagnosed(name, [own], MISTAKES.indexOf(own));
    expect(diagnosis).toMatchObject({ causes: [own.cause], lost: 0 });
    expect(diagnosis!.explained).toBe(diagnosis!.of);
  });
});

const PAIRS: readonly (readonly [form: string, one: string, other: string])[] = [
  ['conv1d', 'kernel flipped', 'scales shifted by one'],
  ['conv1d strided', 'no stride', 'no bias'],
  ['conv2d', 'padded with code 0', 'no bias'],
  ['conv2d', 'kernel flipped', 'padded one place later'],
  ['conv2d', 'down', 'biases shifted by one'],
  ['conv2d grouped', 'inputs in turns', 'scales shifted by one'],
  ['conv2d depthwise', 'padded with code 128', 'toward zero'],
  ['conv_transpose1d', 'kernel flipped', 'no bias'],
  ['conv_transpose2d', 'padded with code 0', 'kernel flipped'],
  ['conv_transpose2d grouped', 'padded one place later', 'down'],
  ['conv2d grouped', 'scales shifted by one', 'the low 8 bits of a code'],
  ['conv2d grouped', 'biases doubled', 'the low 8 bits of a code'],
  ['conv2d depthwise', 'scales shifted by one', 'products without their low 4 bits'],
  ['conv2d', 'biases doubled', 'sums of 16 bits'],
];

test.each(PAIRS)('%s: %s, and %s', async (name, ...pair) => {
  const both = pair.map(mistake);
  const diagnosis = await diagnosed(name, both, 50);
  expect(diagnosis).toMatchObject({ lost: 0 });
  expect([...diagnosis!.causes].sort()).toEqual(both.map(({ cause }) => cause).sort());
});
