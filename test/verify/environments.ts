import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CACHE =
  process.env.QDIFF_VERIFY_CACHE ?? join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'qdiff-verify');

/** The Python of a virtual environment with pinned packages; made once. */
export function pythonWith(environment: string, packages: readonly string[]): string {
  const folder = join(CACHE, environment);
  const python = join(folder, 'bin', 'python3');
  const done = join(folder, 'installed.json');
  const wanted = JSON.stringify(packages);
  if (!existsSync(done) || readFileSync(done, 'utf8') !== wanted) {
    execFileSync('python3', ['-m', 'venv', folder]);
    execFileSync(python, ['-m', 'pip', 'install', '-q', ...packages], { stdio: 'ignore' });
    writeFileSync(done, wanted);
  }
  return python;
}
