/** What is used of onnxruntime-node, and its values. */
import { createRequire } from 'node:module';
import type { RuntimeArray } from '../../save/npz.js';

type Numbers = RuntimeArray['data'];

export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Numbers;
}

interface Metadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** A dimension without a number has a name. */
  readonly shape?: readonly (number | string)[];
}

export interface Session {
  readonly inputMetadata: readonly Metadata[];
  readonly outputMetadata: readonly Metadata[];
  run(feeds: object, fetches: readonly string[]): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

export interface Ort {
  readonly Tensor: new (type: string, data: Numbers, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> };
  readonly env: { readonly versions: { readonly node?: string; readonly common: string } };
}

/** The package at a path. */
export function loadRuntime(path: string): Ort {
  return createRequire(path)(path) as Ort;
}

export type Level = 'disabled' | 'extended' | 'all';

export function openSession(ort: Ort, path: string, level: Level, optimizedModelFilePath?: string): Promise<Session> {
  return ort.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: level,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(optimizedModelFilePath !== undefined && { optimizedModelFilePath }),
  });
}

interface Stored {
  /** As npy writes it, where the array's own type does not tell. */
  readonly descr?: string;
  readonly array: new (length: number) => Numbers;
}

/** Types that an npz holds, by ONNX Runtime's names. */
export const STORED: ReadonlyMap<string, Stored> = new Map<string, Stored>([
  ['bool', { descr: '|b1', array: Uint8Array }],
  ['int8', { array: Int8Array }],
  ['uint8', { array: Uint8Array }],
  ['int16', { array: Int16Array }],
  ['uint16', { array: Uint16Array }],
  ['float16', { descr: '<f2', array: Uint16Array }],
  ['int32', { array: Int32Array }],
  ['uint32', { array: Uint32Array }],
  ['float32', { array: Float32Array }],
  ['float64', { array: Float64Array }],
  ['int64', { array: BigInt64Array }],
  ['uint64', { array: BigUint64Array }],
]);

/** The values of all calls, one behind the other along axis 0. */
export function joined(tensors: readonly OrtTensor[]): OrtTensor {
  if (tensors.length === 1) return tensors[0];
  const [{ type, dims, data }] = tensors;
  const rows = tensors.reduce((sum, tensor) => sum + (tensor.dims[0] ?? 1), 0);
  const bytes = Buffer.concat(tensors.map((one) => bytesOf(one.data)));
  const all = new (data.constructor as Stored['array'])(bytes.length / data.BYTES_PER_ELEMENT);
  bytesOf(all).set(bytes);
  return { type, dims: [rows, ...dims.slice(1)], data: all };
}

function bytesOf(data: Numbers): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
