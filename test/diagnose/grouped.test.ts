/** Causes of a linear layer in convolutions of groups: each channel reads the codes of its own group. */
import { describe, expect, test } from 'vitest';
import { codesOf, diagnosisOf, type Geometry, sceneOf, sumsOf } from '../support/convolution.js';

const PADDED = [
  [1, 1],
  [1, 1],
] as const;
const GEOMETRIES: Record<string, Geometry> = {
  'two groups': { input: [8, 6, 6], weight: [12, 4, 3, 3], groups: 2, padding: PADDED },
  depthwise: { input: [16, 6, 6], weight: [16, 1, 3, 3], groups: 16, padding: PADDED },
  'depthwise, two a channel': { input: [8, 6, 6], weight: [16, 1, 3, 3], groups: 8, padding: PADDED },
};

describe.each(Object.entries(GEOMETRIES))('%s', (_name, geometry) => {
  const scene = sceneOf(geometry, { samples: 8 });
  const [layer] = scene.raw.layers as Record<string, unknown>[];
  const scales = layer.weight_scale as number[];
  const bias = layer.bias as number[];

  const named = async (change: object) => {
    const right = await codesOf(scene, sumsOf(scene));
    return diagnosisOf(scene, right, 'capture', change);
  };

  test('nothing differs as it is', async () => {
    expect(await named({})).toBeNull();
  });

  test('weight-value, by tap and channel of the group', async () => {
    const weight = structuredClone(layer.weight) as number[][][][];
    weight[5][0][1][2] ^= 64;
    const diagnosis = await named({ weight });
    expect(diagnosis).toMatchObject({ causes: ['weight-value'], lost: 0 });
    expect(diagnosis!.evidence['weight-value']).toMatchObject({
      weights: [{ channel: 5, tap: [1, 2, 0], found: weight[5][0][1][2] ^ 64 }],
    });
  });

  test.each([
    ['weight-scale-wrong', { weight_scale: scales.map((s, n) => (n === 3 ? s * 1.07 : s)) }],
    ['scale-shifted', { weight_scale: [...scales.slice(1), scales[0]] }],
    ['bias-shifted', { bias: [...bias.slice(1), bias[0]] }],
    ['bias-missing', { bias: null }],
    ['bias-value', { bias: bias.map((b, n) => (n === 6 ? b + 0.7 : b)) }],
    ['output-scale-wrong', { output: { ...(layer.output as object), scale: 0.031 } }],
    ['output-zero-point-wrong', { output: { ...(layer.output as object), zero_point: 120 } }],
  ])('%s', async (cause, change) => {
    expect(await named(change)).toMatchObject({ causes: [cause], lost: 0 });
  });

  // a requantization that loops over groups (Tencent/ncnn#1234)
  const { groups } = geometry;
  const each = scales.length / groups!;
  test.runIf(each > 1).each([
    ['channel within its group', (n: number) => n % each],
    ['group', (n: number) => Math.floor(n / each)],
  ] as const)('scales of a candidate by the %s', async (by, from) => {
    const other = sceneOf(geometry, { samples: 8 });
    const [own] = other.raw.layers as Record<string, unknown>[];
    own.weight_scale = scales.map((_, n) => scales[from(n)]);
    const diagnosis = await diagnosisOf(scene, await codesOf(other, sumsOf(other)), 'candidate');
    expect(diagnosis).toMatchObject({ causes: ['scale-shifted'], evidence: { 'scale-shifted': { by } } });
  });

  test('signedness of what a candidate multiplies', async () => {
    const unsigned = sumsOf(scene, { weight: ({ n, c, ky, kx }, at) => at(n, c, ky, kx) & 255 });
    const diagnosis = await diagnosisOf(scene, await codesOf(scene, unsigned), 'candidate');
    expect(diagnosis).toMatchObject({ causes: ['signedness'], lost: 0 });
  });
});

test('weight-transposed: [in][out] of each tap', async () => {
  const scene = sceneOf({ input: [8, 6, 6], weight: [8, 4, 3, 3], groups: 2, padding: PADDED });
  const transposed = sumsOf(scene, { weight: ({ n, c, ky, kx, group }, at) => at(group * 4 + c, n % 4, ky, kx) });
  for (const side of ['capture', 'candidate'] as const) {
    const diagnosis = await diagnosisOf(scene, await codesOf(scene, transposed), side);
    expect(diagnosis).toMatchObject({ causes: ['weight-transposed'], lost: 0 });
  }
});
