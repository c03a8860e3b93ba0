import { expect, test } from 'vitest';
import { shortForms } from '../../src/diagnose/alternatives/short/shortForms.js';
import { linearOf } from '../kernels/layers.js';

test('numbers of all channels are made once: they are asked for beside each change', () => {
  const layer = linearOf({
    weight: [
      [1, 2],
      [3, 4],
    ],
    weightScale: [0.01, 0.02],
    bias: [0, 0],
  });
  const forms = shortForms(layer);
  expect(forms.length).toBeGreaterThan(0);
  for (const form of forms) {
    expect(form.numbers).toHaveLength(2);
    expect(form.numbers).toBe(form.numbers);
    expect(form.numbers).toEqual([form.at(0), form.at(1)]);
  }
});
