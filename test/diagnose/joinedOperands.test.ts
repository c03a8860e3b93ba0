/** Operands of cat that are copied into their places, and what is done to the others. */
import { describe, expect, test } from 'vitest';
import { roundHalfEven } from '../../src/numeric/round.js';
import { diagnosed, type Read } from './oneLayer.js';

const VALUES = 4 * 4 * 4;
const inputs = {
  a: { scale: 0.0487, zero_point: 101, shape: [4, 4, 4] },
  b: { scale: 0.0213, zero_point: 90, shape: [4, 4, 4] },
  c: { scale: 0.0311, zero_point: 120, shape: [4, 4, 4] },
};
/** One has the output's scale and zero point. */
const withEqual = { ...inputs, a: { scale: 0.05, zero_point: 77, shape: [4, 4, 4] } };
const Y = { scale: 0.05, zero_point: 77 };
const layer = { op: 'cat', dim: 1, output: { dtype: 'uint8', ...Y } };

/** How each operand becomes codes. */
type Way = (q: number, own: Read) => number;
const copied: Way = (q) => q;
const by =
  (round: (v: number) => number, zeroPoint = Y.zero_point): Way =>
  (q, { scale, zero_point }) =>
    round((q - zero_point) * (scale / Y.scale)) + zeroPoint;
const rounded = by(roundHalfEven);
const floored = by(Math.floor);

async function found(ways: readonly Way[], of: Readonly<Record<string, Read>> = inputs) {
  const own = Object.values(of);
  const { causes, evidence } = await diagnosed({ layer, inputs: of }, (right, given) =>
    right.map((_, at) => {
      const [sample, rest] = [Math.floor(at / (3 * VALUES)), at % (3 * VALUES)];
      const i = Math.floor(rest / VALUES);
      return Math.min(255, Math.max(0, ways[i](given[i][sample * VALUES + (rest % VALUES)], own[i])));
    }),
  );
  return { causes: [...causes].sort(), evidence };
}

test.each([
  [[0], [copied, rounded, rounded]],
  [
    [1, 2],
    [rounded, copied, copied],
  ],
  [
    [0, 1, 2],
    [copied, copied, copied],
  ],
])('copied: %j', async (taken, ways) => {
  const { causes, evidence } = await found(ways);
  expect(causes).toEqual(['rescale-missing']);
  expect(evidence['rescale-missing']).toMatchObject({ inputs: taken, left: 'scale and zero point' });
});

describe('beside', () => {
  test.each([
    [[0], [copied, floored, floored]],
    [[2], [floored, floored, copied]],
    [
      [0, 1],
      [copied, copied, floored],
    ],
  ])('the others rounded down, copied: %j', async (taken, ways) => {
    const { causes, evidence } = await found(ways);
    expect(causes).toEqual(['rescale-missing', 'rounding-floor']);
    expect(evidence['rescale-missing']).toMatchObject({ inputs: taken });
  });

  test('one of the output’s scale', async () => {
    expect((await found([floored, floored, floored], withEqual)).causes).toEqual(['rounding-floor']);
    expect((await found([floored, copied, floored], withEqual)).causes).toEqual(['rescale-missing', 'rounding-floor']);
  });

  test('the zero point of the output left out', async () => {
    const without = by(roundHalfEven, 0);
    const { causes, evidence } = await found([without, copied, without]);
    expect(causes).toEqual(['output-zero-point-wrong', 'rescale-missing']);
    expect(evidence['output-zero-point-wrong']).toMatchObject({ found: 0 });
  });
});

test.each<[what: string, ways: readonly Way[]]>([
  ['one moved by a code, the others rounded down', [(q) => q + 1, floored, floored]],
  ['one copied, the others by a scale that is none', [copied, by((v) => roundHalfEven(v * 1.07)), by(Math.floor)]],
  ['one copied but for some', [(q) => (q % 7 === 0 ? q + 1 : q), rounded, floored]],
])('no name: %s', async (_, ways) => {
  expect((await found(ways)).causes).toEqual(['unexplained']);
});
