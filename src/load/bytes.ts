import type { FileSystem, RandomAccessFile } from '../nouns/file.js';
import { counted } from '../text.js';
import { refuse, unreadable } from './refuse.js';

/** Up to here an array is read whole, which checks its CRC and lets it be read in any order. */
export const WHOLE_BYTES = 32 << 20;

/** The bytes of one npy file: a file of its own, or a member of a zip. */
export interface ByteSource {
  readonly size: number;
  /** What it takes in the file, where it is deflated. */
  readonly deflated?: number;
  /** Up to `length` bytes from the start; cheap. */
  head(length: number): Promise<Uint8Array>;
  /**
   * Fills target from position, which lies with all of target inside `size`. Forward is cheapest.
   * Throws InputError: cut off, damaged, or a bad CRC, which shows when the last byte has been read.
   */
  read(target: Uint8Array, position: number): Promise<void>;
}

/** Opens a file; what the operating system says of it, now or at a later read, becomes an InputError. */
export async function openFile(fs: FileSystem, path: string): Promise<RandomAccessFile> {
  const asProblem = (error: unknown): never => {
    throw unreadable(path, error);
  };
  const file = await fs.open(path).catch(asProblem);
  return {
    size: file.size,
    read: (target, position) => file.read(target, position).catch(asProblem),
    close: () => file.close(),
  };
}

/** Fills target, or says that the file ends too early. */
export async function readFully(
  file: RandomAccessFile,
  target: Uint8Array,
  position: number,
  where: string,
): Promise<void> {
  const got = await file.read(target, position);
  if (got < target.length) {
    const expected = `expected ${counted(target.length, 'byte')} at offset ${position}`;
    throw refuse('truncated', where, `${expected}, got ${got}; the file was cut off: copy or write it again`);
  }
}

/** Keeps what was used last, up to a total weight; what falls out is handed to `onDrop`. */
export class Recent<K, V> {
  private readonly entries = new Map<K, { value: V; weight: number }>();
  private total = 0;

  constructor(
    private readonly limit: number,
    private readonly onDrop: (value: V) => void = () => {},
  ) {}

  get(key: K): V | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    // while half is free nothing is about to fall out: to move each of 6000 took a microsecond
    if (2 * this.total > this.limit) {
      this.entries.delete(key);
      this.entries.set(key, entry);
    }
    return entry.value;
  }

  set(key: K, value: V, weight: number): void {
    this.drop(key);
    for (const oldest of this.entries.keys()) {
      if (this.total + weight <= this.limit) break;
      this.drop(oldest);
    }
    this.entries.set(key, { value, weight });
    this.total += weight;
  }

  drop(key: K): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.total -= entry.weight;
    this.onDrop(entry.value);
  }

  clear(): void {
    for (const key of [...this.entries.keys()]) this.drop(key);
  }
}
