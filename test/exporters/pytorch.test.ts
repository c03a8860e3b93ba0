import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kernelNamed } from '../../src/kernels/named.js';
import type { Report } from '../../src/nouns/report.js';
import { qdiff } from './command.js';
import { kernelThatRan, type Producer } from './kernelThatRan.js';
import { findPython, PROJECT, run, TORCH } from './python.js';

const HERE = join(PROJECT, 'test/exporters');
const EXPORTER = join(PROJECT, 'src/exporters/pytorch/qdiff_export.py');

const python = findPython();
if (python.missing !== null) console.warn(`The PyTorch exporter's tests are skipped: ${python.missing}`);
const withTorch = python.missing === null ? describe : describe.skip;
const title = (name: string) => (python.missing === null ? name : `${name} (skipped: ${python.missing})`);

const folder = mkdtempSync(join(tmpdir(), 'qdiff-pytorch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function report(...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await qdiff(...args, '--reporter', 'json');
  expect(stderr).toBe('');
  expect(code).toBeLessThan(2);
  return JSON.parse(stdout);
}

const producerOf = (model: string): Producer => JSON.parse(readFileSync(model, 'utf8')).producer;

/** [layer, mismatched] of the layers that differ. */
const differing = ({ layers }: Report) =>
  layers.filter(({ status }) => status === 'mismatch').map(({ name, mismatched }) => [name, mismatched]);

/** The layers that differ from the declared, exact kernel: each must be explained in every value. */
function expectExplained(compared: Report): void {
  for (const { name, unit, diagnosis, mismatched } of compared.layers.filter(({ status }) => status === 'mismatch')) {
    const { causes, explained, lost } = diagnosis!;
    expect({ name, explained, lost }).toEqual({ name, explained: mismatched, lost: 0 });
    // floats of oneDNN's gemm:jit also multiply in another order, by an ULP or so
    const names = unit === 'ulp' ? causes.filter((cause) => cause !== 'multiplier-precision') : causes;
    if (causes.length > names.length && names.length === 0) continue;
    expect({ name, causes: names }).toEqual({ name, causes: ['int16-saturation'] });
  }
}

const ENGINES = ['fbgemm', 'x86', 'onednn', 'qnnpack'];
const FLOWS = ['eager', 'eager-per-tensor', 'fx', 'dynamic', 'dynamic-full-range'];
const MODELS = [
  ...ENGINES.flatMap((engine) => FLOWS.map((flow) => `${flow}-${engine}`)),
  ...['pt2e-reference', 'pt2e-reference-per-tensor', 'pt2e-reference-dynamic', 'pt2e-lowered-dynamic', 'pt2e-lowered'],
  ...['', '-per-tensor', '-zero-point', '-reduce-range', '-static'].map((kind) => `torchao${kind}`),
];

/** The variables of a process, and the kernel that they make of an engine on every x86 CPU. */
const CPUS: { cpu: string; env: Record<string, string>; forced: Record<string, string> }[] = [
  { cpu: 'native', env: {}, forced: {} },
  {
    cpu: 'FBGEMM_ENABLE_INSTRUCTIONS=AVX2',
    env: { FBGEMM_ENABLE_INSTRUCTIONS: 'AVX2' },
    forced: { fbgemm: 'fbgemm-avx2', x86: 'fbgemm-avx2' },
  },
  {
    cpu: 'ONEDNN_MAX_CPU_ISA=AVX2',
    env: { ONEDNN_MAX_CPU_ISA: 'AVX2' },
    forced: { onednn: 'onednn-avx2', lowered: 'onednn-pointwise-avx2' },
  },
];

/** Models whose codes and weights are large enough that a pair of products leaves int16. */
const LARGE =
  /^((eager|eager-per-tensor|fx|dynamic-full-range)-(fbgemm|x86|onednn)|pt2e-lowered(-dynamic)?|torchao(?!-reduce-range).*)$/;

type Done = Record<string, { exported?: true; missing?: string; error?: string }>;

for (const { cpu, env, forced } of CPUS) {
  withTorch(title(`PyTorch ${TORCH}, ${cpu}`), () => {
    const out = join(folder, cpu);
    let done: Done;

    beforeAll(() => {
      // One process a CPU: torch reads the variables when it is imported.
      const { stdout, stderr } = run(python.path!, [join(HERE, 'models.py'), out], { env });
      expect(stdout, stderr).not.toBe('');
      done = JSON.parse(stdout.trim().split('\n').at(-1)!);
    }, 600_000);

    test('every model was tried', () => {
      expect(Object.keys(done).sort()).toEqual([...MODELS].sort());
    });

    const claim = '0 values differ under the kernel that ran; what the exact one misses is saturation';
    test.for(MODELS)(`%s: ${claim}`, async (name, { skip }) => {
      const { missing, error } = done[name];
      if (missing) skip(`${missing} is missing`);
      expect(error).toBeUndefined();
      const model = join(out, name, 'model.json');
      const capture = join(out, name, 'capture.npz');
      const ran = kernelThatRan(producerOf(model));
      if ('unknown' in ran) return skip(ran.unknown);
      const engine = name.split('-').at(-1)!;
      if (engine in forced) expect(ran.kernel).toBe(forced[engine]);

      const under = await report(model, capture, '--kernel', ran.kernel);
      expect(differing(under)).toEqual([]);
      const opaque = under.layers.filter(({ status }) => status !== 'match').map((layer) => layer.name);
      expect(opaque).toEqual([]);
      expect(under.layers.filter(({ op }) => op.startsWith('linear')).length).toBeGreaterThanOrEqual(3);

      const declared = await report(model, capture);
      expectExplained(declared);
      // the reference follows the CPU's facts, layer by layer: an order of multiplications is nothing to explain
      if (ran.kernel.endsWith('-amx') || name === 'dynamic-onednn') expect(differing(declared)).toEqual([]);
      const saturated = declared.layers.some(({ diagnosis }) => diagnosis?.causes.includes('int16-saturation'));
      expect(saturated).toBe(kernelNamed(ran.kernel)!.sums === 'saturating' && LARGE.test(name));
    });
  });
}

withTorch(title(`PyTorch ${TORCH}, a training script and two lines`), () => {
  const ran = (env: Record<string, string>, ...args: string[]) =>
    run(python.path!, args, { cwd: folder, env: { ...env, PYTHONPATH: join(EXPORTER, '..') } });

  test.each<Record<string, string>>([{}, { FBGEMM_ENABLE_INSTRUCTIONS: 'AVX2' }])(
    'the script, its saved module and its hook dictionary agree: %j',
    async (env) => {
      const [trained, loaded] = ['trained', 'loaded'].map((name) => join(folder, `${name}-${Object.keys(env)}`));
      const script = join(HERE, 'thread_script.py');
      expect(ran(env, script, trained)).toMatchObject({ status: 0 });
      const saved = ['--model', join(trained, 'trained_qat.pth'), '--inputs', join(trained, 'x.npy')];
      const exported = ran(env, EXPORTER, ...saved, '--import', script, '--out', loaded);
      expect(exported.stderr).toContain('which runs code that the file brings');
      expect(exported.status).toBe(0);
      expect(readFileSync(join(loaded, 'capture.npz'))).toEqual(readFileSync(join(trained, 'capture.npz')));
      expect(readFileSync(join(loaded, 'model.json'))).toEqual(readFileSync(join(trained, 'model.json')));

      const model = join(loaded, 'model.json');
      const kernel = kernelThatRan(producerOf(model)) as { kernel: string };
      expect(differing(await report(model, join(loaded, 'capture.npz'), '--kernel', kernel.kernel))).toEqual([]);
      const declared = await report(model, join(loaded, 'capture.npz'));
      expectExplained(declared);
      expect(differing(declared).map(([name]) => name)).toEqual(kernel.kernel === 'fbgemm' ? [] : ['fc1', 'fc2']);

      expect(ran(env, join(HERE, 'hook_script.py'), trained)).toMatchObject({ status: 0 });
      const hooked = await report(join(trained, 'hook.npz'));
      expectExplained(hooked);
      expect(hooked.layers.map(({ mismatched }) => mismatched)).toEqual([
        declared.layers.find(({ name }) => name === 'fc1')!.mismatched,
      ]);
    },
  );
});

withTorch(title(`PyTorch ${TORCH}, the exporter by itself`), () => {
  test('its own tests pass, and none is skipped but for torchao', () => {
    const { status, stderr } = run(python.path!, ['-m', 'unittest', '-v', 'test_qdiff_export'], { cwd: HERE });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^Ran [1-9]\d+ tests/m);
    expect(stderr.split('\n').filter((line) => / skipped '(?!torchao is not installed)/.test(line))).toEqual([]);
  }, 600_000); // 48 s on an idle machine

  test('25 million weights: model.json stays small', async () => {
    const { status, stderr } = run(python.path!, [join(HERE, 'large_model.py'), join(folder, 'large')]);
    expect(status, stderr).toBe(0);
    const files = Object.fromEntries(
      readdirSync(join(folder, 'large')).map((name) => [name, readFileSync(join(folder, 'large', name)).length]),
    );
    expect(files['model.json']).toBeLessThan(100_000);
    expect(files['model.npz']).toBeGreaterThan(25_000_000);
    const { code, stderr: said } = await qdiff(join(folder, 'large/model.json'), join(folder, 'large/capture.npz'));
    expect({ code, said }).toEqual({ code: 0, said: '' });
  });
});

withTorch(title(`PyTorch ${TORCH}, README as written`), () => {
  test('from your model to the answer', () => {
    const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
    const section = /^## Your PyTorch model\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(readme)?.[1] ?? '';
    const script = /```python\n(# train\.py\n[\s\S]*?)```/.exec(section)?.[1];
    const commands = /```sh\n([\s\S]*?)```/.exec(section)?.[1];
    expect({ script, commands }).toEqual({ script: expect.any(String), commands: expect.any(String) });

    const work = join(folder, 'readme');
    mkdirSync(join(work, 'bin'), { recursive: true });
    writeFileSync(join(work, 'train.py'), script!);
    const call = (path: string) => `#!/bin/sh\nexec ${path} "$@"\n`;
    writeFileSync(join(work, 'bin/python'), call(`'${python.path}'`), { mode: 0o755 });
    const command = `'${process.execPath}' '${join(PROJECT, 'bin/qdiff.js')}'`;
    writeFileSync(join(work, 'bin/qdiff'), call(command), { mode: 0o755 });
    const env = { PATH: `${join(work, 'bin')}:${process.env.PATH}` };
    const { status, stdout, stderr } = run('sh', ['-e', '-c', commands!], { cwd: work, env });
    const { kernel } = kernelThatRan(producerOf(join(work, 'out/model.json'))) as { kernel: string };
    expect({ status, stderr }).toEqual({ status: kernel === 'fbgemm' ? 0 : 1, stderr: '' });
    expect(stdout).toMatch(kernel === 'fbgemm' ? /^✓ +fc1 /m : /int16-saturation/);
  });
});
