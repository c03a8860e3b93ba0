/**
 * npm run bench [-- [--write-readme] [--whole [--slurm]] start layer diagnosis kernel convolution kinds growth npz memory network]
 *
 * Every ratio is of medians of runs that took turns, in this one run; of whole processes, of their CPU time. Python is python3, or $PYTHON; QDIFF_NODES names further
 * executables of Node, divided as in PATH, for the start. --write-readme puts the tables that the README has into it. --whole: all
 * blocks of the 7B model besides, some minutes and 8 GB of disk; --slurm: them once more as an array job of 8 tasks (test/scale/slurm.sh
 * says what that needs). QDIFF_AGAINST: another checkout, built, to print beside this one.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { delimiter, join } from 'node:path';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import { makeCase, makeNoise } from './case.js';
import { convolutionKinds } from './convolutionKinds.js';
import { CHAINS, type Convolution, convolutionInMemory, layerInMemory, limitOf, modes } from './kernel.js';
import { machine } from './machine.js';
import { network } from './network.js';
import {
  awaited,
  bench,
  files,
  folder,
  forReadme,
  hasTorch,
  inTurns,
  median,
  mib,
  ms,
  one,
  percent,
  print,
  process_,
  python,
  qdiff,
  root,
  shapeName,
  spawned,
  times,
} from './processes.js';
import { table, writeReadme } from './readme.js';
import { versions } from './versions.js';
import { arrayJob, memory, whole } from './whole.js';

// ---------------------------------------------------------------- sections

const sections: Readonly<Record<string, () => Promise<void> | void>> = {
  async start() {
    const at = join(folder, 'tiny');
    await makeCase(at, one(4, 16), 150);
    const empty = join(folder, 'empty.cjs');
    writeFileSync(empty, '');
    const others = (process.env.QDIFF_NODES ?? '').split(delimiter).filter((node) => node !== '');
    const rows = [process.execPath, ...others].map((executable) => {
      const [ofCpu, passed] = [process_, awaited].map((measure) => {
        const taken = inTurns(
          [measure('empty', executable, empty), measure('qdiff', executable, qdiff, ...files(at))],
          21,
        );
        return [taken.get('empty')!, taken.get('qdiff')!];
      });
      const version = spawned(executable, ['--version']).stdout.trim();
      return [version, ...[ofCpu, passed].flatMap(([node, whole]) => [node, whole, whole - node].map(ms))];
    });
    const measured = ['empty', 'qdiff', 'more'];
    const columns = ['of the CPU', 'by the clock'].flatMap((what) => measured.map((name) => `${name}, ${what}`));
    print('Start: 150x4x16, whole process, ms', ['Node', ...columns], rows);
    const head = ['a small run, 150 samples of 4 x 16', ...columns];
    forReadme.push(
      table(
        head,
        rows.map(([name, ...cells]) => [`Node ${name}`, ...cells.map((cell) => `${cell} ms`)]),
      ),
    );
  },

  async diagnosis() {
    const large = join(folder, 'diagnosis');
    await makeCase(large, one(1024, 1024), 512);
    const noise = join(large, 'noise.npz');
    await makeNoise(noise, one(1024, 1024)[0].name, 512, 1024);
    const fixture = (set: string) => files(join(root, 'fixtures/pytorch', set));
    const rows = [
      { name: 'iris-avx2', args: fixture('iris-avx2') },
      { name: 'digits-avx2', args: fixture('digits-avx2') },
      // the capture is exact, the kernel saturates: every layer differs
      { name: shapeName(512, 1024, 1024), args: [...files(large), '--kernel', 'fbgemm-avx2'] },
      { name: `${shapeName(512, 1024, 1024)}, a candidate of noise`, args: [...files(large), '--candidate', noise] },
    ].map(({ name, args }) => {
      const run = (label: string, ...more: readonly string[]) =>
        process_(label, process.execPath, qdiff, ...args, '--max-mismatched', '100', ...more);
      const taken = inTurns([run('plain', '--no-diagnose'), run('with')], 7);
      const [plain, whole] = [taken.get('plain')!, taken.get('with')!];
      return [name, ms(plain), ms(whole), times(whole / plain)];
    });
    const head = ['whole process, CPU time', 'compared, ms', 'and diagnosed, ms', 'ratio'];
    print('Diagnosis', head, rows);
    forReadme.push(table(head, rows));
  },

  async layer() {
    const rows: string[][] = [];
    const short: string[][] = [];
    for (const [samples, rounds] of [
      [1024, 3],
      [256, 5],
    ] as const) {
      const at = join(folder, `layer${samples}`);
      await makeCase(at, one(4096, 4096), samples);
      const script = (mode: string) => process_(mode, python, bench('script.py'), mode, at);
      const taken = inTurns(
        [
          process_('qdiff', process.execPath, qdiff, ...files(at)),
          script('float64'),
          script('int32'),
          process_('portable', process.execPath, qdiff, ...files(at), '--accelerator', 'portable'),
          process_('one thread', process.execPath, qdiff, ...files(at), '--threads', '1'),
          ...(hasTorch ? [script('fbgemm')] : []),
        ],
        rounds,
      );
      const whole = taken.get('qdiff')!;
      const over = (name: string) => (taken.has(name) ? times(taken.get(name)! / whole) : '-');
      const { maxRss } = spawned(process.execPath, [qdiff, ...files(at)]);
      const peak = JSON.parse(spawned(python, [bench('script.py'), 'float64', at]).stdout).max_rss;
      rows.push([
        shapeName(samples, 4096, 4096),
        ms(whole),
        ms(taken.get('portable')!),
        ms(taken.get('one thread')!),
        ms(taken.get('int32')!),
        ms(taken.get('float64')!),
        over('int32'),
        over('float64'),
        over('fbgemm'),
        `${mib(maxRss)} / ${mib(peak)}`,
      ]);
      const against = (name: string) => `${ms(taken.get(name)!)} ms (${over(name)})`;
      const fbgemm = hasTorch ? `${over('fbgemm')}, with its import` : '-';
      const qdiffs = ['portable', 'int32', 'float64'].map(against);
      short.push([`${samples} samples, 4096 x 4096`, `${ms(whole)} ms`, ...qdiffs, fbgemm]);
    }
    const scripts = ['numpy int32 script', 'numpy float64 script', 'torch fbgemm layer'];
    const head = ['one layer, whole process, CPU time', 'qdiff', '--accelerator portable', ...scripts];
    forReadme.push(table(head, short));
    print(
      'One layer, whole process, default threads, CPU time',
      [
        'samples x K x N',
        'qdiff, ms',
        'portable, ms',
        'one thread, ms',
        'numpy int32, ms',
        'numpy float64, ms',
        'int32 / qdiff',
        'float64 / qdiff',
        'torch fbgemm / qdiff',
        'peak MiB, qdiff / float64',
      ],
      rows,
    );
  },

  kernel() {
    const rows: string[][] = [];
    const short: string[][] = [];
    for (const [m, k, n] of [
      [1024, 1024, 1024],
      [256, 4096, 4096],
      [8192, 64, 256],
    ] as const) {
      let exact = 0;
      for (const mode of modes) {
        const single = layerInMemory(m, k, n, 1, mode);
        const two = layerInMemory(m, k, n, 2, mode);
        for (let i = 0; i < 3; i++) [single(), two()]; // both compilers, and the second thread
        const taken = { single: [] as number[], two: [] as number[], limits: CHAINS.map(() => [] as number[]) };
        for (let round = 0; round < 25; round++) {
          taken.single.push(single());
          taken.two.push(two());
          for (const [i, chains] of CHAINS.entries()) taken.limits[i].push(limitOf(mode, chains));
        }
        const limit = Math.max(...taken.limits.map(median));
        const [alone, together] = [median(taken.single), median(taken.two)];
        rows.push([
          shapeName(m, k, n),
          mode,
          limit.toFixed(1),
          alone.toFixed(1),
          percent(alone / limit),
          together.toFixed(1),
          times(together / alone),
        ]);
        const shape = shapeName(m, k, n);
        if (mode === 'exact') exact = alone;
        short.push([`${shape}, ${mode}`, alone.toFixed(1), times(alone / exact)]);
      }
    }
    const head = ['sums and requantization alone, one thread', 'GMAC a CPU second', 'over exact'];
    forReadme.push(table(head, short));
    print(
      'Sums and requantization alone, GMAC/s (packing included; one thread: a CPU second)',
      ['M x K x N', 'accumulator', '128-bit limit', 'one thread', 'of the limit', 'two threads', 'two / one'],
      rows,
    );
  },

  convolution() {
    const rows: string[][] = [];
    const shapes: readonly Convolution[] = [
      { samples: 4, inChannels: 64, size: 56, kernel: 3, outChannels: 64 },
      { samples: 16, inChannels: 512, size: 7, kernel: 3, outChannels: 512 },
      { samples: 4, inChannels: 64, size: 56, kernel: 1, outChannels: 256 },
    ];
    for (const shape of shapes) {
      for (const mode of modes) {
        const product = convolutionInMemory(shape, mode);
        const taken = { gathered: [] as number[], linear: [] as number[] };
        for (let round = 0; round < 15; round++) {
          taken.gathered.push(product.gathered());
          taken.linear.push(product.linear());
        }
        const [gathered, linear] = [median(taken.gathered), median(taken.linear)];
        const { samples, inChannels, size, kernel } = shape;
        rows.push([
          `${shapeName(samples, inChannels, size, size)}, kernel ${shapeName(kernel, kernel)}`,
          shapeName(...product.shape),
          mode,
          gathered.toFixed(1),
          linear.toFixed(1),
          percent(gathered / linear),
        ]);
      }
    }
    const head = ['input', 'M x K x N', 'accumulator', 'gathered, GMAC/s', 'linear, GMAC/s', 'of the linear'];
    print('A convolution through its offset table, and a linear layer of the same rows, one thread', head, rows);
    const short = rows.map(([input, , mode, , , part]) => [input, mode, part]);
    forReadme.push(table(['a convolution through its offset table', 'accumulator', 'of the linear rate'], short));
  },

  kinds: convolutionKinds,

  async growth() {
    const rows: string[][] = [];
    const base = [256, 1024, 1024] as const;
    for (const [axis, label] of ['M', 'K', 'N'].entries()) {
      for (const factor of [1, 4, 16]) {
        const [m, k, n] = base.map((size, i) => (i === axis ? size * factor : size));
        const measure = layerInMemory(m, k, n, 1, 'exact');
        measure();
        const rate = median(Array.from({ length: 7 }, measure));
        rows.push([`${label} x${factor}`, shapeName(m, k, n), rate.toFixed(1), ms((m * k * n) / rate / 1e6)]);
      }
    }
    print('Growth with M, K, N, one thread', ['axis', 'M x K x N', 'GMAC/s', 'ms'], rows);
    const whole: string[][] = [];
    for (const layers of [1, 4, 16]) {
      const at = join(folder, `layers${layers}`);
      const shapes = Array.from({ length: layers }, (_, i) => ({
        name: `fc${i}`,
        input: 'x',
        inFeatures: 2048,
        outFeatures: 2048,
      }));
      await makeCase(at, layers === 1 ? one(2048, 2048) : shapes, 256);
      const taken = inTurns(
        [1, 2, cpus().length].map((threads) =>
          awaited(String(threads), process.execPath, qdiff, ...files(at), '--threads', String(threads)),
        ),
        5,
      );
      const { maxRss } = spawned(process.execPath, [qdiff, ...files(at)]);
      whole.push([
        String(layers),
        ms(taken.get('1')!),
        ms(taken.get('2')!),
        ms(taken.get(String(cpus().length))!),
        mib(maxRss),
      ]);
    }
    print(
      'Growth with layers of 256x2048x2048 and threads, whole process',
      ['layers', '1 thread, ms', '2 threads, ms', `${cpus().length} threads, ms`, 'peak MiB'],
      whole,
    );
  },

  async npz() {
    spawned(python, [bench('npz.py'), 'write', folder, String(200 << 20)]);
    const rows: string[][] = [];
    for (const kind of ['stored', 'deflated']) {
      const file = join(folder, `${kind}.npz`);
      const own: number[] = [];
      const numpy: number[] = [];
      for (let round = 0; round < 5; round++) {
        own.push(await timeOfReading(file));
        numpy.push(Number(spawned(python, [bench('npz.py'), 'read', file]).stdout) * 1000);
      }
      rows.push([kind, ms(median(own)), ms(median(numpy)), times(median(numpy) / median(own))]);
    }
    print(
      'Reading an npz of 200 MB, array by array, CPU time',
      ['members', 'qdiff, ms', 'numpy.load, ms', 'numpy / qdiff'],
      rows,
    );
    const short = rows.map(([kind, own, numpy, ratio]) => [kind, `${own} ms`, `${numpy} ms (${ratio})`]);
    forReadme.push(table(['an npz of 200 MB, CPU time', 'qdiff', 'numpy.load'], short));
  },

  memory,
  network,
};

/** Milliseconds of the CPU. */
async function timeOfReading(path: string): Promise<number> {
  const started = process.cpuUsage();
  const file = await openNpz(nodeFileSystem, path);
  for (const array of file.arrays.values()) array.release?.(await array.read()); // as layers' weights, one after the other
  await file.close();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2).filter((name) => !name.startsWith('--'));
  const isWhole = process.argv.includes('--whole');
  const unknown = wanted.filter((name) => !Object.hasOwn(sections, name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; one of ${Object.keys(sections).join(', ')}`);
  mkdirSync(folder, { recursive: true });
  const numpy = spawned(python, ['-c', 'import numpy; print(numpy.__version__)']).stdout.trim();
  const day = new Date().toISOString().slice(0, 10);
  const where = `${machine()}; Node ${process.version}, numpy ${numpy}, ${day}`;
  console.log(where);
  for (const [name, run] of Object.entries(sections))
    if (wanted.includes(name) || (wanted.length === 0 && !isWhole && !process.env.QDIFF_AGAINST)) await run();
  if (isWhole) await whole();
  if (isWhole && process.argv.includes('--slurm')) arrayJob();
  if (process.env.QDIFF_AGAINST) await versions(process.env.QDIFF_AGAINST);
  if (!process.argv.includes('--write-readme')) return;
  writeReadme(join(root, 'README.md'), [`Measured on ${where}.`, ...forReadme].join('\n\n'));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(String(error.message ?? error));
    process.exit(1);
  },
);
