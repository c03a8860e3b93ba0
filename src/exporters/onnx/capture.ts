/** Every value of an ONNX model as ONNX Runtime computes it: what qdiff_onnx.py does, from Node. Why it goes so is said there. */
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { openNpy } from '../../load/npyFolder.js';
import { openNpz } from '../../load/npz.js';
import { FLOAT32 } from '../../load/onnx/dtypes.js';
import { externalPath } from '../../load/onnx/external.js';
import type { OnnxModel } from '../../load/onnx/proto.js';
import { readOnnxModel } from '../../load/onnx/read.js';
import type { ArrayFile } from '../../nouns/array.js';
import type { FileSystem } from '../../nouns/file.js';
import { npzBytes, type RuntimeArray } from '../../save/npz.js';
import { printable } from '../../text.js';
import { callsOf, type Feeds } from './feeds.js';
import { ModelNames, nodeName, type Scales, type Values } from './names.js';
import { inTheModelsOrder, type Orders, ordersOf } from './orders.js';
import { producerOf } from './producer.js';
import { joined, type Ort, type OrtTensor, openSession, type Session, STORED } from './runtime.js';
import { withNodeNames, withOutputs } from './wire.js';

/** Writes one npz file, in a folder that is this run's own. Throws InputError, and what ONNX Runtime throws. */
export async function capture(
  fs: FileSystem,
  ort: Ort,
  paths: { readonly model: string; readonly inputs: string; readonly capture: string },
): Promise<void> {
  const folder = dirname(paths.capture);
  const [named, optimized, wide] = ['named', 'optimized', 'wide'].map((name) => join(folder, `${name}.onnx`));
  const model = await modelAt(fs, paths.model);
  await placeExternalData(fs, model, folder);
  writeFileSync(named, await withNodeNames(fs, paths.model, readFileSync(paths.model), nodeName));
  const calls = await using(openSession(ort, named, 'extended', optimized), async (session) =>
    callsOf(ort, session, await inputsAt(fs, paths.inputs)),
  );
  const fused = await modelAt(fs, optimized);
  const tensors = fused.graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '');
  writeFileSync(wide, withMoreOutputs(readFileSync(optimized), fused, tensors));
  const results = await using(openSession(ort, wide, 'disabled'), (session) => ran(session, calls, storable(session)));
  const changed = await using(openSession(ort, paths.model, 'all'), async (session) => {
    const names = storable(session);
    const ordinary = await ran(session, calls, names);
    const changes = (name: string, call: number) => different(ordinary[call].get(name)!, results[call].get(name)!);
    return names.flatMap((name) => calls.map((_, call) => changes(name, call))).reduce((sum, count) => sum + count, 0);
  });
  const names = new ModelNames(model.graph, await scalesOf(fs, model));
  const scales = await scalesOf(fs, fused);
  const called = results.map((result) => names.of(fused.graph, result, scales));
  const behind = names.behindTransposes();
  const turnable = [...called[0].keys()].filter((name) => behind.has(name));
  let orders: Orders = new Map();
  if (turnable.length > 0) {
    writeFileSync(wide, withMoreOutputs(readFileSync(named), model, turnable));
    const [plain] = await using(openSession(ort, wide, 'disabled'), (session) => ran(session, [calls[0]], turnable));
    orders = ordersOf(called[0], plain);
  }
  const arrays = new Map([...joinedCalls(calls), ...joinedCalls(called.map((call) => inTheModelsOrder(call, orders)))]);
  const meant = new Map<string, RuntimeArray>();
  if (calls.length > 1) meant.set('batch_sizes', sizesOf(calls));
  const producer = Buffer.from(JSON.stringify(producerOf(versionOf(ort), changed)));
  meant.set('producer', { shape: [producer.length], data: new Uint8Array(producer) });
  const all = new Map([...[...arrays].map(([name, value]) => [name, stored(value)] as const), ...meant]);
  writeFileSync(paths.capture, await npzBytes(all));
}

