import { basename, dirname, join, normalize, resolve } from 'node:path';
import { kindOf } from '../frontends/kind.js';
import { openFile } from '../load/bytes.js';
import { InputError } from '../nouns/problem.js';
import type { Ended, Processes } from '../nouns/processes.js';
import { path as asPath, option } from '../report/words/next.js';
import { fitted, printable } from '../text.js';
import type { CliCommand, CommandIo } from './command.js';
import { checkOptions, declareComparison, type Options } from './compareOptions.js';
import { comparePairs } from './comparePairs.js';
import { usage } from './open.js';
import { checkTargets, written } from './output.js';
import { type RunnableKind, type Runner, type Runtime, runnerFor, runtimeFor } from './runtimes.js';

interface RunOptions extends Options {
  readonly output?: string;
  readonly runtime?: string;
}

/** `qdiff run MODEL INPUTS`: the runtime computes, the exporter captures, and the capture is compared at once. */
export const runCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('run <model> <inputs>')
      .usage('MODEL INPUTS [-o CAPTURE.npz] [options]')
      .description(
        'run a model (.onnx, .tflite, FILE.py:NAME) in its runtime (by python3 of the path, or QDIFF_PYTHON), capture every value, and compare',
      )
      .option('-o, --output <npz>', 'keep the capture; of FILE.py:NAME the model too, beside it')
      .option(
        '--runtime <name>',
        'onnxruntime, onnxruntime-node; xnnpack (default), tflite-builtin, tflite-reference, tflm; pytorch',
      );
    declareComparison(command).action((model: string, inputs: string, options: RunOptions) =>
      run((io) => runAction(io, model, inputs, options)),
    );
  },
};

async function runAction(io: CommandIo, model: string, inputs: string, options: RunOptions): Promise<number> {
  checkOptions(options);
  const target = await targetOf(io, model);
  const runtime = runtimeFor(target.kind, options.runtime);
  const read = [target.path, inputs, options.candidate, options.baseline].filter((path) => path !== undefined);
  checkTargets(options.reporter, read, io.stdout.isTTY);
  checkOutput(options.output, read);
  await Promise.all([target.path, inputs].map(async (path) => (await openFile(io.fs, path)).close()));
  const processes = await io.processes();
  const runner = await runnerFor(io, processes, runtime);
  return processes.inScratch(async ({ folder, remove }) => {
    const capture = basename(options.output ?? 'capture.npz');
    await captured(io, processes, { runner, runtime, model, inputs, target, folder, capture });
    const made = runtime.kind === 'pytorch' ? modelBeside(capture) : null;
    if (options.output !== undefined) {
      const kept = dirname(options.output);
      await moveAll(io, processes, folder, capture, options.output);
      return comparePairs(io, [
        { name: model, options, model: made ? join(kept, made) : model, capture: options.output },
      ]);
    }
    const again = [
      'qdiff',
      'run',
      asPath(model),
      asPath(inputs),
      '-o',
      'capture.npz',
      ...runtimeWords(options.runtime),
    ];
    const ran = { model, capture: inputs, again, opened: remove };
    const modelPath = made ? join(folder, made) : model;
    return comparePairs(io, [{ name: model, options, model: modelPath, capture: join(folder, capture), ran }]);
  });
}

/** The exporter's name of the model that it writes beside a capture. */
function modelBeside(capture: string): string {
  return `${capture.replace(/\.npz$/, '')}.model.json`;
}

function runtimeWords(runtime: string | undefined): string[] {
  return runtime === undefined ? [] : option('--runtime', runtime);
}

interface Target {
  readonly kind: RunnableKind;
  /** The file. */
  readonly path: string;
  /** What the exporter takes: an absolute path, and of FILE.py:NAME the name. */
  readonly whole: string;
}

