/**
 * Dynamic layers of every engine of PyTorch under each CPU setting, each capture with every engine's file: no cause is named that is
 * not so, none is missed, and the kernel that ran explains. Prints the counts.
 *
 *   QDIFF_PYTHON=/path/to/python npm run verify:runtimes -- dynamic      (a Python with torch 2.13 and numpy)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { hasVnni } from './record.js';

const python = process.env.QDIFF_PYTHON;
const NETWORKS = Number(process.env.QDIFF_VERIFY_SIZE ?? '2') * 4;
const ENGINES = ['fbgemm', 'qnnpack', 'onednn', 'x86'];
const SETTINGS: Record<string, Record<string, string>> = {
  native: {},
  avx2: { FBGEMM_ENABLE_INSTRUCTIONS: 'AVX2', ONEDNN_MAX_CPU_ISA: 'AVX2' },
  avx512: { FBGEMM_ENABLE_INSTRUCTIONS: 'AVX512', ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' },
};

const familyOf = (engine: string) => (engine === 'x86' ? 'fbgemm' : engine);

/** What may be named of an engine's capture under another's file; `full`: computed without reduce_range. */
function allowed(
  declared: string,
  ran: string,
  setting: string,
  full: boolean,
): { range: boolean; causes: Set<string> } {
  const range = (declared !== 'qnnpack') !== (ran !== 'qnnpack' && !full);
  const sameArithmetic = familyOf(declared) === familyOf(ran) && declared !== 'onednn';
  const causes = new Set<string>([
    ...(sameArithmetic ? [] : ['multiplier-precision', 'fma']),
    ...(range ? ['activation-range'] : []),
    ...(full && !(setting === 'native' && hasVnni()) && ran !== 'qnnpack' ? ['int16-saturation'] : []),
  ]);
  return { range, causes };
}

it.skipIf(!python)('never a name that is not so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-dynamic-'));
  const script = join(import.meta.dirname, 'torch_dynamic.py');
  for (const [setting, variables] of Object.entries(SETTINGS)) {
    const env = { ...process.env, ...variables };
    execFileSync(python!, [script, setting, String(NETWORKS), folder], { env, stdio: 'ignore' });
  }
  const counts = { layers: 0, differing: 0, tooFew: 0, unexplained: 0 };
  const wrong: string[] = [];
  const each = Array.from({ length: NETWORKS }, (_, seed) => seed).flatMap((seed) =>
    Object.keys(SETTINGS).flatMap((setting) =>
      ENGINES.flatMap((declared) =>
        ENGINES.flatMap((ran) => [true, false].map((full) => ({ seed, setting, declared, ran, full }))),
      ),
    ),
  );
  for (const { seed, setting, declared, ran, full } of each) {
    const model = await openModel(nodeFileSystem, join(folder, `native-${seed}-${declared}`, 'model.json'));
    const file = join(folder, `${setting}-${seed}-${ran}`, full ? 'full.npz' : 'capture.npz');
    const report = await compare(model, await openCapture(nodeFileSystem, file, model));
    for (const { name, values, mismatched, diagnosis } of report.layers) {
      if (values === null) continue;
      counts.layers++;
      if (!mismatched || !diagnosis) continue;
      counts.differing++;
      const { range, causes } = allowed(declared, ran, setting, full);
      const { unexplained } = diagnosis.evidence as { readonly unexplained?: { readonly would_take?: object } };
      if (unexplained) {
        // of a handful of values more samples are asked for: any of several causes gives them
        counts[unexplained.would_take ? 'tooFew' : 'unexplained']++;
        continue;
      }
      const isMissed = range && !diagnosis.causes.includes('activation-range');
      if (isMissed || diagnosis.causes.some((cause) => !causes.has(cause)))
        wrong.push(`${seed} ${setting} ${declared} ${ran} ${full} ${name}: ${diagnosis.causes.join('+')}`);
    }
  }
  console.log(
    `dynamic layers: ${counts.layers} compared, ${counts.differing} differ, ${counts.unexplained} unexplained, ${counts.tooFew} of too few values`,
  );
  expect(wrong).toEqual([]);
  expect(counts.unexplained).toBe(0);
});