async function modelAt(fs: FileSystem, path: string): Promise<OnnxModel> {
  const file = await fs.open(path);
  try {
    return await readOnnxModel(file, path);
  } finally {
    await file.close();
  }
}

async function scalesOf(fs: FileSystem, { path, graph }: OnnxModel): Promise<Scales> {
  const scales = new Map<string, string>();
  const file = await fs.open(path);
  try {
    const constants = graph.nodes.flatMap(({ opType, attributes: [value], outputs: [name] }) =>
      opType === 'Constant' && value?.t ? [{ ...value.t, name }] : [],
    );
    for (const { name, dataType, data } of [...constants, ...graph.initializers]) {
      if (dataType !== FLOAT32 || data.kind === 'external') continue;
      const [range, more] = data.kind === 'raw' ? [data.range] : data.pieces;
      if (more || range?.end - range?.start !== Float32Array.BYTES_PER_ELEMENT) continue;
      const bytes = new Uint8Array(Float32Array.BYTES_PER_ELEMENT);
      await file.read(bytes, range.start);
      scales.set(name, `${bytes}`);
    }
  } finally {
    await file.close();
  }
  return scales;
}

async function inputsAt(fs: FileSystem, path: string): Promise<ArrayFile['arrays']> {
  return path.endsWith('.npy') ? new Map([['', await openNpy(fs, path)]]) : (await openNpz(fs, path)).arrays;
}

/** ONNX Runtime finds external data under the model's folder only, and takes no symbolic link. */
async function placeExternalData(fs: FileSystem, { path, graph }: OnnxModel, folder: string): Promise<void> {
  for (const { name, data } of graph.initializers) {
    if (data.kind !== 'external') continue;
    const source = await externalPath(fs, path, data.entries, `${printable(path)} tensor ${printable(name)}`);
    const target = join(folder, relative(dirname(path), source));
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    try {
      linkSync(realpathSync(source), target);
    } catch {
      copyFileSync(source, target); // another disk
    }
  }
}

async function using<T>(opening: Promise<Session>, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await opening;
  try {
    return await work(session);
  } finally {
    await session.release();
  }
}

function storable({ outputMetadata }: Session): string[] {
  return outputMetadata.filter(({ isTensor, type }) => isTensor && STORED.has(type!)).map(({ name }) => name);
}

/** The values of each call. */
async function ran(session: Session, calls: readonly Feeds[], names: readonly string[]): Promise<Values[]> {
  const results: Values[] = [];
  for (const call of calls) {
    const feeds = Object.assign(Object.create(null), Object.fromEntries(call));
    const result = await session.run(feeds, names);
    results.push(new Map(names.map((name) => [name, result[name]])));
  }
  return results;
}

function joinedCalls(calls: readonly Values[]): Values {
  return new Map([...calls[0].keys()].map((name) => [name, joined(calls.map((call) => call.get(name)!))]));
}

function withMoreOutputs(bytes: Buffer, { graph }: OnnxModel, names: readonly string[]): Buffer {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  return withOutputs(
    bytes,
    [...new Set(names)].filter((name) => !outputs.has(name)),
  );
}

/** How many values: bits, but any NaN is as good as another. */
function different(a: OrtTensor, b: OrtTensor): number {
  if (a.type !== b.type || `${a.dims}` !== `${b.dims}`) return Math.max(a.data.length, b.data.length, 1);
  let count = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    if (x !== y && !(Number.isNaN(x) && Number.isNaN(y))) count++;
  }
  return count;
}

function sizesOf(calls: readonly Feeds[]): RuntimeArray {
  const samples = (call: Feeds) => [...call.values()].find(({ dims }) => dims.length > 0)?.dims[0] ?? 1;
  return { shape: [calls.length], data: BigInt64Array.from(calls, (call) => BigInt(samples(call))) };
}

function stored({ type, dims, data }: OrtTensor): RuntimeArray {
  return { shape: dims, data, descr: STORED.get(type)!.descr };
}

function versionOf({ env: { versions } }: Ort): string {
  return versions.node ?? versions.common;
}
