/**
 * OpenVINO's int8 layers declared as each kernel: no model of its own is here, so what it does otherwise may be named, in steps
 * only, or not; nothing of the file may be.
 *
 *   npm run verify:runtimes -- openvino
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { countsOf, declaredAsAnother, nothingSaid } from './asAnother.js';
import { pythonWith } from './environments.js';

const LAYERS = Number(process.env.QDIFF_VERIFY_SIZE ?? '2') * 12;
const folder = mkdtempSync(join(tmpdir(), 'qdiff-openvino-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['on this CPU', {}],
  ['as a CPU without VNNI', { ONEDNN_MAX_CPU_ISA: 'AVX2' }],
] as const)('%s', async (name, variables) => {
  const python = process.env.QDIFF_PYTHON ?? pythonWith('openvino', ['openvino==2026.4.1', 'numpy']);
  const out = join(folder, name);
  const script = join(import.meta.dirname, 'openvino_layers.py');
  execFileSync(python, [script, out, String(LAYERS)], { env: { ...process.env, ...variables }, stdio: 'ignore' });
  const { version, precisions } = JSON.parse(readFileSync(join(out, 'runtime.json'), 'utf8'));
  const said = nothingSaid();
  for (let seed = 0; seed < LAYERS; seed++) await declaredAsAnother(join(out, String(seed)), null, 1, said);
  const inIntegers = Object.values<string[]>(precisions).filter((types) => types.some((type) => /8/.test(type)));
  console.log(`OpenVINO ${version}, ${name}: ${LAYERS} layers, ${inIntegers.length} in integers, ${countsOf(said)}`);
  expect(said.wrong).toEqual([]);
});
