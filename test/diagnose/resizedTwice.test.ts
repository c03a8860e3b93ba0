/** Resizes in two passes with codes between them, and what looks like it. */
import { describe, expect, test } from 'vitest';
import { roundHalfAway, roundHalfEven, roundHalfUp } from '../../src/numeric/round.js';
import { diagnosed } from './oneLayer.js';

const [CHANNELS, SIZE] = [3, 7];
/** Of one all shares are quarters. */
const [DOUBLE, UNEVEN] = [14, 12];
const ZP = 101;
const imageOf = (to: number) => ({
  layer: { op: 'interpolate', size: [to, to], mode: 'bilinear' },
  inputs: { x: { scale: 0.0487, zero_point: ZP, shape: [CHANNELS, SIZE, SIZE] } },
});

type Real = (v: number) => number;
type Pass = 'rows' | 'columns';

/** Of an output place: between which of the input's, and the share of the second, in so many bits. */
function between(o: number, to: number, bits?: number): [from: number, to: number, share: number] {
  const real = Math.min(Math.max(((o + 0.5) * SIZE) / to - 0.5, 0), SIZE - 1);
  const from = Math.floor(real);
  const share = bits === undefined ? real - from : Math.round((real - from) * 2 ** bits) / 2 ** bits;
  return [from, Math.min(from + 1, SIZE - 1), share];
}

function resized(x: ArrayLike<number>, pass: Pass, first: Real, last: Real, bits?: number) {
  const to = bits === undefined ? DOUBLE : UNEVEN;
  const mix = (a: number, b: number, share: number) => a * (1 - share) + b * share;
  return Array.from({ length: (x.length / SIZE ** 2) * to ** 2 }, (_, i) => {
    const plane = Math.floor(i / to ** 2) * SIZE ** 2;
    const [top, bottom, down] = between(Math.floor(i / to) % to, to, bits);
    const [left, right, along] = between(i % to, to, bits);
    const code = (row: number, column: number) => x[plane + row * SIZE + column];
    const row = (r: number) => first(mix(code(r, left), code(r, right), along));
    const column = (c: number) => first(mix(code(top, c), code(bottom, c), down));
    return last(pass === 'rows' ? mix(row(top), row(bottom), down) : mix(column(left), column(right), along));
  });
}

const around =
  (round: Real): Real =>
  (v) =>
    round(v - ZP) + ZP;
const itself: Real = (v) => v;

describe.each<Pass>(['rows', 'columns'])('%s first', (pass) => {
  test.each<[what: string, round: Real, evidence: object]>([
    ['to nearest, ties to even', roundHalfEven, { rule: 'to nearest' }],
    ['half up', roundHalfUp, { rule: 'to nearest' }],
    ['down', Math.floor, { rule: 'down' }],
    ['to nearest, ties away from the zero point', around(roundHalfAway), { rule: 'to nearest' }],
    ['towards the zero point', around(Math.trunc), { rule: 'down' }],
  ])('%s', async (_, round, evidence) => {
    const found = await diagnosed(imageOf(DOUBLE), (_right, [x]) => resized(x, pass, round, round));
    expect([found.causes, found.explained]).toEqual([['rounding-twice'], found.of]);
    expect(found.evidence['rounding-twice']).toMatchObject({ passes: pass, ...evidence });
  });

  test.each([
    ['half up', roundHalfUp],
    ['down', Math.floor],
  ] as const)('by weights of 5 bits, %s', async (_, round) => {
    const found = await diagnosed(imageOf(UNEVEN), (_right, [x]) => resized(x, pass, round, round, 5));
    expect([found.causes, found.explained]).toEqual([['rounding-twice'], found.of]);
    expect(found.evidence['rounding-twice']).toMatchObject({
      passes: pass,
      weights: expect.stringContaining('5 bits'),
    });
  });
});

test.each<[what: string, become: Parameters<typeof diagnosed>[1], to?: number]>([
  ['one rounding down', (_, [x]) => resized(x, 'rows', itself, Math.floor)],
  ['one rounding half up by weights of 5 bits', (_, [x]) => resized(x, 'rows', itself, roundHalfUp, 5), UNEVEN],
  [
    'every third value of one',
    (right, [x]) => resized(x, 'rows', roundHalfUp, roundHalfUp).map((own, i) => (i % 3 ? own : right[i])),
  ],
  ['a value more', (_, [x]) => resized(x, 'rows', roundHalfUp, roundHalfUp).map((own, i) => own + Number(i === 77))],
  ['noise of one', (right) => right.map((own, i) => own + (((i * 7919) % 31) % 3) - 1)],
  ['other numbers', (right) => right.map((_own, i) => (i * 7919) % 251)],
])('%s has not that name', async (_, become, to = DOUBLE) => {
  const { causes } = await diagnosed(imageOf(to), become);
  expect(causes).not.toContain('rounding-twice');
});
