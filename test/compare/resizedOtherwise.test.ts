/** A resize to the nearest place by another rule than the file's. */
import { describe, expect, it, test } from 'vitest';
import { randomFrom } from '../diagnose/world.js';
import { type Alone, diagnosisOf } from '../support/alone.js';

const random = randomFrom(37);
const [SAMPLES, C, H, W] = [3, 2, 7, 6];
const x = Uint8Array.from({ length: SAMPLES * C * H * W }, () => random.integer(0, 255));
const PARAMS = { dtype: 'uint8', scale: 0.02, zero_point: 118 };

type Place = (place: number, to: number, from: number) => number;
const limited = (v: number, size: number) => Math.min(size - 1, Math.max(0, v));
const halfPixel: Place = (p, to, from) => ((p + 0.5) * from) / to - 0.5;
const asymmetric: Place = (p, to, from) => (p * from) / to;
const corners: Place = (p, to, from) => (p * (from - 1)) / (to - 1);

const indicesBy = (place: Place, round: (v: number) => number, to: number, from: number) =>
  Array.from({ length: to }, (_, p) => limited(round(place(p, to, from)), from));

function resized(place: Place, round: (v: number) => number, [h, w]: readonly [number, number]) {
  const [rows, cols] = [indicesBy(place, round, h, H), indicesBy(place, round, w, W)];
  return Uint8Array.from({ length: SAMPLES * C * h * w }, (_, i) => {
    const plane = Math.floor(i / (h * w)) * H * W;
    return x[plane + rows[Math.floor(i / w) % h] * W + cols[i % w]];
  });
}

const alone = (layer: Alone['layer']): Alone => ({
  producer: { framework: 'onnxruntime', kernel: 'ort' },
  inputs: { x: { ...PARAMS, shape: [C, H, W] } },
  layer,
  values: { x },
  samples: SAMPLES,
});

const preferFloor = (v: number) => Math.ceil(v - 0.5);

describe('to 4 x 3, places that are listed', () => {
  const index = [indicesBy(halfPixel, preferFloor, 4, H), indicesBy(halfPixel, preferFloor, 3, W)];
  const layer = alone({ op: 'index_select', dim: [2, 3], index });

  test.each<[string, Place, (v: number) => number]>([
    ['asymmetric, floor', asymmetric, Math.floor],
    ['half_pixel, round_prefer_ceil', halfPixel, (v) => Math.floor(v + 0.5)],
    ['half_pixel, ceil', halfPixel, Math.ceil],
    ['align_corners, floor', corners, Math.floor],
  ])('%s', async (rule, place, round) => {
    const diagnosis = await diagnosisOf(layer, resized(place, round, [4, 3]));
    expect(diagnosis!.causes).toEqual(['resample-grid']);
    expect((diagnosis!.evidence['resample-grid'] as { rule: string }).rule).toContain(rule);
  });

  it('a place further on is no rule', async () => {
    const further: Place = (p, to, from) => asymmetric(p, to, from) + 2.5;
    const diagnosis = await diagnosisOf(layer, resized(further, Math.floor, [4, 3]));
    expect(diagnosis!.causes).not.toContain('resample-grid');
  });

  it('places that follow from no rule are no resize', async () => {
    const other = alone({
      op: 'index_select',
      dim: [2, 3],
      index: [
        [6, 0, 3, 1],
        [5, 0, 2],
      ],
    });
    const diagnosis = await diagnosisOf(other, resized(asymmetric, Math.floor, [4, 3]));
    expect(diagnosis!.causes).not.toContain('resample-grid');
  });
});

test('twice as large', async () => {
  const layer = alone({ op: 'interpolate', scale_factor: 2, mode: 'nearest' });
  const diagnosis = await diagnosisOf(layer, resized(halfPixel, Math.floor, [2 * H, 2 * W]));
  expect(diagnosis!.causes).toEqual(['resample-grid']);
  expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule: expect.stringContaining('half_pixel, floor') });
});

test('lines between places, to nearest, where the file picks: one mistake', async () => {
  const layer = alone({ op: 'interpolate', scale_factor: 2, mode: 'nearest' });
  const [h, w] = [2 * H, 2 * W];
  const near = (to: number, from: number, p: number) => limited(halfPixel(p, to, from), from);
  const mixed = Uint8Array.from({ length: SAMPLES * C * h * w }, (_, i) => {
    const plane = Math.floor(i / (h * w)) * H * W;
    const [py, px] = [near(h, H, Math.floor(i / w) % h), near(w, W, i % w)];
    const [y, column] = [Math.floor(py), Math.floor(px)];
    const at = (dy: number, dx: number) => x[plane + limited(y + dy, H) * W + limited(column + dx, W)];
    const [fy, fx] = [py - y, px - column];
    const rows = [0, 1].map((dy) => at(dy, 0) * (1 - fx) + at(dy, 1) * fx);
    return Math.floor(rows[0] * (1 - fy) + rows[1] * fy + 0.5);
  });
  const diagnosis = await diagnosisOf(layer, mixed);
  expect(diagnosis!.causes).toEqual(['resample-grid']);
  expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule: 'bilinear, half-pixel centres' });
});
