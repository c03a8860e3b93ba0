import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { Checks } from '../documents/checks.js';
import { fileNames } from '../load/fileName.js';
import { isInside } from '../load/inside.js';
import { field, readJson } from '../load/json.js';
import { NoNumbers } from '../load/noNumbers.js';
import { openNpz } from '../load/npz.js';
import type { PlainOf } from '../load/plainFiles.js';
import { collecting, refuse, unreadable } from '../load/refuse.js';
import type { ArrayFile } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import type { FileSystem } from '../nouns/file.js';
import type { Model } from '../nouns/model.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { featuresOf } from '../ops/fields/features.js';
import { printable } from '../text.js';
import { validateCandidate } from '../validate/candidate.js';
import { validateCapture } from '../validate/capture.js';
import type { CaptureUse } from '../validate/comparable.js';
import { validateModel } from '../validate/model.js';
import { nameOf } from '../validate/names.js';
import { readProducer } from '../validate/producer.js';
import { carriesModel, withoutModel } from './carried.js';
import { asCapture, GOLDEN, withInputs } from './goldenVectors.js';
import { isHookDictionary as hasHookKeys, validateHookDictionary } from './hookDictionary.js';
import { kindOf } from './kind.js';
import type { RanBy } from './modelFile.js';
import { frontEnds } from './registry.js';

/** Weights and values stay in their file until they are read: close it after that. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Reads and validates a model: model.json and the npz it names, or another file. ranBy: what ran it, which decides what some runtimes
 * make of a graph. Throws InputError with every problem.
 */
export async function openModel(fs: FileSystem, path: string, ranBy: RanBy = {}): Promise<Model & Closable> {
  const kind = await kindOf(fs, path);
  const frontEnd = frontEnds.find((row) => row.kind === kind);
  if (!frontEnd) return openModelJson(fs, path);
  const read = await frontEnd.load();
  const { raw, arrays, warnings = [] } = await read(fs, path, ranBy);
  try {
    const model = await validateModel(raw, path, arrays).catch((error) => {
      throw byName(error, raw, path);
    });
    const producer = { ...model.producer, file: frontEnd.kind };
    return { ...model, producer, warnings: [...warnings, ...model.warnings], close: () => arrays.close() };
  } catch (error) {
    await arrays.close();
    throw error;
  }
}

/** Problems of layers say which by its name: a graph has no list of layers to count in. */
function byName(error: unknown, raw: unknown, path: string): unknown {
  const layers = field(raw, 'layers');
  if (!(error instanceof InputError) || !Array.isArray(layers)) return error;
  const place = `${printable(path)} layers[`;
  const named = (problem: Problem): Problem => {
    const index = problem.where.startsWith(place) ? /^(\d+)\]/.exec(problem.where.slice(place.length)) : null;
    if (!index) return problem;
    const after = problem.where.slice(place.length + index[0].length);
    return {
      ...problem,
      where: `${printable(path)} layer ${printable(nameOf(layers[Number(index[1])]) ?? '')}${after}`,
    };
  };
  return new InputError(error.problems.map(named));
}

async function openModelJson(fs: FileSystem, path: string): Promise<Model & Closable> {
  const raw = await readJson(fs, path);
  const problems: Problem[] = [];
  const arrays = field(raw, 'arrays');
  const named = typeof arrays === 'string' && arrays !== '' ? arrays : null;
  const file = named === null ? null : await collecting(problems, () => openArraysOf(fs, path, named));
  const model = await collecting(problems, () =>
    validateModel(raw, path, named === null ? 'none' : (file ?? 'unreadable')),
  );
  if (model && problems.length === 0) return { ...model, close: async () => file?.close() };
  await file?.close();
  throw new InputError(problems);
}

