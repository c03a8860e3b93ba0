import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const PROJECT = resolve(import.meta.dirname, '../..');
export const TORCH = '2.13';

export type Python =
  | { readonly path: string; readonly missing: null }
  | { readonly path: null; readonly missing: string };

/** A Python with torch 2.13: QDIFF_PYTHON, which must have it, or the project's .venv, or python3. */
export function findPython(): Python {
  const asked = process.env.QDIFF_PYTHON;
  const candidates = asked ? [asked] : [join(PROJECT, '.venv/bin/python'), 'python3'];
  for (const path of candidates.filter((candidate) => !candidate.startsWith('/') || existsSync(candidate))) {
    if (spawnSync(path, ['-c', 'import torch; print(torch.__version__)']).stdout?.toString().startsWith(`${TORCH}.`)) {
      return { path, missing: null };
    }
  }
  if (asked) throw new Error(`QDIFF_PYTHON=${asked} cannot import torch ${TORCH}`);
  return {
    path: null,
    missing: `no Python with torch ${TORCH} in .venv or as python3; pip install torch==2.13.0 numpy`,
  };
}

/** A Python that has these modules: QDIFF_RUNTIMES, or that of torch, or python3. */
export function findPythonWith(...modules: readonly string[]): Python {
  const asked = [process.env.QDIFF_RUNTIMES, process.env.QDIFF_PYTHON].filter((path) => path !== undefined);
  for (const path of [...asked, join(PROJECT, '.venv/bin/python'), 'python3']) {
    if (spawnSync(path, ['-c', `import ${modules.join(', ')}`]).status === 0) return { path, missing: null };
  }
  return { path: null, missing: `no Python with ${modules.join(' and ')} as QDIFF_RUNTIMES, in .venv or as python3` };
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Ran {
  const env = { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1', ...options.env };
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, env, maxBuffer: 1 << 26 });
  if (error) throw error;
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}
