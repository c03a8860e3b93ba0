import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nthOf } from '../../src/numeric/nth.js';

test('what sorting puts at a place', () => {
  const values = fc.array(fc.oneof(fc.integer({ min: -4, max: 4 }), fc.double({ noNaN: true })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(values, fc.nat(), (own, at) => {
      const n = at % own.length;
      expect(nthOf(Float64Array.from(own), n)).toBe(Float64Array.from(own).sort()[n]);
    }),
  );
});