/** The npz that model.json names: in its folder, also when every symbolic link is followed. */
async function openArraysOf(fs: FileSystem, modelPath: string, named: string): Promise<ArrayFile> {
  const where = `${printable(modelPath)} arrays`;
  const folder = dirname(modelPath);
  const path = join(folder, named);
  const outside = refuse('arrays', where, `expected a path inside the model's folder, got ${printable(named)}`);
  if (isAbsolute(named) || named.includes('\0') || !isInside(resolve(folder), resolve(path))) throw outside;
  const [realFolder, realPath] = await Promise.all([fs.realPath(folder), fs.realPath(path)]).catch((error) => {
    throw unreadable(path, error);
  });
  if (!isInside(realFolder, realPath)) throw outside;
  return openNpz(fs, path);
}

/** Who computed a capture, as it says itself, and what is in it; nothing where it cannot be read (which opening it says). */
export async function producerIn(fs: FileSystem, path: string): Promise<RanBy> {
  const file = await collecting([], () => openArrays(fs, path));
  if (!file) return {};
  const producer = await readProducer(file, new Checks(path));
  await file.close();
  return { ...producer, captured: shapesOf(file) };
}

function shapesOf({ arrays }: ArrayFile): ReadonlyMap<string, readonly number[]> {
  const numbers = [...arrays].filter(([, source]) => !(source instanceof NoNumbers));
  return new Map(numbers.map(([name, { shape }]) => [name, shape]));
}

/** Whether the session that computed a candidate makes other layers of the model's file than that of the capture. */
export async function readOtherwise(
  fs: FileSystem,
  candidate: string,
  { model, capture }: { readonly model: Model; readonly capture: Capture },
): Promise<boolean> {
  if (model.producer.file !== 'onnx' || !capture.producer?.settings) return false;
  const { sameSession } = await import('./onnx/session.js');
  return !sameSession(capture.producer, await producerIn(fs, candidate));
}

/** Whether values bring the model that computed them. */
export async function bringsModel(fs: FileSystem, path: string): Promise<boolean> {
  if (await fs.isDirectory(path).catch(() => true)) return false;
  const file = path.endsWith('.npz') ? await collecting([], () => openNpz(fs, path)) : undefined;
  await file?.close();
  return file !== undefined && carriesModel(file);
}

/** Reads the headers of an npz file or a folder, golden vectors too, and validates them against the model. Throws InputError. */
export function openCapture(fs: FileSystem, path: string, model: Model, use?: CaptureUse): Promise<Capture & Closable> {
  const validate = async (file: ArrayFile) => {
    const values = carriesModel(file) ? await withoutModel(file) : file;
    return validateCapture(model, asCapture(withInputs(values, model)), use);
  };
  return withArrays(fs, path, validate, () => openValues(fs, path, model));
}

/** An npy is the one input of a model. */
async function openValues(fs: FileSystem, path: string, { inputs }: Model): Promise<ArrayFile> {
  const isFile = path.endsWith('.npy') && (await fs.isFile(path).catch(() => false));
  if (!isFile || inputs.length !== 1) return openArrays(fs, path);
  const { openNpy } = await import('../load/npyFolder.js');
  return { path, arrays: new Map([[inputs[0].name, await openNpy(fs, path, inputs[0].name)]]), close: async () => {} };
}

/** As openCapture, for the user's own values; names: MINE to the model's, for those that differ; against: what it is judged by. */
export function openCandidate(
  fs: FileSystem,
  path: string,
  model: Model,
  capture: Capture,
  names?: ReadonlyMap<string, string>,
  against?: 'capture' | 'replay',
): Promise<Capture & Closable> {
  const validate = (file: ArrayFile) => validateCandidate(model, capture, asCapture(file), names, against);
  return withArrays(fs, path, validate, () => openCandidateArrays(fs, path, plainOf(model, capture, names)));
}

