// npm run bench [-- [--write-readme] SECTION...]: bundles the benchmark and runs it on this Node. Needs `npm run build` and python3 with numpy.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { assemblyscript, compile, RELAXED } from '../../src/accelerate/assembly/compile.js';
import { limitSource } from './limit.js';

const limit = (relaxed) => new Map([['limit.ts', limitSource(relaxed)]]);
const folder = mkdtempSync(join(tmpdir(), 'qdiff-bench-'));
const script = join(folder, 'bench.cjs');
await build({
  input: fileURLToPath(new URL('bench.ts', import.meta.url)),
  platform: 'node',
  plugins: [assemblyscript],
  output: { file: script, format: 'cjs', codeSplitting: false },
});
writeFileSync(join(folder, 'limit.wasm'), await compile(limit(false)));
writeFileSync(join(folder, 'limit-relaxed.wasm'), await compile(limit(true), RELAXED));
const root = fileURLToPath(new URL('../..', import.meta.url));
const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, QDIFF_BENCH_ROOT: root, QDIFF_BENCH_FOLDER: folder },
});
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