async function targetOf(io: CommandIo, model: string): Promise<Target> {
  const [, file, name] = /^(.*\.py):([\p{L}_][\p{L}\p{N}_.]*)$/su.exec(model) ?? [];
  if (file !== undefined) return { kind: 'pytorch', path: file, whole: `${resolve(file)}:${name}` };
  if (/\.py(:.*)?$/s.test(model)) {
    throw usage(
      'expected FILE.py:NAME, where NAME is a quantized module or a function that returns one',
      printable(model),
    );
  }
  const kind = await kindOf(io.fs, model);
  if (kind === 'onnx' || kind === 'tflite') return { kind, path: model, whole: resolve(model) };
  const message =
    'expected a model that a runtime can run (.onnx, .tflite, FILE.py:NAME), got a model.json or another file; its ' +
    'capture comes from the exporter: qdiff exporter pytorch > qdiff_export.py';
  throw new InputError([{ kind: 'not-run', where: printable(model), message }]);
}

function checkOutput(output: string | undefined, read: readonly string[]): void {
  if (output === undefined) return;
  if (/[/\\]$/.test(output) || output === '') throw usage(`expected a file name, got ${printable(output)}`, '-o');
  if (read.map(normalize).includes(normalize(output))) {
    throw usage(`expected a file to write, got ${printable(output)}, which is read; name another`, '-o');
  }
}

interface Run {
  readonly runner: Runner;
  readonly runtime: Runtime;
  /** As the user wrote them. */
  readonly model: string;
  readonly inputs: string;
  readonly target: Target;
  readonly folder: string;
  readonly capture: string;
}

/** Runs the exporter, a copy of it in the scratch folder. Throws InputError with what it says. */
async function captured(io: CommandIo, processes: Processes, run: Run): Promise<void> {
  const { runner, runtime, model, inputs, target, folder, capture } = run;
  const exporter = join(folder, basename(runner.exporter));
  await io.writeFile(exporter, await io.readAsset(runner.exporter));
  const args = runtime.args({ model: target.whole, inputs: resolve(inputs), folder, capture });
  if (io.stderr.isTTY) io.stderr.write(`running ${printable(model)} (${runtime.name}) ...`);
  const ended = await processes.run(runner.program, [exporter, ...runner.before, ...args], {
    TMPDIR: folder,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONIOENCODING: 'utf-8',
  });
  if (io.stderr.isTTY) io.stderr.write('\r\x1b[K');
  const isMade = ended?.status === 0 && (await io.fs.list(folder)).includes(capture);
  if (isMade) {
    for (const line of ownLines(ended)) io.stderr.write(`${fitted(`qdiff: ${line}`)}\n`);
    return;
  }
  const itself = [target.whole, basename(model)].map((name) => `${printable(name)}: `);
  const problems = saidBy(ended).map((said) => {
    const message = said.slice(itself.find((name) => said.startsWith(name))?.length ?? 0);
    return { kind: 'run', where: printable(model), message };
  });
  throw new InputError(problems);
}

const linesOf = (ended: Ended | null) => (ended?.stderr ?? '').split('\n').filter((line) => line.trim() !== '');

/** The exporter's: what it says of a run that succeeded is worth a line too. */
function ownLines(ended: Ended | null): string[] {
  return linesOf(ended)
    .flatMap((line) => /^qdiff_\w+: (.*)$/.exec(line)?.[1] ?? [])
    .map(printable);
}

/** Why it failed: the exporter's own lines, or the last of a program that broke down. */
function saidBy(ended: Ended | null): string[] {
  const own = ownLines(ended);
  if (own.length > 0) return own;
  const lines = linesOf(ended);
  const how =
    ended?.status === null || ended === null
      ? 'was ended by the system'
      : ended.status === 0
        ? 'ended without writing one'
        : `ended with exit code ${ended.status}`;
  return [`expected a capture, got a runtime that ${how}${lines.length > 0 ? `: ${printable(lines.at(-1)!)}` : ''}`];
}

/** What was made goes where the user wants it: the capture last, which is what a script looks for. */
async function moveAll(
  io: CommandIo,
  processes: Processes,
  folder: string,
  capture: string,
  output: string,
): Promise<void> {
  const stem = modelBeside(capture).replace(/json$/, '');
  const names = (await io.fs.list(folder)).filter((name) => name.startsWith(stem));
  for (const name of names) await written(output, processes.move(join(folder, name), join(dirname(output), name)));
  await written(output, processes.move(join(folder, capture), output));
}
