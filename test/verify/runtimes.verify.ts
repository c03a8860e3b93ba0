/**
 * Every kernel that this machine can run, against the runtime itself: runtimes.py makes captures with PyTorch, ONNX
 * Runtime, LiteRT and numpy (installed from PyPI into node_modules/.cache), qdiff replays them, and what was compared goes
 * into src/kernels/verification.json, which `qdiff kernels` prints.
 *
 *   npm run verify:runtimes                       natively, and as other CPUs where the runtimes have a variable for it
 *   QDIFF_VERIFY_SIZE=4 npm run verify:runtimes   four times the layers
 *   QDIFF_VERIFY_ONLY=convolutions npm run verify:runtimes   PyTorch's convolutions alone, other layers than a whole run has
 *
 * With qemu-x86_64 installed, also on CPUs without VNNI or AVX that no variable imitates.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { kernels } from '../../src/kernels/registry.js';
import { countsOf, declaredAsAnother, nothingSaid } from './asAnother.js';
import { pythonWith } from './environments.js';
import { Rows, thisCpu } from './record.js';

const SIZE = process.env.QDIFF_VERIFY_SIZE ?? '2';
const ONLY = process.env.QDIFF_VERIFY_ONLY;
/** Of each family. */
const LAYERS_AS_OTHERS = 1;

const packages = {
  torch: ['torch==2.13.0', 'numpy'],
  others: ['onnxruntime==1.32.0', 'onnx==1.23.2', 'ai-edge-litert==2.3.0', 'flatbuffers==25.12.19', 'numpy'],
  litert12: ['ai-edge-litert==1.2.0', 'flatbuffers==25.12.19', 'numpy'],
};

interface Run {
  readonly runtime: 'torch' | 'ort' | 'litert' | 'numpy';
  readonly environment: keyof typeof packages;
  readonly variables?: Record<string, string>;
  /** A CPU of qemu-x86_64, and the flags that matter here. */
  readonly emulated?: { readonly cpu: string; readonly flags: string };
}

const haswell = { cpu: 'Haswell', flags: 'avx,avx2' };
const nehalem = { cpu: 'Nehalem', flags: 'sse4_2' };
const runs: Run[] = [
  { runtime: 'torch', environment: 'torch' },
  {
    runtime: 'torch',
    environment: 'torch',
    variables: { FBGEMM_ENABLE_INSTRUCTIONS: 'AVX2', ONEDNN_MAX_CPU_ISA: 'AVX2' },
  },
  {
    runtime: 'torch',
    environment: 'torch',
    variables: { FBGEMM_ENABLE_INSTRUCTIONS: 'AVX512', ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' },
  },
  { runtime: 'torch', environment: 'torch', variables: { ONEDNN_MAX_CPU_ISA: 'SSE41' } },
  { runtime: 'torch', environment: 'torch', variables: { ONEDNN_MAX_CPU_ISA: 'AVX' } },
  { runtime: 'ort', environment: 'others' },
  { runtime: 'litert', environment: 'others' },
  { runtime: 'litert', environment: 'litert12' },
  { runtime: 'numpy', environment: 'others' },
  { runtime: 'ort', environment: 'others', emulated: haswell },
  { runtime: 'ort', environment: 'others', emulated: nehalem },
  { runtime: 'litert', environment: 'others', emulated: nehalem },
];

const canEmulate = succeeds('qemu-x86_64', ['--version']);
const work = mkdtempSync(join(tmpdir(), 'qdiff-verify-'));
const rows = new Rows();

const isWanted = (run: Run) => (canEmulate || !run.emulated) && (!ONLY || run.runtime === 'torch');
describe.each(runs.filter(isWanted))('$runtime $environment $variables $emulated.cpu', (run) => {
  it('equals the replay in every value', async () => {
    const folder = join(work, String(runs.indexOf(run)));
    capture(run, folder);
    const { runtime, version } = JSON.parse(readFileSync(join(folder, 'runtime.json'), 'utf8'));
    const differing: string[] = [];
    for (const kernel of kernels.map((k) => k.name).filter((name) => existsSync(join(folder, name)))) {
      const ran = { kernel, runtime, version, cpu: cpuOf(run), settings: settingsOf(kernel, run) };
      for (const family of readdirSync(join(folder, kernel))) {
        const { values, layers } = await replay(join(folder, kernel, family));
        const mismatched = layers.reduce((sum, layer) => sum + layer.mismatched, 0);
        differing.push(...layers.map((layer) => `${kernel}/${family} ${layer.name}: ${layer.mismatched}`));
        const of = family.includes('convolutions') ? ({ of: 'convolutions' } as const) : {};
        rows.add({ ...ran, compared: 'qdiff', ...of, values, mismatched });
      }
    }
    expect(differing).toEqual([]);
  });

  it.skipIf(ONLY)('declared as each other kernel is never told a false name', async () => {
    const folder = join(work, String(runs.indexOf(run)));
    const said = nothingSaid();
    for (const kernel of kernels.map((k) => k.name).filter((name) => existsSync(join(folder, name)))) {
      for (const family of readdirSync(join(folder, kernel))) {
        await declaredAsAnother(join(folder, kernel, family), kernel, LAYERS_AS_OTHERS, said);
      }
    }
    console.log(`${run.runtime} ${cpuOf(run)} ${JSON.stringify(run.variables ?? {})}, ${countsOf(said)}`);
    expect(said.wrong).toEqual([]);
  });
});

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
  rows.write();
});

function capture(run: Run, folder: string): void {
  const python = pythonWith(run.environment, packages[run.environment]);
  const script = [
    join(import.meta.dirname, 'runtimes.py'),
    run.runtime,
    '--out',
    folder,
    '--seed',
    String(runs.indexOf(run) + (ONLY ? 100 : 0)),
    ...(ONLY ? ['--only', ONLY] : []),
  ];
  const size = ['--size', run.emulated ? String(Number(SIZE) / 4) : SIZE];
  // OpenBLAS would take the emulated CPU for the real one
  const env = { ...process.env, ...run.variables, ...(run.emulated && { OPENBLAS_CORETYPE: run.emulated.cpu }) };
  const options = { env, stdio: ['ignore', 'inherit', 'ignore'] as ['ignore', 'inherit', 'ignore'] };
  if (!run.emulated) execFileSync(python, [...script, ...size], options);
  else {
    const { cpu, flags } = run.emulated;
    execFileSync('qemu-x86_64', ['-cpu', cpu, python, ...script, ...size, '--flags', flags], options);
  }
}

async function replay(folder: string) {
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const captured = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const report = await compare(model, captured, { diagnose: false });
  await model.close();
  await captured.close();
  const missing = report.layers.filter((layer) => layer.values === null).map((layer) => layer.name);
  expect(missing).toEqual([]);
  const differing = report.layers.filter((layer) => layer.mismatched! > 0);
  return {
    values: report.layers.reduce((sum, layer) => sum + layer.values!, 0),
    layers: differing.map((layer) => ({ name: layer.name, mismatched: layer.mismatched! })),
  };
}

/** The variable that chose this kernel, if one did. */
function settingsOf(kernel: string, { variables = {} }: Run): string {
  const prefix = kernel.startsWith('fbgemm') ? 'FBGEMM_' : kernel.startsWith('onednn') ? 'ONEDNN_' : '-';
  const chosen = Object.entries(variables).filter(([name]) => name.startsWith(prefix));
  return chosen.map(([name, value]) => `${name}=${value}`).join(' ');
}

function cpuOf(run: Run): string {
  return run.emulated ? `${run.emulated.cpu} (qemu)` : thisCpu();
}

function succeeds(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
