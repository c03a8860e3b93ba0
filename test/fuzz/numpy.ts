/** The same npz read by numpy and by us: what one takes and the other does not, or takes for something else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { crc32 } from 'node:zlib';
import { openNpz } from '../../src/load/npz.js';
import type { ArraySource, StoredDtype } from '../../src/nouns/array.js';
import { InputError } from '../../src/nouns/problem.js';
import { fileSystem, root } from './io.js';
import type { Fault } from './oracle.js';

interface NumpyArray {
  readonly name: string;
  readonly error?: string;
  readonly dtype?: string;
  readonly shape?: readonly number[];
  /** Of the values as doubles. */
  readonly crc?: number;
  /** Integers that no double holds. */
  readonly beyond?: boolean;
}

export interface NumpyOpinion {
  readonly error?: string;
  readonly arrays?: readonly NumpyArray[];
}

/** A numpy that answers one question after the other. */
export class Numpy {
  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly process: ChildProcess) {
    this.lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
  }

  /** Null where this Python has no numpy. */
  static async start(python: string): Promise<Numpy | null> {
    const process = spawn(python, [join(root, 'test/fuzz/numpy_opinion.py')], { stdio: ['pipe', 'pipe', 'ignore'] });
    process.stdin!.on('error', () => {});
    const failed = once(process, 'error').then(
      () => null,
      () => null,
    );
    const numpy = new Numpy(process);
    const answer = await Promise.race([numpy.opinion(Buffer.from('x')).catch(() => null), failed]);
    return answer === null ? null : numpy;
  }

  async opinion(npz: Uint8Array): Promise<NumpyOpinion> {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(npz.length);
    this.process.stdin!.write(Buffer.concat([length, npz]));
    const { value, done } = await this.lines.next();
    if (done) throw new Error('numpy has ended');
    return JSON.parse(value);
  }

  stop(): void {
    this.process.stdin!.end();
  }
}

const CODES: Readonly<Record<StoredDtype, string>> = {
  ...{ bool: 'b1', int8: 'i1', int16: 'i2', int32: 'i4', int64: 'i8' },
  ...{ uint8: 'u1', uint16: 'u2', uint32: 'u4', uint64: 'u8', float16: 'f2', float32: 'f4', float64: 'f8' },
};

type OwnOpinion = { readonly refused: string } | { readonly arrays: ReadonlyMap<string, NumpyArray> };

/** Every array as we read it. */
export async function ownOpinion(npz: Buffer): Promise<OwnOpinion> {
  try {
    const file = await openNpz(fileSystem(new Map([['a.npz', npz]])), 'a.npz');
    try {
      const arrays = new Map<string, NumpyArray>();
      for (const [name, source] of file.arrays) arrays.set(name, await described(name, source));
      return { arrays };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof InputError) return { refused: error.message };
    throw error;
  }
}

async function described(name: string, source: ArraySource): Promise<NumpyArray> {
  const isBool = source.dtype === 'bool';
  const values = Float64Array.from(await source.read(), (value) => (isBool ? Number(value !== 0) : value));
  values.forEach((value, i) => {
    if (Number.isNaN(value)) values[i] = Number.NaN; // one NaN of many
  });
  return { name, dtype: CODES[source.dtype], shape: source.shape, crc: crc32(new Uint8Array(values.buffer)) };
}

const NUMBERS = new Set(Object.values(CODES));

/** Why the two do not agree, or null. `stricter`: we refuse numbers that numpy reads. */
export function disagreement(own: OwnOpinion, numpy: NumpyOpinion): Fault | null {
  // what macOS zips beside each file is no array
  const theirs = (numpy.arrays ?? []).filter(({ name }) => !name.startsWith('__MACOSX/'));
  const refused = numpy.error ?? theirs.find(({ error }) => error)?.error;
  if ('refused' in own) {
    const readable = theirs.every(({ dtype = '', beyond }) => NUMBERS.has(dtype) && !beyond);
    const isTwice = new Set(theirs.map(({ name }) => name)).size < theirs.length;
    const isRead = refused === undefined && theirs.length > 0 && readable && !isTwice;
    return isRead ? { kind: 'stricter', detail: own.refused } : null;
  }
  if (refused !== undefined) return { kind: 'numpy-refuses', detail: refused };
  const names = (list: Iterable<string>) => JSON.stringify([...list].sort());
  const [mine, others] = [names(own.arrays.keys()), names(theirs.map(({ name }) => name))];
  if (mine !== others) return { kind: 'other-names', detail: `${mine}, numpy: ${others}` };
  for (const array of theirs) {
    const ours = own.arrays.get(array.name)!;
    const [a, b] = [ours, array].map(({ dtype, shape }) => `${dtype} (${shape})`);
    if (a !== b) return { kind: 'other-type', detail: `${a}, numpy: ${b}` };
    if (ours.crc !== array.crc) return { kind: 'other-values', detail: `${array.name} ${a}` };
  }
  return null;
}
