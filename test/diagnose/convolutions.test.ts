import { describe, expect, test } from 'vitest';
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
