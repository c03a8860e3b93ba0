/** Images that lie one place off, are mirrored, or are padded otherwise at one of their sides. */
import { describe, expect, test } from 'vitest';
import { explanations } from '../../src/diagnose/finding/sentences.js';
import {
  codesOf,
  diagnosisOf,
  type Geometry,
  type Mistake,
  type Scene,
  sceneOf,
  sumsOf,
} from '../support/convolution.js';

const [H, W, ZERO] = [7, 6, 117];
const plain: Geometry = {
  input: [4, H, W],
  weight: [6, 4, 3, 3],
  padding: [
    [1, 1],
    [1, 1],
  ],
};
const scene = sceneOf(plain, { seed: 31 });
const isInside = (y: number, x: number) => y >= 0 && y < H && x >= 0 && x < W;

/** Each tap reads another place of the image; null: nothing of it. */
const reading = (from: (y: number, x: number) => readonly [number, number] | null): Mistake => ({
  place: ({ c, ky, kx, oy, ox }) => {
    const [y, x] = [oy + ky - 1, ox + kx - 1];
    return [c, ...((isInside(y, x) && from(y, x)) || ([-1, -1] as const))];
  },
});

async function named(own: Scene, mistake: Mistake) {
  return diagnosisOf(own, await codesOf(own, sumsOf(own, mistake)), 'candidate');
}

test.each<[string, Mistake]>([
  ['image mirrored along y', reading((y, x) => [H - 1 - y, x])],
  ['image mirrored along x', reading((y, x) => [y, W - 1 - x])],
  ['image mirrored along all axes', reading((y, x) => [H - 1 - y, W - 1 - x])],
  ['image moved by 1 along y, padding beyond', reading((y, x) => [y - 1, x])],
  ['image moved by -1 along x, padding beyond', reading((y, x) => [y, x + 1])],
  ['image moved by 1 along x, its edge again beyond', reading((y, x) => [y, Math.max(0, x - 1)])],
  ['image moved by -1 along y, around', reading((y, x) => [(y + 1) % H, x])],
  [
    'image moved by 1 in memory, padding beyond',
    reading((y, x) => (x > 0 ? [y, x - 1] : y > 0 ? [y - 1, W - 1] : null)),
  ],
])('%s', async (order, mistake) => {
  const diagnosis = await named(scene, mistake);
  expect(diagnosis).toMatchObject({ causes: ['k-order'], indistinguishable: [] });
  expect(diagnosis!.evidence['k-order']).toMatchObject({ of: 'input', order });
  const isMirrored = order.startsWith('image mirrored');
  const [explanation] = explanations(diagnosis!.causes, diagnosis!.evidence);
  expect(explanation).toMatch(isMirrored ? /mirrored image/ : /place beside its own/);
  expect(diagnosis!.fix).toMatch(isMirrored ? /from first to last/ : /^begin each image with its first row/);
});

describe('of one tap, or weights that are the same mirrored, it is the output that is in other places', () => {
  const padding = [0, 0].map(() => [0, 0] as const) as unknown as Geometry['padding'];
  const one = sceneOf({ ...plain, weight: [6, 4, 1, 1], padding }, { seed: 35 });
  const strided = sceneOf({ ...plain, weight: [6, 4, 1, 1], padding, stride: [1, 2] }, { seed: 36 });
  const line = sceneOf({ ...plain, weight: [6, 4, 1, 3], padding }, { seed: 37 });
  // the same weights from both ends of a row
  const weight = line.weight.map((own, i) => (i % 3 === 2 ? line.weight[i - 2] : own));
  const [layer] = line.raw.layers as object[];
  const rows = Array.from({ length: 6 }, (_, n) =>
    Array.from({ length: 4 }, (_, c) => [[...weight.subarray((n * 4 + c) * 3, (n * 4 + c + 1) * 3)]]),
  );
  const symmetric: Scene = { ...line, weight, raw: { ...line.raw, layers: [{ ...layer, weight: rows }] } };

  test.each<[string, Scene, NonNullable<Mistake['place']>]>([
    ['axis 3 from last to first', one, ({ c, oy, ox }) => [c, oy, W - 1 - ox]],
    ['axis 2 and axis 3 from last to first', one, ({ c, oy, ox }) => [c, H - 1 - oy, W - 1 - ox]],
    ['each value one place late along axis 3, around', one, ({ c, oy, ox }) => [c, oy, (ox + W - 1) % W]],
    ['axis 2 from last to first', line, ({ c, oy, ox, kx }) => [c, H - 1 - oy, ox + kx]],
    ['axis 3 from last to first', symmetric, ({ c, oy, ox, kx }) => [c, oy, W - 1 - ox - kx]],
  ])('%s', async (order, own, place) => {
    const diagnosis = await named(own, { place });
    expect(diagnosis).toMatchObject({ causes: ['output-order'], indistinguishable: [] });
    expect(diagnosis!.evidence['output-order']).toMatchObject({ order });
  });

  test.each<[string, Scene, NonNullable<Mistake['place']>]>([
    ['image mirrored along x', strided, ({ c, oy, ox }) => [c, oy, W - 1 - 2 * ox]],
    ['image mirrored along x', line, ({ c, oy, ox, kx }) => [c, oy, W - 1 - ox - kx]],
    ['image moved by -1 along x, padding beyond', strided, ({ c, oy, ox }) => [c, oy, 2 * ox + 1]],
  ])('but not where a step or a second tap tells: %s', async (order, own, place) => {
    const diagnosis = await named(own, { place });
    expect(diagnosis).toMatchObject({ causes: ['k-order'] });
    expect(diagnosis!.evidence['k-order']).toMatchObject({ order });
  });
});

