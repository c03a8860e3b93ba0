import { pipeline, Readable } from 'node:stream';
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type ByteSource, Recent, readFully, WHOLE_BYTES } from './bytes.js';
import { refuse } from './refuse.js';
import { checkCrc, type MemberPlace } from './zipMember.js';

/** A deflated member: a small one is inflated whole, a large one by a cursor that restarts to go back. */
export class DeflatedMember implements ByteSource {
  readonly size: number;
  readonly deflated: number;
  /** Of a member so small that its head is all of it, until it is read. */
  private whole: Uint8Array | null = null;

  constructor(
    private readonly place: MemberPlace,
    private readonly cursors: InflateCursors,
  ) {
    this.size = place.size;
    this.deflated = place.compressedSize;
  }

  async head(length: number): Promise<Uint8Array> {
    const { file, dataStart, compressedSize, where } = this.place;
    // Empty deflate blocks can stand before the first byte: more is taken until it shows, within reason.
    for (let taken = 1024; ; taken *= 16) {
      const compressed = new Uint8Array(Math.min(taken, compressedSize));
      await readFully(file, compressed, dataStart, where);
      const head = inflateWhole(compressed, where, { finishFlush: constants.Z_SYNC_FLUSH })!;
      // a copy: what zlib gives is part of 16 KiB
      if (taken >= compressedSize && head.length === this.size && this.size <= length)
        this.whole = new Uint8Array(head);
      if (head.length >= Math.min(length, this.size)) return head.subarray(0, length);
      if (taken >= compressedSize || taken >= 1 << 20) throw damaged(where);
    }
  }

  read(target: Uint8Array, position: number): Promise<void> {
    const whole = position === 0 && target.length === this.size && this.size <= WHOLE_BYTES;
    if (whole && this.place.compressedSize <= 2 * WHOLE_BYTES) return this.readWhole(target);
    return this.cursors.read(this.place, target, position);
  }

  private async readWhole(target: Uint8Array): Promise<void> {
    if (this.whole) {
      checkCrc(this.place, crc32(this.whole));
      target.set(this.whole);
      this.whole = null;
      return;
    }
    const { file, dataStart, compressedSize, where, size } = this.place;
    const compressed = Buffer.allocUnsafeSlow(compressedSize);
    await readFully(file, compressed, dataStart, where);
    // One chunk a byte longer than the member: zlib neither joins pieces nor asks for more room.
    const bytes = inflateWhole(compressed, where, {
      chunkSize: Math.max(64, size + 1),
      maxOutputLength: Math.max(1, size),
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    if (bytes === null || bytes.length > size) return this.cursors.read(this.place, target, 0);
    if (bytes.length < size) throw damaged(where);
    checkCrc(this.place, crc32(bytes));
    target.set(bytes);
  }
}

/** The members of one zip that are being inflated piece by piece. */
export class InflateCursors {
  /** Each holds zlib's window and a few chunks, about 1 MiB. */
  private readonly cursors = new Recent<MemberPlace, InflateCursor>(4, (cursor) => cursor.close());
  private queue: Promise<unknown> = Promise.resolve();

  /** One read at a time: a cursor has one position, and must not be dropped while it moves. */
  read(place: MemberPlace, target: Uint8Array, position: number): Promise<void> {
    const read = this.queue.then(() => this.readForward(place, target, position));
    this.queue = read.catch(() => {});
    return read;
  }

  close(): void {
    this.cursors.clear();
  }

  private async readForward(place: MemberPlace, target: Uint8Array, position: number): Promise<void> {
    let cursor = this.cursors.get(place);
    if (!cursor || cursor.position > position) {
      cursor = new InflateCursor(place);
      this.cursors.set(place, cursor, 1);
    }
    try {
      await cursor.fill(target, position);
    } catch (error) {
      this.cursors.drop(place);
      throw error;
    }
    if (cursor.position === place.size) this.cursors.drop(place);
  }
}

/**
 * Inflates a member forward, a chunk in memory at a time; checks the CRC when it arrives at its end. What the stream holds beyond, or
 * lacks there, zipfile does not look at.
 */
class InflateCursor {
  position = 0;
  private inflated = 0;
  private crc = 0;
  private chunk: Uint8Array = new Uint8Array(0);
  private readonly chunks: AsyncIterator<Uint8Array>;

  constructor(private readonly place: MemberPlace) {
    const inflate = createInflateRaw({ chunkSize: 1 << 19, finishFlush: constants.Z_SYNC_FLUSH });
    pipeline(Readable.from(compressedChunks(place)), inflate, () => {});
    this.chunks = inflate[Symbol.asyncIterator]();
  }

  /** Fills target from position, which is not before the cursor's. */
  async fill(target: Uint8Array, position: number): Promise<void> {
    while (this.position < position) await this.advance(position - this.position);
    for (let filled = 0; filled < target.length; ) {
      const part = await this.advance(target.length - filled);
      target.set(part, filled);
      filled += part.length;
    }
    if (this.position === this.place.size) checkCrc(this.place, this.crc);
  }

  close(): void {
    this.chunks.return?.().catch(() => {});
  }

  private async advance(atMost: number): Promise<Uint8Array> {
    while (this.chunk.length === 0) {
      const next = await this.nextChunk();
      if (next === null) throw damaged(this.place.where);
      this.chunk = next;
    }
    const part = this.chunk.subarray(0, atMost);
    this.chunk = this.chunk.subarray(part.length);
    this.position += part.length;
    return part;
  }

  private async nextChunk(): Promise<Uint8Array | null> {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await this.chunks.next();
    } catch (error) {
      throw isZlibError(error) ? damaged(this.place.where) : error;
    }
    if (next.done) return null;
    const chunk = next.value.subarray(0, this.place.size - this.inflated);
    this.inflated += chunk.length;
    this.crc = crc32(chunk, this.crc);
    return chunk;
  }
}

async function* compressedChunks({ file, dataStart, compressedSize, where }: MemberPlace): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < compressedSize; ) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(1 << 18, compressedSize - at));
    await readFully(file, chunk, dataStart + at, where);
    at += chunk.length;
    yield chunk;
  }
}

/** Null where there are more bytes than `maxOutputLength`. */
function inflateWhole(
  compressed: Uint8Array,
  where: string,
  options: Parameters<typeof inflateRawSync>[1],
): Uint8Array | null {
  try {
    return inflateRawSync(compressed, options);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw isZlibError(error) ? damaged(where) : error;
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function damaged(where: string) {
  return refuse(
    'damaged',
    where,
    'expected deflated data, got data that ends early or is damaged; copy or write it again',
  );
}
