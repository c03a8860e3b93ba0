/** Networks on sequences: every layer is captured and replayed, and equal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { qdiff } from './command.js';
import { findPython, PROJECT, run } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-sequences-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = findPython();
const [withTorch, skipped] =
  python.missing === null ? [describe, ''] : [describe.skip, ` (skipped: ${python.missing})`];

withTorch(`networks on sequences${skipped}`, () => {
  test.each(['x86', 'qnnpack'])(
    'every layer is captured, replayed and equal: %s',
    async (engine) => {
      const out = join(folder, engine);
      const script = join(PROJECT, 'test/exporters/sequences.py');
      const { status, stdout, stderr } = run(python.path!, [script, out, engine], { env: { OMP_NUM_THREADS: '1' } });
      expect(status, stderr).toBe(0);
      const done = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, string | null>;
      expect(Object.entries(done).filter(([, error]) => error !== null)).toEqual([]);
      for (const name of Object.keys(done)) {
        for (const mode of ['isolated', 'propagated']) {
          const files = [join(out, name, 'model.json'), join(out, name, 'capture.npz')];
          const said = await qdiff(...files, '--mode', mode, '--reporter', 'json');
          expect({ name, stderr: said.stderr }).toEqual({ name, stderr: '' });
          const report = JSON.parse(said.stdout) as Report;
          const { verdict, coverage, layers } = report;
          // the linear of a state of zeros is no layer, and the next has a name of its own
          const linears = layers.filter((layer) => /\.[ih]h(_|@|$)/.test(layer.name));
          expect(linears.filter(({ op }) => op !== 'linear_dynamic')).toEqual([]);
          expect({ name, mode, verdict, not: coverage.not_compared }).toEqual({
            name,
            mode,
            verdict: 'match',
            not: name === 'bounds' ? ['clamp'] : [],
          });
        }
      }
    },
    600_000,
  );
});
