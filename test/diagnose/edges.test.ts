import { describe, expect, it, test } from 'vitest';
import { indicesOf, sizeOf } from '../../src/tensor/shape.js';
import { FORMS } from '../convolution/mistakes.js';
import { codesOf, diagnosisOf, outputDims, outputsOf, type Scene, sceneOf } from '../support/anyConvolution.js';

/** The codes at the edge of each image replaced by others: outside of [1, size - 1) of every axis. */
function atEdge({ form }: Scene, codes: Int32Array | Float32Array, of: (channel: number, i: number) => number) {
  const dims = outputDims(form);
  const each = sizeOf(dims);
  return Int32Array.from(codes, (code, i) => {
    const isEdge = indicesOf(i % each, dims).some((index, axis) => index === 0 || index === dims[axis] - 1);
    return isEdge ? of(Math.floor(i / each) % outputsOf(form), i) : code;
  });
}

describe.each(['conv1d', 'conv2d', 'conv3d', 'conv_transpose2d'])('%s: the edge of the output', (name) => {
  const scene = sceneOf(FORMS[name]);
  const dims = outputDims(scene.form);
  const outside = dims.map((size) => [1, size - 1]);

  test.each([
    ['the zero point', 121, 'zero-point'],
    ['code 0', 0, 'zero'],
  ] as const)('holds %s', async (_, value, is) => {
    const diagnosis = await diagnosisOf(
      scene,
      atEdge(scene, await codesOf(scene), () => value),
    );
    expect(diagnosis).toMatchObject({ causes: ['constant-values'], lost: 0 });
    expect(diagnosis!.explained).toBe(diagnosis!.of);
    expect(diagnosis!.evidence['constant-values']).toMatchObject({ value, is, region: { outside, of: dims } });
  });

  it('holds the bias alone', async () => {
    const alone = await codesOf(scene, { summed: () => 0 });
    const diagnosis = await diagnosisOf(
      scene,
      atEdge(scene, await codesOf(scene), (_, i) => alone[i]),
    );
    expect(diagnosis).toMatchObject({ causes: ['constant-values'], lost: 0 });
    expect(diagnosis!.evidence['constant-values']).toMatchObject({ is: 'bias', region: { outside } });
  });

  it('and all else: what is read is 0', async () => {
    const diagnosis = await diagnosisOf(scene, await codesOf(scene, { summed: () => 0 }));
    expect(diagnosis!.causes).toEqual(['constant-values']);
    expect(diagnosis!.evidence['constant-values']).toMatchObject({ is: 'bias' });
    expect(diagnosis!.evidence['constant-values']).not.toHaveProperty('region');
  });

  it('holds two values: nobody knows why', async () => {
    const diagnosis = await diagnosisOf(
      scene,
      atEdge(scene, await codesOf(scene), (channel) => 7 + (channel === 1 ? 2 : 0)),
    );
    expect(diagnosis!.causes).not.toContain('constant-values');
  });
});
