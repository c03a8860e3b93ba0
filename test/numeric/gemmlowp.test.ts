import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bits,
  expOnNegative,
  hyperbolicTangent,
  inverseSquareRoot,
  logistic,
  multiplyHigh,
  oneOverOnePlus,
} from '../../src/numeric/gemmlowp.js';
import { divideRoundHalfUp } from './bigint.js';

test.each<Bits>([16, 32])('a * b / 2^%i, half up: only the square of the least number saturates', (bits) => {
  const most = 2 ** (bits - 1);
  expect(multiplyHigh(-most, -most, bits)).toBe(most - 1);
  const any = fc.oneof(fc.integer({ min: -most, max: most - 1 }), fc.constantFrom(-most, most - 1, 1 - most, most / 2));
  fc.assert(
    fc.property(any, any, (a, b) => {
      if (a === -most && b === -most) return;
      expect(multiplyHigh(a, b, bits)).toBe(Number(divideRoundHalfUp(BigInt(a) * BigInt(b), BigInt(most))));
    }),
    { seed: 12, numRuns: 1000 },
  );
});

/** How far a function of raw values is from the real one, in units of its last place. */
function worst(
  bits: Bits,
  integerBits: number,
  from: number,
  own: (raw: number) => number,
  real: (x: number) => number,
) {
  const unit = 2 ** (integerBits + 1 - bits);
  let most = 0;
  for (let i = 0; i <= 4096; i++) {
    const raw = Math.round((from * (1 - i / 4096)) / unit);
    const limited = Math.max(-(2 ** (bits - 1)), Math.min(raw, 2 ** (bits - 1) - 1));
    most = Math.max(most, Math.abs(own(limited) - real(limited * unit) * 2 ** (bits - 1)));
  }
  return most;
}

describe.each<[Bits, number[]]>([
  [16, [2, 2, 6, 7, 12]],
  [32, [500, 500, 6, 160, 310]],
])('of %i bits, within so many units of the last place', (bits, units) => {
  test.each([
    ['exp of 0 to -16', 4, -16, (raw: number) => expOnNegative(raw, 4, bits), Math.exp, units[0]],
    ['exp of 0 to -1/4', 0, -1 / 4, (raw: number) => expOnNegative(raw, 0, bits), Math.exp, units[1]],
    ['1 / (1 + x)', 0, 1, (raw: number) => oneOverOnePlus(raw, bits), (x: number) => 1 / (1 + x), units[2]],
    ['logistic', 4, -8, (raw: number) => logistic(raw, 4, bits), (x: number) => 1 / (1 + Math.exp(-x)), units[3]],
    ['tanh', 3, -8, (raw: number) => hyperbolicTangent(raw, 3, bits), Math.tanh, units[4]],
  ])('%s', (_, integerBits, from, own, real, most) => {
    expect(worst(bits, integerBits, from, own, real)).toBeLessThan(most);
  });
});

test('1 / sqrt of whole numbers, to 2^-18', () => {
  for (const whole of [2, 3, 4, 5, 100, 255, 65025, 2 ** 20 + 1, 2 ** 29, 2 ** 31 - 1]) {
    const { multiplier, exponent } = inverseSquareRoot(whole);
    expect([whole, multiplier * 2 ** (exponent - 31) * Math.sqrt(whole)]).toEqual([whole, expect.closeTo(1, 5)]);
  }
});

/** Codes that an LSTM of LiteRT 2.3.0 gave from cells of scale 2^-10: tanh(17328 / 2^10) was 0.716 by the powers alone. */
test.each([3, 4, 5, 6])('tanh of int16 with %i integer bits is near the real one, 1 at last, and odd', (bits) => {
  let most = 0;
  for (let code = 0; code < 32768; code++) {
    const value = hyperbolicTangent(code, bits, 16);
    most = Math.max(most, Math.abs(value / 32768 - Math.tanh(code / 2 ** (15 - bits))));
    if (hyperbolicTangent(-code, bits, 16) !== -value + 0) expect(code).toBe('odd');
  }
  expect(most).toBeLessThan(2 ** -10);
  expect(hyperbolicTangent(32767, bits, 16)).toBe(32767);
});
