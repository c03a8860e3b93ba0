import { describe, expect, test } from 'vitest';
import { FORMS } from '../convolution/mistakes.js';
import * as any from '../support/anyConvolution.js';
import { codesOf, diagnosisOf, sumsOf } from '../support/convolution.js';
import { NEARLY, RAISED } from './convolutionScenes.js';

describe.each(['capture', 'candidate'] as const)('of a %s', (side) => {
  test.each(RAISED)('$code: $what', async ({ code, scene, mistake, found = {} }) => {
    const diagnosis = await diagnosisOf(scene, await codesOf(scene, sumsOf(scene, mistake)), side);
    expect(diagnosis).toMatchObject({ causes: [code], indistinguishable: [], lost: 0 });
    expect(diagnosis!.evidence[code]).toMatchObject(found);
  });

  test.each(NEARLY)('nearly $code: $but', async ({ code, scene, mistake }) => {
    const diagnosis = await diagnosisOf(scene, await codesOf(scene, sumsOf(scene, mistake)), side);
    expect(diagnosis!.causes).not.toContain(code);
  });
});

test('the scenes are right where nothing is wrong', async () => {
  for (const { scene } of [...RAISED, ...NEARLY]) {
    expect(await diagnosisOf(scene, await codesOf(scene, sumsOf(scene)), 'capture')).toBeNull();
  }
});

test('who forgets the zero point pads with 0 as well: one mistake', async () => {
  const { scene } = RAISED.find(({ code }) => code === 'padding-value')!;
  const wrong = await codesOf(scene, sumsOf(scene, { padding: () => 0, zeroPoint: 0 }));
  const diagnosis = await diagnosisOf(scene, wrong, 'candidate');
  expect(diagnosis!.causes).toEqual(['activation-zero-point-missing']);
});

describe.each(['conv1d', 'conv2d', 'conv2d depthwise'])('%s: codes off by 128', (name) => {
  const scene = any.sceneOf(FORMS[name]);
  const off = (more: number) => any.codesOf(scene, { code: (code) => code - 128, fill: 117 + more });

  test.each([0, 128])('padded before, or with real 0 after: one mistake either way', async (more) => {
    expect(await any.diagnosisOf(scene, await off(more))).toMatchObject({ causes: ['signedness'], lost: 0 });
  });

  test('padded with a step more than real 0: another one', async () => {
    const diagnosis = await any.diagnosisOf(scene, await off(129));
    expect(diagnosis!.causes).not.toEqual(['signedness']);
  });
});

describe('conv_transpose2d, [4 in, 6 out, 3, 3] memory', () => {
  const scene = any.sceneOf(FORMS.conv_transpose2d);
  const flat = ([ky, kx]: readonly number[]) => ky * 3 + kx;
  const places: Readonly<Record<string, (n: number, c: number, tap: number) => number>> = {
    '[out, in, kh, kw]': (n, c, tap) => (n * 4 + c) * 9 + tap,
    '[in, kh, kw, out]': (n, c, tap) => (c * 9 + tap) * 6 + n,
    '[out, kh, kw, in]': (n, c, tap) => (n * 9 + tap) * 4 + c,
    '[kh, kw, in, out]': (n, c, tap) => (tap * 4 + c) * 6 + n,
  };

  test.each(Object.entries(places))('as %s', async (as, placeOf) => {
    const codes = await any.codesOf(scene, {
      weight: ({ n, c, tap }, own) => {
        const place = placeOf(n, c, flat(tap));
        return own(Math.floor(place / 9) % 6, Math.floor(place / 54), [Math.floor((place % 9) / 3), place % 3]);
      },
    });
    const diagnosis = await any.diagnosisOf(scene, codes);
    expect(diagnosis!.causes).toEqual(['k-order']);
    expect(diagnosis!.evidence['k-order']).toMatchObject({ order: `[in, out, kh, kw] memory as ${as}` });
  });

  test('in an order of which there is no rule', async () => {
    const codes = await any.codesOf(scene, {
      weight: ({ n, c, tap }, own) => own((n + 2 * c + flat(tap)) % 6, c, tap),
    });
    const diagnosis = await any.diagnosisOf(scene, codes);
    expect(diagnosis!.causes).toEqual(['weight-value']);
    expect(diagnosis!.evidence['weight-value']).toMatchObject({ moved: true });
  });

  test('as a convolution takes it, taps not flipped', async () => {
    const codes = await any.codesOf(scene, {
      weight: ({ n, c, tap }, own) => {
        const place = (n * 4 + c) * 9 + 8 - flat(tap);
        return own(Math.floor(place / 9) % 6, Math.floor(place / 54), [Math.floor((place % 9) / 3), place % 3]);
      },
    });
    const diagnosis = await any.diagnosisOf(scene, codes);
    expect(diagnosis!.causes).toEqual(['k-order']);
    expect(diagnosis!.evidence['k-order']).toMatchObject({
      order: "[in, out, kh, kw] memory as a convolution's [out, in, kh, kw], not flipped",
    });
  });
});

test('a grouped conv_transpose2d: each group has memory of its own', async () => {
  const form: any.Form = { ...FORMS['conv_transpose2d grouped'], weight: [6, 2, 3, 3] };
  const scene = any.sceneOf(form);
  const codes = await any.codesOf(scene, {
    weight: ({ n, group, c, tap: [ky, kx] }, own) => {
      const place = (c * 9 + ky * 3 + kx) * 2 + (n % 2);
      return own(group * 2 + (Math.floor(place / 9) % 2), Math.floor(place / 18), [
        Math.floor((place % 9) / 3),
        place % 3,
      ]);
    },
  });
  const diagnosis = await any.diagnosisOf(scene, codes);
  expect(diagnosis!.causes).toEqual(['k-order']);
  expect(diagnosis!.evidence['k-order']).toMatchObject({ order: '[in, out, kh, kw] memory as [in, kh, kw, out]' });
});

test('channels shuffled before the groups', async () => {
  const scene = any.sceneOf(FORMS['conv2d grouped']);
  // of 8 in 2 groups: 0, 4, 1, 5 for the first
  const codes = await any.codesOf(scene, {
    channel: ({ c, group }) => ((group * 4 + c) % 2) * 4 + Math.floor((group * 4 + c) / 2),
  });
  const diagnosis = await any.diagnosisOf(scene, codes);
  expect(diagnosis!.causes).toEqual(['groups-wrong']);
  expect(diagnosis!.evidence['groups-wrong']).toMatchObject({ groups: 2, found: 'shuffled' });
});

test.each([
  ['x, y, z', ([z, y, x]: readonly number[]) => [x, y, z]],
  ['y, x, z', ([z, y, x]: readonly number[]) => [y, x, z]],
])('conv3d: axes of the kernel as %s', async (as, taken) => {
  const scene = any.sceneOf(FORMS.conv3d);
  const codes = await any.codesOf(scene, { weight: ({ n, c, tap }, own) => own(n, c, taken(tap)) });
  const diagnosis = await any.diagnosisOf(scene, codes);
  expect(diagnosis!.causes).toEqual(['k-order']);
  expect(diagnosis!.evidence['k-order']).toMatchObject({ order: `kernel axes z, y, x as ${as}` });
});
