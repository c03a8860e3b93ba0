/**
 * Random networks under PyTorch and ONNX Runtime, quantized by their own tools in any format, engine and type, and captured by the
 * exporters: every layer is replayed. What was compared goes into verification.json.
 *
 *   npm run verify:runtimes -- networks
 *   QDIFF_VERIFY_SIZE=4 ...                       four times the networks
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel, producerIn } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { LayerReport } from '../../src/nouns/report.js';
import { pythonWith } from './environments.js';
import { Rows, thisCpu } from './record.js';

const RUNTIMES = [
  ['ONNX Runtime', 'onnxruntime-1.32.0', 'onnx_networks.py', ['onnxruntime==1.32.0', 'onnx==1.23.2', 'numpy'], 60],
  ['PyTorch', 'torchao', 'torch_networks.py', ['torch==2.13.0', 'torchao==0.18.0', 'numpy'], 30],
] as const;
const size = Number(process.env.QDIFF_VERIFY_SIZE ?? '1');

const work = mkdtempSync(join(tmpdir(), 'qdiff-verify-networks-'));
const rows = new Rows();

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
  rows.write();
});

describe.each(RUNTIMES)('%s', (runtime, environment, script, packages, each) => {
  it.each([1, 2])('equals the replay in every value: seed %i', async (seed) => {
    const out = join(work, `${environment}-${seed}`);
    const python = process.env.QDIFF_PYTHON ?? pythonWith(environment, packages);
    const args = [join(import.meta.dirname, script), out, '--seed', `${seed}`, '--each', `${each * size}`];
    execFileSync(python, args, { stdio: 'ignore' });
    const { version } = JSON.parse(readFileSync(join(out, 'runtime.json'), 'utf8'));
    const folders = readdirSync(out, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.length).toBeGreaterThan((each * size) / 2);
    const wrong: string[] = [];
    for (const { name } of folders) {
      const { kernel, layers } = await compared(join(out, name));
      wrong.push(...layers.flatMap((layer) => (isRight(layer) ? [] : [said(name, layer)])));
      const equal = layers.filter(({ status }) => status === 'match');
      const values = equal.reduce((sum, { values }) => sum + (values ?? 0), 0);
      const settings = 'random networks';
      rows.add({ kernel, runtime, version, cpu: thisCpu(), settings, compared: 'qdiff', values, mismatched: 0 });
    }
    expect(wrong).toEqual([]);
  });
});

async function compared(folder: string) {
  const isOnnx = readdirSync(folder).includes('model.onnx');
  const path = join(folder, 'capture.npz');
  const model = await openModel(
    nodeFileSystem,
    join(folder, isOnnx ? 'model.onnx' : 'model.json'),
    await producerIn(nodeFileSystem, path),
  );
  const capture = await openCapture(nodeFileSystem, path, model);
  const report = await compare(model, capture);
  await Promise.all([model.close(), capture.close()]);
  return report;
}

/** FBGEMM's depthwise kernel saturates on every CPU, which is a finding. */
function isRight({ status, diagnosis }: LayerReport): boolean {
  if (status !== 'mismatch') return true;
  return diagnosis?.causes.join() === 'int16-saturation' && diagnosis.explained === diagnosis.of;
}

function said(network: string, { name, op, mismatched, values }: LayerReport): string {
  return `${network} ${name} ${op}: ${mismatched} of ${values}`;
}
