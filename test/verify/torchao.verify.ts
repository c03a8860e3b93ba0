/**
 * torchao's int8 layers against torchao itself, natively and with oneDNN held to AVX2; the counts go into src/kernels/verification.json.
 *
 *   npm run verify:runtimes -- torchao
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { pythonWith } from './environments.js';
import { hasVnni, Rows, thisCpu } from './record.js';

const NETWORKS = Number(process.env.QDIFF_VERIFY_SIZE ?? '2') * 30;
const PACKAGES = ['torch==2.13.0', 'torchao==0.18.0', 'numpy'];
const folder = mkdtempSync(join(tmpdir(), 'qdiff-torchao-'));
const rows = new Rows();
afterAll(() => {
  rmSync(folder, { recursive: true });
  rows.write();
});

/** torch._int_mm is oneDNN's, which follows the variable, on these alone: src/kernels/torchao.md. */
const held = hasVnni() ? 'torchao-avx2' : 'torchao';

it.each([
  ['torchao', {}],
  [held, { ONEDNN_MAX_CPU_ISA: 'AVX2' }],
] as const)('%s, %j', async (kernel, variables) => {
  const python = process.env.QDIFF_PYTHON ?? pythonWith('torchao', PACKAGES);
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const out = join(folder, settings.join() || 'native');
  const script = join(import.meta.dirname, 'torchao_layers.py');
  execFileSync(python, [script, out, String(NETWORKS)], { env: { ...process.env, ...variables }, stdio: 'ignore' });
  const total = { values: 0, mismatched: 0 };
  for (let seed = 0; seed < NETWORKS; seed++) {
    const model = await openModel(nodeFileSystem, join(out, String(seed), 'model.json'));
    const capture = await openCapture(nodeFileSystem, join(out, String(seed), 'capture.npz'), model);
    const { layers } = await compare(model, capture, { kernel, diagnose: false });
    for (const { op, values, mismatched } of layers.filter(({ op }) => op !== 'relu')) {
      expect({ seed, op, mismatched }).toEqual({ seed, op, mismatched: 0 });
      total.values += values!;
    }
    await Promise.all([model.close(), capture.close()]);
  }
  rows.add({
    kernel,
    runtime: 'torchao',
    version: '0.18.0, torch 2.13.0+cpu',
    cpu: thisCpu(),
    settings: settings.join(' '),
    compared: 'qdiff',
    ...total,
  });
});
