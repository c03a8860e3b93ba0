/** `qdiff run` without a Python: what is started, what is said, what is left behind. In the runtimes: test/exporters/run.test.ts. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Ended, Processes } from '../../src/nouns/processes.js';
import { processes } from '../../src/processes.js';
import { cli } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-run-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ONNX = 'fixtures/onnx/mlp-qdq-u8s8/model.onnx';
const CAPTURE = 'fixtures/onnx/mlp-qdq-u8s8/capture.npz';
const TFLITE = 'fixtures/tflite/cnn-int8/model.tflite';
const SCRIPT = join(folder, "it's $(touch broken).py");
writeFileSync(SCRIPT, '');

const NODE_EXPORTER = { 'dist/exporters/qdiff_onnx.cjs': '' };

interface Started {
  readonly program: string;
  readonly args: readonly string[];
}

const ended = (status: number | null, stderr = ''): Ended => ({ status, stdout: '', stderr });

/** Programs that are not there but for those in `present`, which have every module if `has`; the exporter does `work`. */
function imagined(
  present: readonly string[],
  has = true,
  work: (args: readonly string[]) => Ended = () => ended(0),
  beside: string | null = null,
) {
  const started: Started[] = [];
  const scratch: string[] = [];
  const fake: Processes = {
    ...processes,
    node: 'this-node',
    beside: () => beside,
    run: async (program, args) => {
      started.push({ program, args });
      if (program === 'this-node') return work(args);
      if (!present.includes(program)) return null;
      return args[0] === '-c' ? ended(has ? 0 : 3) : work(args);
    },
    inScratch: (inner) =>
      processes.inScratch((made) => {
        scratch.push(made.folder);
        return inner(made);
      }),
  };
  return { fake, started, scratch };
}

/** As the exporters of ONNX Runtime: the capture is the last argument. */
const captures = (args: readonly string[]): Ended => {
  copyFileSync(CAPTURE, args.at(-1)!);
  return ended(0);
};

/** As the exporter of PyTorch. */
const exports = (args: readonly string[]): Ended => {
  const of = (flag: string) => args.find((arg) => arg.startsWith(`--${flag}=`))!.slice(flag.length + 3);
  const capture = join(of('out'), of('capture-name'));
  copyFileSync('fixtures/pytorch/iris-vnni/capture.npz', capture);
  copyFileSync('fixtures/pytorch/iris-vnni/model.json', capture.replace('.npz', '.model.json'));
  return ended(0);
};

