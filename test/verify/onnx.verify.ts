/**
 * ONNX graphs under ONNX Runtime itself: every operator that qdiff replays, with drawn parameters, captured by the exporter, on this CPU
 * and on an emulated Haswell, whose pairs saturate. What was compared goes into verification.json.
 *
 *   npm run verify:runtimes -- onnx
 *   QDIFF_VERIFY_SIZE=4 ...                       four times the graphs
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { pythonWith } from './environments.js';
import { Rows, thisCpu } from './record.js';

const PACKAGES = ['onnxruntime==1.32.0', 'onnx==1.23.2', 'numpy'];
const each = String(8 * Number(process.env.QDIFF_VERIFY_SIZE ?? '1'));
const hasEmulator = spawnSync('qemu-x86_64', ['--version']).status === 0;
const CPUS = [
  ['this CPU', /VNNI|AMX/.test(thisCpu()) ? 'ort' : 'ort-avx2', thisCpu(), []],
  ...(hasEmulator ? [['Haswell', 'ort-avx2', 'Haswell (qemu)', ['qemu-x86_64', '-cpu', 'Haswell']] as const] : []),
] as const;

const work = mkdtempSync(join(tmpdir(), 'qdiff-verify-onnx-'));
const rows = new Rows();

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
  rows.write();
});

describe.each(CPUS)('%s', (name, kernel, cpu, emulator) => {
  it.each([1, 2])('equals the replay in every value: seed %i', async (seed) => {
    const out = join(work, `${name}-${seed}`.replace(/ /g, '-'));
    const python = pythonWith('onnxruntime-1.32.0', PACKAGES);
    const [program, ...args] = [...emulator, python, join(import.meta.dirname, 'onnx_models.py'), out];
    execFileSync(program, [...args, '--seed', `${seed}`, '--each', each], { stdio: 'ignore' });
    const { version } = JSON.parse(readFileSync(join(out, 'runtime.json'), 'utf8'));
    const wrong: string[] = [];
    for (const folder of readdirSync(out, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      const { values, differing } = await check(join(out, folder.name), kernel);
      wrong.push(...differing);
      const settings = 'operators of graphs';
      const mismatched = differing.length;
      rows.add({ kernel, runtime: 'ONNX Runtime', version, cpu, settings, compared: 'qdiff', values, mismatched });
    }
    expect(wrong).toEqual([]);
  });
});

/** Isolated, and on its own values. */
async function check(folder: string, kernel: string): Promise<{ values: number; differing: string[] }> {
  const model = await openModel(nodeFileSystem, join(folder, 'model.onnx'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const isolated = await compare(model, capture, { kernel, diagnose: false });
  const propagated = await compare(model, capture, { kernel, diagnose: false, mode: 'propagated' });
  await Promise.all([model.close(), capture.close()]);
  const differing = [...isolated.layers, ...propagated.layers]
    // how many words a mask has is told, not replayed
    .filter(({ status, name }) => status !== 'match' && name !== 'counts')
    .map((layer) => `${folder} ${layer.name} ${layer.op}: ${layer.status}, ${layer.mismatched} of ${layer.values}`);
  return { values: isolated.layers.reduce((sum, { values }) => sum + (values ?? 0), 0), differing };
}