test('code 0 where nothing of a moved image is', async () => {
  // what is moved out of the image is padding as of now: told apart by a place far from it
  const mistake: Mistake = {
    place: ({ c, ky, kx, oy, ox }) => {
      const [y, x] = [oy + ky - 1, ox + kx - 1];
      return isInside(y, x) ? [c, y - 1, x] : [c, -100, -100];
    },
    padding: (y) => (y === -1 ? 0 : ZERO),
  };
  const diagnosis = await named(scene, mistake);
  expect(diagnosis).toMatchObject({ causes: ['k-order'], indistinguishable: [] });
  expect(diagnosis!.evidence['k-order']).toMatchObject({ order: 'image moved by 1 along y, code 0 beyond' });
});

test('moved in one sample only: no order', async () => {
  const mistake: Mistake = {
    place: ({ sample, c, ky, kx, oy, ox }) => [c, oy + ky - 1 - (sample === 1 ? 1 : 0), ox + kx - 1],
  };
  expect((await named(scene, mistake))!.causes).not.toContain('k-order');
});

test.each([
  [3, 5],
  [2, 3],
])('memory of a kernel of %i x %i read as columns first', async (kh, kw) => {
  const own = sceneOf({ ...plain, weight: [6, 4, kh, kw] }, { seed: 34 });
  const diagnosis = await named(own, {
    weight: ({ n, c, ky, kx }, weightAt) => {
      const place = kx * kh + ky;
      return weightAt(n, c, Math.floor(place / kw), place % kw);
    },
  });
  expect(diagnosis).toMatchObject({ causes: ['k-order'], indistinguishable: [] });
  expect(diagnosis!.evidence['k-order']).toMatchObject({ order: 'kernel [kh, kw] memory as [kw, kh]' });
});

describe('padding at one side', () => {
  const bottom = (y: number) => y >= H;
  const side = { axis: 0, end: 'end', axes: 2 };

  test.each<[string, object, NonNullable<Mistake['padding']>]>([
    ['0 below', { found: 0, side }, (y) => (bottom(y) ? 0 : ZERO)],
    ['0 above', { found: 0, side: { ...side, end: 'start' } }, (y) => (y < 0 ? 0 : ZERO)],
    ['0 left and right', { found: 0, side: { axis: 1, end: 'both', axes: 2 } }, (_, x) => (x < 0 || x >= W ? 0 : ZERO)],
    [
      'the last row again',
      { found: 'replicate', side },
      (y, x, read) => (bottom(y) && x >= 0 && x < W ? read(H - 1, x) : ZERO),
    ],
  ])('%s', async (_, found, padding) => {
    const diagnosis = await named(scene, { padding });
    expect(diagnosis).toMatchObject({ causes: ['padding-value'], indistinguishable: [] });
    expect(diagnosis!.evidence['padding-value']).toMatchObject(found);
  });

  test('another code in each corner: none', async () => {
    const padding: Mistake['padding'] = (y, x) => (bottom(y) && x >= W ? 0 : bottom(y) && x < 0 ? 200 : ZERO);
    expect((await named(scene, { padding }))!.causes).toEqual(['unexplained']);
  });
});

describe('channels across groups', () => {
  const ones = sceneOf({ ...plain, input: [8, H, W], weight: [8, 1, 3, 3], groups: 8 }, { seed: 32, samples: 8 });
  const twos = sceneOf({ ...plain, input: [8, H, W], weight: [8, 2, 3, 3], groups: 4 }, { seed: 33, samples: 8 });

  test.each<[string, Scene, (channel: number) => number]>([
    ['last to first', ones, (c) => 7 - c],
    ['exchanged in pairs', ones, (c) => c ^ 1],
    ['halves exchanged', ones, (c) => (c + 4) % 8],
    ['last to first', twos, (c) => 7 - c],
    ['one further', twos, (c) => (c + 7) % 8],
    ['one before', twos, (c) => (c + 1) % 8],
  ])('%s', async (found, own, from) => {
    const [, each] = own.geometry.weight;
    const diagnosis = await named(own, {
      place: ({ group, c, ky, kx, oy, ox }) => [from(group * each + c), oy + ky - 1, ox + kx - 1],
    });
    expect(diagnosis).toMatchObject({ causes: ['groups-wrong'], indistinguishable: [] });
    expect(diagnosis!.evidence['groups-wrong']).toMatchObject({ found });
  });
});