describe('qdiff run', () => {
  test('captures and compares; nothing is left', async () => {
    const { fake, started, scratch } = imagined(['python3'], true, captures);
    const ran = await cli()(['run', ONNX, CAPTURE], { processes: fake });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain('MATCH: 5 of 5 layers compared');
    expect(ran.stdout).toContain(`next: qdiff run ${ONNX} ${CAPTURE} -o capture.npz\n`);
    expect(started.map(({ program }) => program)).toEqual(['python3', 'python3']);
    expect(scratch.map(existsSync)).toEqual([false]);
  });

  test('a program that ends well and writes nothing', async () => {
    const { fake } = imagined(['python3']);
    const ran = await cli()(['run', ONNX, CAPTURE], { processes: fake });
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toBe(`qdiff: ${ONNX}: expected a capture, got a runtime that ended without writing one\n`);
  });

  test('-o keeps the capture, with what the next command needs', async () => {
    const { fake } = imagined(['python3'], true, captures);
    const kept = join(folder, 'made/kept.npz');
    const ran = await cli()(['run', ONNX, CAPTURE, '-o', kept], { processes: fake });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain(`next: qdiff forecast ${ONNX} ${kept}\n`);
    expect(readFileSync(kept)).toEqual(readFileSync(CAPTURE));
    expect(readdirSync(join(folder, 'made'))).toEqual(['kept.npz']);
  });

  test('options of a comparison hold; the JSON says what was run', async () => {
    const { fake } = imagined(['python3'], true, captures);
    const argv = ['run', ONNX, CAPTURE, '--reporter', 'json', '--layer', 'fc3*', '--mode', 'propagated'];
    const ran = await cli()(argv, { processes: fake });
    expect(JSON.parse(ran.stdout)).toMatchObject({ model: ONNX, capture: CAPTURE, mode: 'propagated', total: 2 });
  });

  test('FILE.py:NAME is handed over as it is, by no shell', async () => {
    const { fake, started } = imagined(['python3'], true, exports);
    const kept = join(folder, 'py/c.npz');
    const ran = await cli()(['run', `${SCRIPT}:net.model`, CAPTURE, '-o', kept], { processes: fake });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(started.at(-1)!.args).toContain(`--model=${SCRIPT}:net.model`);
    expect(readdirSync(join(folder, 'py')).sort()).toEqual(['c.model.json', 'c.npz']);
    expect(ran.stdout).toContain(`next: qdiff forecast ${join(folder, 'py/c.model.json')} ${kept}`);
    expect(existsSync('broken')).toBe(false);
  });

  test('FILE.py:NAME that is not kept is called by its own name', async () => {
    const { fake } = imagined(['python3'], true, exports);
    const ran = await cli()(['run', `${SCRIPT}:model`, CAPTURE, '--reporter', 'json'], { processes: fake });
    expect(JSON.parse(ran.stdout)).toMatchObject({ model: `${SCRIPT}:model`, capture: CAPTURE, verdict: 'match' });
  });

  test('what is said of a capture that is not kept is said of what it was made from', async () => {
    const shorter = (args: readonly string[]): Ended => {
      const made = exports(args);
      const of = (flag: string) => args.find((arg) => arg.startsWith(`--${flag}=`))!.slice(flag.length + 3);
      const file = join(of('out'), of('capture-name').replace('.npz', '.model.json'));
      const model = JSON.parse(readFileSync(file, 'utf8'));
      writeFileSync(file, JSON.stringify({ ...model, layers: model.layers.slice(0, -1) }));
      return made;
    };
    const { fake } = imagined(['python3'], true, shorter);
    const ran = await cli()(['run', `${SCRIPT}:model`, CAPTURE, '--reporter', 'json'], { processes: fake });
    expect(JSON.parse(ran.stdout).warnings).toEqual([
      { code: 'unknown-array', where: CAPTURE, message: '1 array of no value of the model ignored: fc2' },
    ]);
  });

  test.each([
    ['onnxruntime', ONNX, [], 'expected a Python with onnx and onnxruntime on the path', 'onnx onnxruntime'],
    ['xnnpack', TFLITE, [], 'ai_edge_litert or tflite_runtime or tensorflow on the path', 'ai-edge-litert'],
    ['tflm', TFLITE, ['--runtime', 'tflm'], 'and tflite_micro on the path', 'ai-edge-litert tflite-micro'],
    ['pytorch', `${SCRIPT}:m`, [], 'expected a Python with torch on the path', 'torch numpy'],
  ])('without %s: exit 2 and the command that installs it', async (name, model, options, message, packages) => {
    for (const present of [['python3', 'python'], ['python'], []]) {
      const { fake, scratch } = imagined(present, false);
      const ran = await cli()(['run', model, CAPTURE, ...options], { processes: fake });
      expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
      expect(ran.stderr).toMatch(new RegExp(`^qdiff: ${name}: expected .*\n$`));
      expect(ran.stderr).toContain(message);
      const node =
        name === 'onnxruntime' ? '; or beside qdiff: npm i onnxruntime-node --onnxruntime-node-install=skip' : '';
      expect(ran.stderr).toContain(`; install: ${present[0] ?? 'python3'} -m pip install ${packages}${node}\n`);
      expect(scratch).toEqual([]);
    }
  });

  test.each([
    [['python3'], false, []],
    [[], false, []],
    [['python3'], true, ['--runtime', 'onnxruntime-node']],
  ])(
    'of Pythons %j that have it (%s), %j: from Node, where its package lies beside qdiff',
    async (present, has, options) => {
      const { fake, started } = imagined(present, has, captures, '/beside/onnxruntime-node/index.js');
      const ran = await cli(new Map(), NODE_EXPORTER)(['run', ONNX, CAPTURE, ...options], { processes: fake });
      expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
      expect(started.at(-1)).toMatchObject({
        program: 'this-node',
        args: [
          expect.stringContaining('qdiff_onnx.cjs'),
          '/beside/onnxruntime-node/index.js',
          resolve(ONNX),
          resolve(CAPTURE),
          expect.any(String),
        ],
      });
    },
  );

  test('--runtime onnxruntime-node without the package: the command that installs it, and no Python is asked', async () => {
    const { fake, started } = imagined(['python3'], true, captures);
    const ran = await cli()(['run', ONNX, CAPTURE, '--runtime', 'onnxruntime-node'], { processes: fake });
    const install = 'npm i onnxruntime-node --onnxruntime-node-install=skip';
    expect(ran.stderr).toBe(`qdiff: onnxruntime-node: expected onnxruntime-node beside qdiff; install: ${install}\n`);
    expect(started).toEqual([]);
  });

  test('QDIFF_PYTHON is the only one asked', async () => {
    const { fake, started } = imagined(['python3'], true, captures);
    const env = { QDIFF_PYTHON: '/mine/python' };
    const ran = await cli()(['run', ONNX, CAPTURE], { processes: fake, env });
    expect(ran.stderr).toMatch(/in QDIFF_PYTHON, got no \/mine\/python; set it to a Python, or to nothing\n/);
    expect(started.map(({ program }) => program)).toEqual(['/mine/python']);
  });

  test.each([
    [
      'what the exporter says',
      ended(2, 'INFO: noise\nqdiff_onnx: inputs: no x\nqdiff_onnx: nor y\n'),
      /^qdiff: .*model\.onnx: inputs: no x\nqdiff: .*: nor y\n$/,
    ],
    [
      'its own lines about the model, which is named once',
      ended(2, `qdiff_onnx: ${resolve(ONNX)}: no such op\n`),
      /^qdiff: fixtures[^:]*model\.onnx: no such op\n$/,
    ],
    [
      'the last line of what broke down',
      ended(1, 'Traceback\nMemoryError: \x1b[31mall\n'),
      /a runtime that ended with exit code 1: MemoryError: .*all\n$/,
    ],
    ['that it was killed', ended(null), /a runtime that was ended by the system\n$/],
  ])('a failing run: %s', async (_, failed, said) => {
    const { fake, scratch } = imagined(['python3'], true, () => failed);
    const kept = join(folder, 'failed.npz');
    const ran = await cli()(['run', ONNX, CAPTURE, '-o', kept], { processes: fake });
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(said) });
    expect(ran.stderr).not.toContain('\x1b');
    expect([existsSync(kept), ...scratch.map(existsSync)]).toEqual([false, false]);
  });

  test.each([
    [
      ['fixtures/pytorch/iris-vnni/model.json', CAPTURE],
      /expected a model that a runtime can run .* qdiff exporter pytorch > qdiff_export\.py\n$/,
    ],
    [[SCRIPT, CAPTURE], /expected FILE\.py:NAME/],
    [[`${SCRIPT}:`, CAPTURE], /expected FILE\.py:NAME/],
    [[`${SCRIPT}:a b`, CAPTURE], /expected FILE\.py:NAME/],
    [[`${SCRIPT}x.py:a`, CAPTURE], /x\.py: expected a file, found nothing/],
    [[ONNX, 'none.npz'], /none\.npz: expected a file, found nothing/],
    [
      [ONNX, CAPTURE, '--runtime', 'xnnpack'],
      /--runtime: expected one of onnxruntime, onnxruntime-node for this model, got xnnpack, which runs other models/,
    ],
    [
      [TFLITE, CAPTURE, '--runtime', 'nope'],
      /expected one of xnnpack, tflite-builtin, tflite-reference, tflm for this model, got nope\n$/,
    ],
    [[ONNX, CAPTURE, '-o', `./${CAPTURE}`], /-o: expected a file to write, got .*, which is read; name another/],
    [[ONNX, CAPTURE, '-o', 'folder/'], /-o: expected a file name/],
    [[ONNX, CAPTURE, '--kernel', 'nope'], /nope/],
  ])('%j: exit 2, and nothing is started', async (argv, message) => {
    const { fake, started } = imagined(['python3'], true, captures);
    const ran = await cli()(['run', ...argv], { processes: fake });
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(started).toEqual([]);
  });
});

