/** Whole networks, quantized by FX: every layer is captured and replayed, and equal but for what saturates. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { kernelNamed } from '../../src/kernels/named.js';
import type { Report } from '../../src/nouns/report.js';
import { notExplained, qdiff } from './command.js';
import { kernelThatRan } from './kernelThatRan.js';
import { findPython, PROJECT, run } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-networks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = findPython();
const [withTorch, skipped] =
  python.missing === null ? [describe, ''] : [describe.skip, ` (skipped: ${python.missing})`];

const CPUS: Record<string, Record<string, string>> = {
  native: {},
  'FBGEMM_ENABLE_INSTRUCTIONS=AVX2': { FBGEMM_ENABLE_INSTRUCTIONS: 'AVX2' },
};

/** PyTorch's QNNPACK clamp writes channels_last values into a contiguous tensor: said to be wrong, where nothing explains the values. */
const DEFECT = /^inverted-qnnpack: (stem|expand|depthwise)\.2$/;

for (const [cpu, env] of Object.entries(CPUS)) {
  withTorch(`networks by FX, ${cpu}${skipped}`, () => {
    test('every layer is captured and replayed; what differs saturates', async () => {
      const out = join(folder, cpu);
      const { status, stdout, stderr } = run(python.path!, [join(PROJECT, 'test/exporters/networks.py'), out], {
        env: { OMP_NUM_THREADS: '1', ...env },
      });
      expect(status, stderr).toBe(0);
      const done = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, string | null>;
      expect(Object.entries(done).filter(([, error]) => error !== null)).toEqual([]);
      expect(readdirSync(out)).toHaveLength(Object.keys(done).length);
      for (const name of Object.keys(done)) {
        for (const mode of ['isolated', 'propagated']) {
          const files = [join(out, name, 'model.json'), join(out, name, 'capture.npz')];
          const said = await qdiff(...files, '--mode', mode, '--reporter', 'json');
          expect({ name, stderr: said.stderr }).toEqual({ name, stderr: '' });
          expectWhole(name, mode, JSON.parse(said.stdout));
        }
      }
    }, 600_000);
  });
}

withTorch(`networks by convert_pt2e${skipped}`, () => {
  test('every layer is captured and replayed, floats between codes too; nothing differs from the kernel of this CPU', async () => {
    const out = join(folder, 'pt2e');
    const { status, stdout, stderr } = run(python.path!, [join(PROJECT, 'test/exporters/networks.py'), out, 'pt2e'], {
      env: { OMP_NUM_THREADS: '1' },
    });
    expect(status, stderr).toBe(0);
    const done = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, string | null>;
    expect(Object.entries(done).filter(([, error]) => error !== null)).toEqual([]);
    for (const name of Object.keys(done)) {
      for (const mode of ['isolated', 'propagated']) {
        const files = [join(out, name, 'model.json'), join(out, name, 'capture.npz')];
        const said = await qdiff(...files, '--mode', mode, '--reporter', 'json');
        const declared = JSON.parse(said.stdout) as Report;
        const kernel = saturatingKernel(files[0]);
        // oneDNN's gemm:jit multiplies in another order, too
        const unexplained = kernel && mode === 'isolated' ? notExplained(declared, 'multiplier-precision') : [];
        expect({ name, unexplained }).toEqual({ name, unexplained: [] });
        const under = kernel && (await qdiff(...files, '--mode', mode, '--reporter', 'json', '--kernel', kernel));
        const report = under ? (JSON.parse(under.stdout) as Report) : declared;
        expect({ name, mode, stderr: said.stderr, not: report.coverage.not_compared }).toEqual({
          name,
          mode,
          stderr: '',
          not: [],
        });
        expect({ name, mode, verdict: report.verdict }).toEqual({ name, mode, verdict: 'match' });
      }
    }
  }, 600_000);
});

/** The one that this CPU ran, where it does not add products exactly, as what is declared does. */
function saturatingKernel(model: string): string | null {
  const ran = kernelThatRan(JSON.parse(readFileSync(model, 'utf8')).producer);
  return 'kernel' in ran && kernelNamed(ran.kernel)!.sums === 'saturating' ? ran.kernel : null;
}

function expectWhole(name: string, mode: string, report: Report): void {
  expect({ name, not: report.coverage.not_compared }).toEqual({ name, not: [] });
  if (mode === 'propagated') return;
  const wrong = report.layers.filter((layer) => DEFECT.test(`${name}: ${layer.name}`));
  const said = report.warnings.filter(({ code }) => code === 'kernel-defect').map(({ where }) => where);
  expect(said).toEqual(wrong.map((layer) => layer.name));
  const layers = report.layers.filter((layer) => !wrong.includes(layer));
  expect({ name, unexplained: notExplained({ ...report, layers }) }).toEqual({ name, unexplained: [] });
}
