/** A layer that only pads: with what, and where. */
import { expect, test } from 'vitest';
import { randomFrom } from '../diagnose/world.js';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';

const random = randomFrom(31);
const [SAMPLES, H, W] = [2, 5, 4];
const x = Int8Array.from({ length: SAMPLES * H * W * 3 }, () => random.integer(-128, 127));
const PAD: Alone = {
  producer: { framework: 'litert', kernel: 'tflite-reference' },
  inputs: { x: { dtype: 'int8', scale: 0.02, zero_point: -7, shape: [3, H, W] } },
  layer: { op: 'pad', pad: [1, 0, 1, 2] },
  values: { x },
  samples: SAMPLES,
};

/** [3, H + 3, W + 1], by loops. */
function padded(
  before: readonly [number, number],
  beside: (at: (y: number, x: number) => number, y: number, x: number) => number,
) {
  const out = new Int8Array(SAMPLES * 3 * (H + 3) * (W + 1));
  return out.map((_, i) => {
    const [ox, oy] = [(i % (W + 1)) - before[1], (Math.floor(i / (W + 1)) % (H + 3)) - before[0]];
    const plane = Math.floor(i / ((W + 1) * (H + 3))) * H * W;
    const at = (y: number, column: number) => x[plane + y * W + column];
    return oy >= 0 && oy < H && ox >= 0 && ox < W ? at(oy, ox) : beside(at, oy, ox);
  });
}
const limited = (v: number, size: number) => Math.min(Math.max(v, 0), size - 1);

test('as the file says', async () => {
  expect(
    await diagnosisOf(
      PAD,
      padded([1, 1], () => -7),
    ),
  ).toBeNull();
});

test.each([
  ['with code 0', 'padding-value', padded([1, 1], () => 0), { declared: -7, found: 0 }],
  ['with the lowest code', 'padding-value', padded([1, 1], () => -128), { found: -128 }],
  [
    'with its edge',
    'padding-value',
    padded([1, 1], (at, y, column) => at(limited(y, H), limited(column, W))),
    { found: 'replicate' },
  ],
  [
    'with more before than behind',
    'padding-place',
    padded([2, 1], () => -7),
    {
      declared: [
        [1, 2],
        [1, 0],
      ],
      found: [
        [2, 1],
        [1, 0],
      ],
    },
  ],
])('%s: %s', async (_, code, wrong, found) => {
  expect(await diagnosisOf(PAD, wrong)).toMatchObject({ causes: [code], lost: 0, evidence: { [code]: found } });
});

test('one value inside that is another has no such name', async () => {
  const wrong = padded([1, 1], () => 0);
  const inside = (await computed(PAD)).findIndex((code) => code !== -7);
  wrong[inside] += wrong[inside] > 0 ? -3 : 3;
  expect((await diagnosisOf(PAD, wrong))!.causes).toEqual(['unexplained']);
});

test('with code 0, and more of it before than behind: both are told', async () => {
  const { causes, explained, of, evidence } = (await diagnosisOf(
    PAD,
    padded([2, 1], () => 0),
  ))!;
  expect({ causes, explained }).toEqual({ causes: ['padding-place', 'padding-value'], explained: of });
  expect(evidence['padding-value']).toMatchObject({ declared: -7, found: 0 });
});