/** Plain files too: dtype and shape are the layer's. */
async function openCandidateArrays(fs: FileSystem, path: string, values: PlainOf): Promise<ArrayFile> {
  const isFolder = await fs.isDirectory(path).catch(() => false);
  const model = /\.(?:json|onnx|tflite)$/i.exec(path);
  if (model && !isFolder && (await fs.isFile(path).catch(() => false))) {
    const expected = 'expected your values (npz, LAYER.npy, .csv, .memh, .bin, or a folder of them)';
    throw refuse(
      'usage',
      printable(path),
      `${expected}, got ${model[0]}; another model file goes after --candidate-model`,
    );
  }
  if (!isFolder && path.endsWith('.npz')) {
    const isGoldens = basename(path) === GOLDEN;
    return isGoldens ? (await import('./folder.js')).openGolden(fs, path) : openNpz(fs, path);
  }
  const { openPlain } = await import('../load/plainFiles.js');
  const plain = await openPlain(fs, path, isFolder, values);
  if (plain) return plain;
  const file = await openArrays(fs, path);
  const isListed = isFolder && (await fs.isFile(join(path, 'manifest.json')).catch(() => false));
  return isListed ? (await import('../load/besideManifest.js')).withOwnFiles(fs, path, file, values) : file;
}

function plainOf(model: Model, { values, shapes, samples }: Capture, names?: ReadonlyMap<string, string>): PlainOf {
  const byFile = nameByFile(model);
  const ofMatrices = model.shapes ? null : featuresOf(model);
  const shapeOf = (name: string) => {
    const row = ofMatrices?.get(name); // what no capture of the inputs alone says
    return values.get(name)?.shape.dims ?? shapes.get(name)?.dims ?? (row ? [row.count] : undefined);
  };
  const plainOfValue: PlainOf = (mine) => {
    const whole = model.layers.some(({ name }) => name === mine) ? undefined : byFile(mine);
    const name = names?.get(mine) ?? whole ?? mine;
    const layer = model.layers.find((one) => one.name === name);
    const dims = shapeOf(name);
    const dtype = layer?.output?.dtype ?? values.get(name)?.dtype;
    return layer && dims && dtype ? { dtype, shape: [samples, ...dims], name: names?.has(mine) ? mine : name } : null;
  };
  return (mine) => {
    const own = plainOfValue(mine);
    const sum = own || !mine.endsWith(ACCUMULATOR) ? null : plainOfValue(mine.slice(0, -ACCUMULATOR.length));
    return sum ? { ...sum, dtype: 'int32', name: `${sum.name}${ACCUMULATOR}` } : own;
  };
}

const ACCUMULATOR = '.accumulator';

/** Names as fileName.ts writes them; as scripts do, any character that a file's name cannot have is _, where that tells them apart. */
function nameByFile({ layers }: Model): (file: string) => string | undefined {
  const names = layers.map(({ name }) => name);
  const whole = new Map([...fileNames(names)].map(([name, file]) => [file, name]));
  const byScript = new Map<string, string | undefined>();
  for (const name of names) byScript.set(plain(name), byScript.has(plain(name)) ? undefined : name);
  return (file) => whole.get(file) ?? byScript.get(plain(file));
}

function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_');
}

/** A whole input in one npz: a model of one linear layer, `linear`, and its capture. Throws InputError. */
export function openHookDictionary(
  fs: FileSystem,
  path: string,
): Promise<{ readonly model: Model; readonly capture: Capture } & Closable> {
  return withArrays(fs, path, validateHookDictionary);
}

/** Whether a file is a readable npz with the keys of a hook dictionary. */
export async function isHookDictionary(fs: FileSystem, path: string): Promise<boolean> {
  const file = await collecting([], () => openArrays(fs, path));
  await file?.close();
  return file !== undefined && hasHookKeys(file);
}

async function withArrays<T extends object>(
  fs: FileSystem,
  path: string,
  validate: (file: ArrayFile) => Promise<T>,
  open: () => Promise<ArrayFile> = () => openArrays(fs, path),
): Promise<T & Closable> {
  const file = await open();
  try {
    return { ...(await validate(file)), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The arrays of an npz file or of a folder, whatever they belong to. Throws InputError. */
export async function openArrays(fs: FileSystem, path: string): Promise<ArrayFile> {
  const isFolder = await fs.isDirectory(path).catch((error) => {
    throw unreadable(path, error);
  });
  if (!isFolder) return openNpz(fs, path);
  const { openFolder } = await import('./folder.js');
  return openFolder(fs, path);
}
