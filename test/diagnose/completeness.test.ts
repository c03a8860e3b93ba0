import { describe, expect, test } from 'vitest';
import { declaredSetup, type PointwiseCase } from '../../src/diagnose/pointwise.js';
import { enumeratedChanges, estimatedChanges } from '../../src/diagnose/pointwiseChanges.js';
import { causes } from '../../src/diagnose/registry.js';
import { kernels } from '../../src/kernels/registry.js';
import { stepsFor } from '../support/steps.js';
import { MISTAKES } from './mistakes.js';
import { NEAR_MISSES } from './nearMisses.js';
import { FEATURES, NEARLY, type PointwiseScene, RAISED } from './pointwiseScenes.js';

/** Found by another search than the causes of a registry: rows are matched, no step or parameter is changed. */
const ROWS = 'samples-misaligned';

// Of each cause a scene that raises it, alone, and one that looks like it and must not: without the first nobody knows that
// it can be named, without the second nobody knows that it is not named too often.
describe('linear layers', () => {
  const codes = [...causes.map(({ code }) => code as string), ROWS];

  test.each(codes)('%s is raised, and nearly raised', (code) => {
    const raised = MISTAKES.filter((mistake) => mistake.causes.join() === code);
    expect(raised.map(({ name }) => name)).not.toEqual([]);
    expect(NEAR_MISSES.filter((miss) => miss.code === code).map(({ but }) => but)).not.toEqual([]);
  });

  test('no scene has a cause that is none', () => {
    const used = [...MISTAKES.flatMap((mistake) => mistake.causes), ...NEAR_MISSES.map(({ code }) => code)];
    expect(used.filter((code) => !codes.includes(code))).toEqual([]);
  });
});

describe('pointwise layers', () => {
  const codes = [...new Set([...RAISED, ...NEARLY].flatMap(codesTried)), ROWS];

  test.each(codes)('%s is raised, and nearly raised', (code) => {
    expect(RAISED.filter((scene) => scene.code === code).map(({ what }) => what)).not.toEqual([]);
    expect(NEARLY.filter((scene) => scene.code === code).map(({ what }) => what)).not.toEqual([]);
  });

  test('no scene has a cause that no op tries', () => {
    expect([...RAISED, ...NEARLY].map(({ code }) => code).filter((code) => !codes.includes(code))).toEqual([]);
  });

  test('every op has a scene', () => {
    const ops = ['dequantize', 'identity', 'quantize', 'relu', 'relu6'];
    expect([...new Set(RAISED.map(({ op }) => op))].sort()).toEqual(ops);
  });
});

/** The causes that a search tries on a scene, under any declared kernel, as a candidate (whose arithmetic may be anything). */
function codesTried({ op, input, output, x, wrong }: PointwiseScene): string[] {
  const common = {
    name: 'y',
    op,
    side: 'candidate',
    free: true,
    producer: {},
    input,
    output,
    mismatched: wrong.length,
  } as const;
  return kernels.flatMap((kernel) => {
    const layer: PointwiseCase = {
      ...common,
      kernel,
      steps: stepsFor(kernel, op),
      x,
      y: wrong,
      features: FEATURES,
      firstSample: 0,
      shared: [],
    };
    const changes = [...enumeratedChanges(layer), ...estimatedChanges(layer, declaredSetup(layer))];
    return changes.flatMap((change) => change.causes);
  });
}
