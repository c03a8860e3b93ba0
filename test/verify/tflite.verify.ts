/**
 * Whole TFLite graphs under the runtimes themselves: every operator that qdiff replays, each alone with drawn parameters and in networks
 * as people have them, captured by the exporter, replayed isolated and propagated. What was compared goes into verification.json.
 *
 *   npm run verify:runtimes -- tflite             ai-edge-litert 2.3.0 and tflite_micro, older releases, TensorFlow
 *   QDIFF_VERIFY_SIZE=4 ...                       four times the samples
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { LayerReport } from '../../src/nouns/report.js';
import { pythonWith } from './environments.js';
import { Rows, thisCpu } from './record.js';

const SEEDS = 3;
const size = process.env.QDIFF_VERIFY_SIZE ?? '2';
/** By the exporter's names; of Micro there is one release. */
const RUNTIMES = [
  ['LiteRT', ['ai-edge-litert==2.3.0', 'flatbuffers==25.12.19', 'tflite_micro==0.dev20261023182759', 'numpy'], true],
  ['LiteRT', ['ai-edge-litert==1.4.0', 'flatbuffers==25.12.19', 'numpy'], false],
  ['LiteRT', ['ai-edge-litert==1.2.0', 'flatbuffers==25.12.19', 'numpy'], false],
  ['TensorFlow', ['tensorflow-cpu==2.21.0'], false],
  ['tflite_runtime', ['tflite-runtime==2.14.0', 'numpy<2'], false],
] as const;

const work = mkdtempSync(join(tmpdir(), 'qdiff-verify-tflite-'));
const rows = new Rows();
const models = (seed: number) => join(work, `models-${seed}`);
const script = (name: string) => join(import.meta.dirname, name);
const run = (python: string, ...args: string[]) => execFileSync(python, args, { stdio: 'ignore' });
const environmentOf = (packages: readonly string[]) => packages[0].replace('==', '-');

beforeAll(() => {
  const [[, packages]] = RUNTIMES;
  const python = pythonWith(environmentOf(packages), packages);
  for (let seed = 1; seed <= SEEDS; seed++)
    run(python, script('tflite_models.py'), models(seed), '--seed', `${seed}`, '--size', size);
});

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
  rows.write();
});

describe.each(RUNTIMES)('%s %s', (runtime, packages, hasMicro) => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('equals the replay in every value: seed %i', async (seed) => {
    const out = join(work, `${environmentOf(packages)}-${seed}`);
    const kernels = ['reference', 'builtin', 'xnnpack', ...(hasMicro ? ['tflm'] : [])];
    const python = pythonWith(environmentOf(packages), packages);
    run(python, script('tflite_captures.py'), models(seed), out, '--kernels', kernels.join());
    const { version, micro } = JSON.parse(readFileSync(join(out, 'runtime.json'), 'utf8'));
    const wrong: string[] = [];
    for (const kernel of ['tflite-reference', 'tflite-builtin', 'xnnpack', 'tflm']) {
      if (!existsSync(join(out, kernel))) continue;
      const by = kernel === 'tflm' ? { runtime: 'TFLite Micro', version: micro } : { runtime, version };
      for (const name of readdirSync(join(out, kernel)))
        wrong.push(...(await check(join(out, kernel, name), `${kernel}/${name}`, by)));
    }
    expect(wrong).toEqual([]);
  });
});

async function check(folder: string, name: string, by: { runtime: string; version: string }): Promise<string[]> {
  const model = await openModel(nodeFileSystem, join(folder, 'model.tflite'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const [isolated, propagated] = [
    await compare(model, capture, { diagnose: false }),
    await compare(model, capture, { diagnose: false, mode: 'propagated' }),
  ];
  await model.close();
  await capture.close();
  for (const layer of isolated.layers) if (layer.kernel && layer.values !== null) count(layer, by);
  return [...isolated.layers, ...propagated.layers]
    .filter(({ status }) => status !== 'match')
    .map((layer) => `${name} ${layer.name} ${layer.op}: ${layer.status} ${layer.mismatched}`);
}

/** A layer counts for the kernel that it ran in: what the delegate leaves is the builtin kernels'. */
function count({ kernel, values, mismatched }: LayerReport, by: { runtime: string; version: string }): void {
  const row = { kernel: kernel!, ...by, cpu: thisCpu(), settings: 'whole graphs', compared: 'qdiff' as const };
  rows.add({ ...row, values: values!, mismatched: mismatched! });
}
