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

test('the nearest place, where the file mixes', async () => {
  const layer = alone({ op: 'interpolate', size: [10, 9], mode: 'bilinear' });
  const diagnosis = await diagnosisOf(
    layer,
    resized(corners, (v) => Math.floor(v + 0.5), [10, 9]),
  );
  expect(diagnosis!.causes).toEqual(['resample-grid']);
  expect(diagnosis!.evidence['resample-grid']).toMatchObject({
    rule: expect.stringContaining('nearest, align_corners'),
  });
});

/** Sums of neighbours by shares, rounded. */
function mixed(place: Place, [h, w]: readonly [number, number], share: (v: number) => number, half = 0.5) {
  const near = (to: number, from: number, p: number) => limited(place(p, to, from), from);
  return Uint8Array.from({ length: SAMPLES * C * h * w }, (_, i) => {
    const plane = Math.floor(i / (h * w)) * H * W;
    const [py, px] = [near(h, H, Math.floor(i / w) % h), near(w, W, i % w)];
    const [y, column] = [Math.floor(py), Math.floor(px)];
    const at = (dy: number, dx: number) => x[plane + limited(y + dy, H) * W + limited(column + dx, W)];
    const [fy, fx] = [share(py - y), share(px - column)];
    const rows = [0, 1].map((dy) => at(dy, 0) * (1 - fx) + at(dy, 1) * fx);
    return Math.floor(rows[0] * (1 - fy) + rows[1] * fy + half);
  });
}

test('lines between places, to nearest, where the file picks: one mistake', async () => {
  const layer = alone({ op: 'interpolate', scale_factor: 2, mode: 'nearest' });
  const diagnosis = await diagnosisOf(
    layer,
    mixed(halfPixel, [2 * H, 2 * W], (v) => v),
  );
  expect(diagnosis!.causes).toEqual(['resample-grid']);
  expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule: 'bilinear, half-pixel centres' });
});

describe('neighbours weighed by integers', () => {
  const layer = alone({ op: 'interpolate', size: [10, 9], mode: 'bilinear' });
  const pytorch = { ...layer, producer: { framework: 'pytorch', kernel: 'fbgemm' } };
  const ofBits = (bits: number) => (v: number) => Math.floor(v * 2 ** bits + 0.5) / 2 ** bits;

  test.each<[string, Place, number]>([
    ['weights of 8 bits', halfPixel, 8],
    ['bilinear, align_corners, weights of 7 bits', corners, 7],
    ['bilinear, asymmetric: index * step, weights of 11 bits', asymmetric, 11],
  ])('%s', async (rule, place, bits) => {
    const diagnosis = await diagnosisOf(pytorch, mixed(place, [10, 9], ofBits(bits)));
    expect(diagnosis!.causes).toEqual(['resample-grid']);
    expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule });
  });

  it('weights cut off', async () => {
    const diagnosis = await diagnosisOf(
      pytorch,
      mixed(halfPixel, [10, 9], (v) => Math.floor(v * 256) / 256),
    );
    expect(diagnosis!.causes).toEqual(['resample-grid']);
    expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule: expect.stringContaining('8 bits, cut off') });
  });

  it('and their sum rounded down', async () => {
    const diagnosis = await diagnosisOf(pytorch, mixed(corners, [10, 9], ofBits(8), 0));
    expect(diagnosis!.causes).toEqual(expect.arrayContaining(['resample-grid', 'rounding-truncate']));
    expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule: 'bilinear, align_corners, weights of 8 bits' });
  });

  it('of an image twice as large the weights have few bits anyway: a rounding is no grid', async () => {
    const twice = { ...pytorch, layer: { op: 'interpolate', scale_factor: 2, mode: 'bilinear' } };
    const diagnosis = await diagnosisOf(twice, mixed(halfPixel, [2 * H, 2 * W], ofBits(8)));
    expect(diagnosis!.causes).toEqual(['rounding-half-up']);
  });

  it('a weight that none has is unexplained', async () => {
    const diagnosis = await diagnosisOf(
      pytorch,
      mixed(halfPixel, [10, 9], (v) => v ** 1.1),
    );
    expect(diagnosis!.causes).toEqual(['unexplained']);
  });
});

describe("between places of TFLite's grids, by thirds that no float holds", () => {
  const bilinear = { op: 'interpolate', size: [12, 9], mode: 'bilinear', align_corners: false };
  const ofFile = (half: boolean): Alone => ({
    ...alone({ ...bilinear, half_pixel_centers: half }),
    producer: { framework: 'litert', kernel: 'tflite-reference' },
  });
  const itself = (v: number) => v;

  test.each<[string, boolean, Place, string]>([
    ['half_pixel_centers', false, halfPixel, 'o * in / out'],
    ['neither align_corners nor half_pixel_centers', true, asymmetric, 'max((o + 0.5) * in / out - 0.5, 0)'],
    ['align_corners', true, corners, 'max((o + 0.5) * in / out - 0.5, 0)'],
  ])('%s is a grid, and no arithmetic in float32', async (rule, half, place, places) => {
    const diagnosis = await diagnosisOf(ofFile(half), mixed(place, [12, 9], itself));
    expect(diagnosis!.causes).toContain('resample-grid');
    expect(diagnosis!.causes.filter((code) => code !== 'resample-grid' && code !== 'multiplier-precision')).toEqual([]);
    expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule: `bilinear, ${rule}`, places });
    expect(diagnosis!.fix).toContain(`from ${places} of the input`);
  });

  it('real weights on the grid of the file are none', async () => {
    const diagnosis = await diagnosisOf(ofFile(false), mixed(asymmetric, [12, 9], itself));
    expect(diagnosis!.causes).toEqual(['multiplier-precision']);
  });

  it('codes cut off, which of uint8 is down', async () => {
    const diagnosis = await diagnosisOf(ofFile(false), mixed(asymmetric, [12, 9], itself, 0));
    expect(diagnosis!.causes).toEqual(['rounding-truncate']);
  });

  it('integers of 8 bits are told as weights, not as a grid', async () => {
    const ofByte = (v: number) => Math.floor(v * 256 + 0.5) / 256;
    const diagnosis = await diagnosisOf(ofFile(true), mixed(halfPixel, [12, 9], ofByte));
    expect(diagnosis!.evidence['resample-grid']).toMatchObject({ rule: 'weights of 8 bits', weights: 'integers' });
  });
});
