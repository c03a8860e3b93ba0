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