describe('other programs', () => {
  test('are started by no shell; what is not there is null', async () => {
    const script = 'process.stdout.write(process.argv[1]); process.stderr.write(process.env.GIVEN); process.exit(7)';
    const args = ['-e', script, '--', '$HOME "; echo'];
    const ran = await processes.run(process.execPath, args, { GIVEN: 'é' });
    expect(ran).toEqual({ status: 7, stdout: '$HOME "; echo', stderr: 'é' });
    expect(await processes.run(join(folder, 'absent'), [])).toBeNull();
    expect(await processes.run(folder, [])).toBeNull();
  });

  test('a scratch folder goes, whatever happens', async () => {
    let made = '';
    const work = processes.inScratch(async (scratch) => {
      made = scratch.folder;
      writeFileSync(join(made, 'x'), '');
      throw new Error('mine');
    });
    await expect(work).rejects.toThrow('mine');
    expect([made !== '', existsSync(made)]).toEqual([true, false]);
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });

  test('a file that cannot be moved leaves what was there', async () => {
    const [from, to] = ['from', 'to'].map((name) => join(folder, name));
    writeFileSync(to, 'before');
    await expect(processes.move(from, to)).rejects.toThrow(/ENOENT/);
    expect(readFileSync(to, 'utf8')).toBe('before');
    writeFileSync(from, 'after');
    await processes.move(from, to);
    expect(readFileSync(to, 'utf8')).toBe('after');
    expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([]);
  });
});
