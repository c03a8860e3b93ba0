import { basename, join } from 'node:path';
import { cutTo, placedIn, refuseCutCalls } from '../compare/candidate/fewerSamples.js';
import { candidateInGraphOrder, inGraphOrder } from '../compare/inGraphOrder.js';
import type { SampleSpan } from '../compare/options.js';
import {
  type Closable,
  isHookDictionary,
  openCandidate,
  openCapture,
  openHookDictionary,
  openModel,
  producerIn,
} from '../frontends/open.js';
import { kernelNamed } from '../kernels/named.js';
import { collecting } from '../load/refuse.js';
import type { Capture } from '../nouns/capture.js';
import type { Io } from '../nouns/io.js';
import type { Model, Producer } from '../nouns/model.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { given, printable } from '../text.js';
import type { CaptureUse } from '../validate/comparable.js';
import { computedBy } from '../validate/producer.js';

/** Remembers what has to be closed. */
export type Open = <T extends Closable>(file: Promise<T>) => Promise<T>;

/** Runs work, and closes the files that it opened, whatever happens. */
export async function withOpened<T>(work: (open: Open) => Promise<T>): Promise<T> {
  const opened: Closable[] = [];
  const open = async <F extends Closable>(file: Promise<F>): Promise<F> => {
    opened.push(await file);
    return file;
  };
  try {
    return await work(open);
  } finally {
    await Promise.all(opened.map((file) => file.close()));
  }
}

/** Model and capture, or the hook dictionary that is both. */
export async function openPair(
  io: Io,
  modelPath: string,
  capturePath: string | undefined,
  open: Open,
  use: CaptureUse,
  kernel: string | undefined,
  command?: string,
) {
  if (capturePath !== undefined) {
    const ranBy = { ...(await producerIn(io.fs, capturePath)), ...cpuOf(kernel) };
    const model = await open(openModel(io.fs, modelPath, ranBy));
    const captured = await open(openCapture(io.fs, capturePath, model, use));
    const ran = computedBy(model, captured);
    return { model: ran, capture: await inGraphOrder(ran, captured, kernel) };
  }
  if (await isHookDictionary(io.fs, modelPath)) return open(openHookDictionary(io.fs, modelPath));
  const second = use === 'inputs' ? 'a file of its inputs' : 'CAPTURE';
  const example = ['qdiff', ...(command ? [command] : []), ...(await pairFor(io, modelPath))];
  throw usage(`expected MODEL and ${second}, got only ${given(modelPath)}; e.g. ${example.join(' ')}`);
}

/** Of one of a pair, or of the folder that an exporter wrote, both. */
async function pairFor({ fs }: Io, path: string): Promise<string[]> {
  const names = await fs.list(path).catch((): string[] => []);
  const pair = ['model.json', 'capture.npz'];
  if (pair.every((name) => names.includes(name))) return pair.map((name) => printable(join(path, name)));
  const named = printable(basename(path));
  return /\.np[yz]$/i.test(path) ? ['model.json', named] : [named || 'model.json', 'capture.npz'];
}

/** How the user's own values are read. */
interface CandidateReading {
  readonly map?: Iterable<readonly [mine: string, layer: string]> | undefined;
  readonly against?: 'capture' | 'replay' | undefined;
  /** Those that are compared: a candidate may have run no other. */
  readonly samples?: SampleSpan | undefined;
}

/** The user's own values, or a second capture. */
export async function openCandidateOf(
  io: Io,
  path: string,
  { model, capture }: { readonly model: Model; readonly capture: Capture },
  open: Open,
  { map, against, samples }: CandidateReading,
): Promise<Capture> {
  const openBeside = async (of: Capture) => {
    const candidate = await open(openCandidate(io.fs, path, model, of, new Map(map), against));
    return candidateInGraphOrder(model, of, candidate);
  };
  if (!samples || samples.to - samples.from === capture.samples) return openBeside(capture);
  const problems: Problem[] = [];
  const whole = await collecting(problems, () => openBeside(capture));
  // words for $readmemh are read when they are looked at: those of some samples alone end before the last
  const isRead = whole && (path.endsWith('.npz') || (await hasSample(whole, capture.samples - 1, problems)));
  if (isRead) return whole;
  const isFirst = whole && samples.from === 0 && (await hasSample(whole, samples.to - 1));
  const part = isFirst ? cutTo(whole, samples) : await collecting([], () => openBeside(cutTo(capture, samples)));
  if (!part) throw new InputError(problems);
  refuseCutCalls(model, capture, samples);
  return placedIn(capture, part, samples);
}

async function hasSample({ values }: Capture, sample: number, problems: Problem[] = []): Promise<boolean> {
  for (const value of values.values()) {
    if ((await collecting(problems, () => value.read(sample, sample + 1))) === undefined) return false;
  }
  return true;
}

/** What a kernel that is asked for says of the CPU. */
export function cpuOf(kernel: string | undefined): Producer {
  const arch = kernel === undefined ? undefined : kernelNamed(kernel)?.arch;
  return arch === undefined ? {} : { arch };
}

export function usage(message: string, where = 'arguments'): InputError {
  return new InputError([{ kind: 'usage', where, message }]);
}

export async function exists(io: Io, path: string): Promise<boolean> {
  try {
    await io.fs.isDirectory(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    return true; // reading says what is wrong with it
  }
}
