/** What a layer that chooses its scale in each call does, tried in one that does not: both are in a network that is quantized in part. */
import { expect, it } from 'vitest';
import { dynamicChange } from '../../src/diagnose/alternatives/departures.js';
import { withArithmetic } from '../../src/kernels/steps/dynamic.js';

it('changes nothing there', () => {
  const declared = { kind: 'product', steps: { dynamic: null } } as never;
  const change = dynamicChange('multiplier-precision', 'another', (own) => withArithmetic(own, own));
  expect(change.apply(declared)).toBe(declared);
});
