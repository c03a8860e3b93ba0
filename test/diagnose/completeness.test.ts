import { describe, expect, test } from 'vitest';
import { isPossible } from '../../src/diagnose/cause.js';
import { causes } from '../../src/diagnose/registry.js';
import { AS_STORED } from '../../src/diagnose/setup.js';
import { Study } from '../../src/diagnose/study/study.js';
import { fbgemm } from '../../src/kernels/fbgemm.js';
import { elementwiseKernels } from '../../src/kernels/registry.js';
import * as convolutions from './convolutionScenes.js';
import * as dynamic from './dynamicWorld.js';
import { MISTAKES } from './mistakes.js';
import { NEAR_MISSES } from './nearMisses.js';
import { CLAMPS, FEATURES, NEARLY, type PointwiseScene, RAISED, SAMPLES } from './pointwiseScenes.js';

// Of each cause a scene that raises it, alone, and one that looks like it and must not: without the first nobody knows that
// it can be named, without the second nobody knows that it is not named too often.
describe('products', () => {
  const codes = causes.filter(({ kinds }) => kinds.includes('product')).map(({ code }) => code as string);

  // it happens to layers of floats only, which have a world of their own
  test('activation-range is raised, and nearly raised', () => {
    expect(dynamic.RAISED.map(([what]) => what)).not.toEqual([]);
    expect(dynamic.NEARLY.map(([but]) => but)).not.toEqual([]);
  });

  // nor do matrices have a geometry
  const ofPatches = new Set(convolutions.RAISED.map(({ code }) => code));
  test.each([...ofPatches])('%s is raised, and nearly raised, in a convolution', (code) => {
    expect(codes).toContain(code);
    expect(convolutions.NEARLY.filter((scene) => scene.code === code)).not.toEqual([]);
  });

  const onCodes = codes.filter((code) => code !== 'activation-range' && !ofPatches.has(code));
  test.each(onCodes)('%s is raised, and nearly raised', (code) => {
    const raised = MISTAKES.filter((mistake) => mistake.causes.join() === code);
    expect(raised.map(({ name }) => name)).not.toEqual([]);
    expect(NEAR_MISSES.filter((miss) => miss.code === code).map(({ but }) => but)).not.toEqual([]);
  });

  test('no scene has a cause that is none', () => {
    const used = [...MISTAKES.flatMap((mistake) => mistake.causes), ...NEAR_MISSES.map(({ code }) => code)];
    expect(used.filter((code) => !codes.includes(code))).toEqual([]);
  });
});

describe('elementwise layers', async () => {
  const tried = await Promise.all([...RAISED, ...NEARLY].map(codesTried));
  const codes = [...new Set(tried.flat())];

  test.each(codes)('%s is raised, and nearly raised', (code) => {
    expect(RAISED.filter((scene) => scene.code === code).map(({ what }) => what)).not.toEqual([]);
    expect(NEARLY.filter((scene) => scene.code === code).map(({ what }) => what)).not.toEqual([]);
  });

  test('every cause of theirs is tried', () => {
    const own = causes.filter(({ kinds }) => kinds.includes('elementwise')).map(({ code }) => code);
    expect([...codes].sort()).toEqual([...own].sort());
  });

  test('every op has a scene', () => {
    const ops = ['dequantize', 'hardtanh', 'identity', 'quantize', 'relu', 'relu6', 'requantize'];
    expect([...new Set(RAISED.map(({ op }) => op))].sort()).toEqual(ops);
  });
});

/** The causes that a search tries on a scene, under any declared kernel, as a candidate (whose arithmetic may be anything). */
async function codesTried({ op, input, output, x, wrong }: PointwiseScene): Promise<string[]> {
  const rows = (data: typeof x) => ({
    width: FEATURES,
    read: async (from: number, to: number) => data.subarray(from * FEATURES, to * FEATURES),
  });
  const studies = elementwiseKernels(op, fbgemm).map(({ kernel, steps }) =>
    Study.open({
      side: 'candidate',
      madeBy: 'anyone',
      kernel,
      op,
      declared: { kind: 'elementwise', ...AS_STORED, steps, params: { input, output, clamp: CLAMPS[op] ?? null } },
      fast: null,
      from: 0,
      to: SAMPLES,
      inputs: [rows(x)],
      observed: rows(wrong),
      effort: FEATURES,
      mismatched: wrong.length,
      witnesses: [],
      dynamic: null,
    }),
  );
  const ofStudy = (study: Study) =>
    causes
      .filter((cause) => isPossible(cause, study))
      .flatMap(({ code, changes, estimate, arrange }) => {
        const found = [...(changes?.(study) ?? []), ...(estimate?.(study, study.declared, false) ?? [])];
        return [...found.map(({ cause }) => cause), ...(arrange ? [code] : [])];
      });
  return (await Promise.all(studies)).flatMap(ofStudy);
}
