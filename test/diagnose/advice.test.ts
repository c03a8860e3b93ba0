/** What is advised is done by a program: a fix leaves as many values as its rehearsal says. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { sameEverywhere } from '../../src/kernels/reference.js';
import { kernelByName } from '../../src/kernels/registry.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import { ReplaySession } from '../../src/replay/session.js';

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'pytorch', 'digits-vnni');
let model: Awaited<ReturnType<typeof openModel>>;
let capture: Capture;

beforeAll(async () => {
  model = await openModel(nodeFileSystem, join(FOLDER, 'model.json'));
  capture = await openCapture(nodeFileSystem, join(FOLDER, 'capture.npz'), model);
});
afterAll(() => model.close());

/** A layer under a kernel, on its value before it among `values`. */
async function computed(
  layer: string,
  kernel: string,
  values: ReadonlyMap<string, CapturedValue>,
): Promise<NumericArray> {
  const own = { ...capture, values };
  const session = new ReplaySession(model, own, sameEverywhere(kernelByName(kernel), model.producer), 'isolated');
  const run = await session.open(model.layers.find(({ name }) => name === layer)!);
  return (await run.replay(0, capture.samples)).data;
}

const INPUT = 'quant';
const inputOf = (values: ReadonlyMap<string, CapturedValue>) =>
  new Map([...values].filter(([name]) => model.inputs.some((input) => input.name === name) || name === INPUT));

const likeCaptured = (layer: string, data: NumericArray): CapturedValue => ({
  ...capture.values.get(layer)!,
  read: async (from, to) => {
    const { features } = capture.values.get(layer)!;
    return data.subarray(from * features, to * features);
  },
});

/** The chain under one kernel: fc1, and fc2 on its own fc1. */
async function chained(kernel: string): Promise<Map<string, CapturedValue>> {
  const values = inputOf(capture.values);
  for (const layer of ['fc1', 'fc2']) values.set(layer, likeCaptured(layer, await computed(layer, kernel, values)));
  return values;
}

async function differences(data: NumericArray, layer: string, values: ReadonlyMap<string, CapturedValue>) {
  const expected = await values.get(layer)!.read(0, capture.samples);
  return data.filter((value: number, i: number) => value !== expected[i]).length;
}

const KERNELS = ['qnnpack', 'tflite-double', 'tflite-single', 'onednn', 'ort', 'fbgemm-avx2'];
const pairs = KERNELS.flatMap((own) =>
  ['fbgemm', 'qnnpack', 'tflite-double'].filter((k) => k !== own).map((k) => [own, k]),
);

describe.each(pairs)('a candidate that computes as %s, against a capture that computes as %s', (own, other) => {
  test('does better by each fix, as its rehearsal says', async () => {
    const [theirs, mine] = [await chained(other), await chained(own)];
    const expected = { ...capture, values: new Map([...capture.values, ...theirs]) };
    const candidate = { ...capture, path: 'mine.npz', values: new Map([...mine].filter(([name]) => name !== INPUT)) };
    const report = await compare(model, expected, { candidate, kernel: other });
    for (const { name, diagnosis, mismatched } of report.candidate_layers!) {
      if (!diagnosis || !mismatched || diagnosis.causes.includes('unexplained')) continue;
      if (diagnosis.causes.every((cause) => cause === 'inherited')) continue;
      expect(diagnosis.fixes.length).toBeGreaterThan(0);
      for (const { text, rehearsal } of diagnosis.fixes) {
        const said = rehearsal!.mismatched_after_fix;
        expect(said).toBeLessThan(mismatched);
        if (text.startsWith('correct ')) {
          // what it does is known up to kernels that its own values do not tell apart
          const left = await differences(await computed(name, own, theirs), name, theirs);
          expect(left).toBeLessThan(mismatched);
          expect(Math.abs(left - said)).toBeLessThanOrEqual(4);
        } else {
          const left = await differences(await computed(name, other, mine), name, theirs);
          expect({ text, left: said }).toEqual({ text, left });
        }
      }
    }
  });
});
