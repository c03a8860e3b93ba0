/** Captures of one runtime of TFLite's, declared as each other: every difference is explained, by the kernel that made it among others. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { restsOnNumbers } from '../../src/compare/beyond/otherRuntime.js';
import { compare } from '../../src/compare/compare.js';
import type { LayerDiagnosis } from '../../src/diagnose/finding/explanation.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';

const ROOT = join(import.meta.dirname, '..', '..', 'fixtures', 'tflite');
const RUNTIMES = { ref: 'tflite-reference', opt: 'tflite-builtin', xnn: 'xnnpack', tflm: 'tflm' } as const;
type Short = keyof typeof RUNTIMES;

const MODELS: readonly [model: string, runtimes: readonly Short[]][] = [
  ['cnn-int8', ['ref', 'opt', 'xnn', 'tflm']],
  ['cnn-int16x8', ['ref', 'opt', 'xnn', 'tflm']],
  ['hand-int8', ['ref', 'opt', 'xnn', 'tflm']],
  ['streaming-int8', ['ref', 'opt', 'xnn', 'tflm']],
  ['legacy-uint8', ['ref', 'opt', 'xnn']],
  ['mlp-dynamic', ['ref', 'opt', 'xnn']],
  ['lstm-int8', ['ref', 'xnn', 'tflm']],
];

test('one of many short multipliers is a number too: a runtime is asked for its own form beside it', () => {
  const report = { causes: ['multiplier-short'] };
  const found = (rare?: true) => ({ report, changes: [{ freedom: 0, rare }] }) as unknown as LayerDiagnosis;
  expect([restsOnNumbers(found(true)), restsOnNumbers(found())]).toEqual([true, false]);
});

async function reported(name: string, runtime: Short, options: { kernel?: string; candidate?: Short }) {
  const model = await openModel(nodeFileSystem, join(ROOT, name, 'model.tflite'));
  const capture = await openCapture(nodeFileSystem, join(ROOT, name, `captured-${runtime}.npz`), model);
  const path = options.candidate && join(ROOT, name, `captured-${options.candidate}.npz`);
  const candidate = path ? await openCandidate(nodeFileSystem, path, model, capture) : undefined;
  try {
    return await compare(model, capture, { ...options, candidate });
  } finally {
    await Promise.all([model.close(), capture.close(), candidate?.close()]);
  }
}

const pairs = MODELS.flatMap(([name, runtimes]) =>
  runtimes.flatMap((made) => runtimes.filter((other) => other !== made).map((other) => [name, made, other] as const)),
);

describe.each(pairs)('%s, captured under %s', (name, made, other) => {
  test(`declared as ${other}`, async () => {
    const { layers } = await reported(name, made, { kernel: RUNTIMES[other] });
    for (const { name: layer, diagnosis, mismatched } of layers) {
      if (!mismatched) continue;
      expect([layer, diagnosis!.causes, diagnosis!.explained]).toEqual([layer, expect.any(Array), mismatched]);
      expect(diagnosis!.causes).not.toContain('unexplained');
      expect(diagnosis!.explained_by.length).toBeGreaterThan(0);
    }
  });

  test(`beside ${other}`, async () => {
    const { candidate_layers: layers } = await reported(name, made, { candidate: other });
    const open = layers!.filter(({ mismatched, diagnosis }) => mismatched && diagnosis?.causes.includes('unexplained'));
    expect(open.map((layer) => layer.name)).toEqual([]);
  });
});
