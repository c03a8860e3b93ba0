import type { ArraySource, NumericArray, StoredDtype } from '../nouns/array.js';
import { type ByteSource, Recent, WHOLE_BYTES } from './bytes.js';
import { decodeNpy, type NpyHeader, npyBuffer, shapeText } from './npy.js';
import { refuse } from './refuse.js';

/** Rows of a large Fortran-order array that are gathered at once: each block walks through the whole array. */
const FORTRAN_BLOCK_BYTES = 64 << 20;

/** Decoded blocks of all arrays of a file: the input, output and accumulator of the layer at work fit. */
export const CACHE_BYTES = 128 << 20;

/** No array of a layer is longer; Node 20 cannot hold 4 GiB in one buffer. */
const MAX_READ_BYTES = 2 ** 31;

/**
 * Of what deflates so well hardly any number is another than zero: a sample, or weights, of as many are a bomb of a file, from which 900 million
 * bytes are held at once. Read in blocks of rows it may hold any number; weights and values of networks deflate tenfold.
 */
const [BOMB_BYTES, BOMB_RATIO] = [64 << 20, 100];

interface Block {
  readonly numbers: Promise<NumericArray>;
  /** Reads that were given them. */
  reads: number;
}

/** Decoded blocks by the array they belong to and their number. */
export type BlockCache = Recent<string, Block>;

/**
 * Memory that was given back, by its length: of a page that is new to the process the first touch takes as long as reading it and its
 * CRC. As much as two large layers hold.
 */
const free = new Recent<number, Uint8Array>(128 << 20);

function allocate(length: number): Uint8Array {
  const found = free.get(length);
  free.drop(length);
  return found ?? Buffer.allocUnsafeSlow(length);
}

/** Whose memory it is. */
const blockOf = new WeakMap<ArrayBufferLike, Block>();

/** One npy array, read in ranges of rows with bounded memory. */
export class NpyArray implements ArraySource {
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  private readonly rows: number;
  private readonly rowLength: number;
  /** Rows of a cached block; 0 where ranges are read straight from the file. */
  private readonly blockRows: number;

  constructor(
    readonly key: string,
    private readonly header: NpyHeader,
    private readonly bytes: ByteSource,
    private readonly cache: BlockCache,
    private readonly where: string,
  ) {
    const { dtype, shape, count, itemBytes, fortranOrder } = header;
    this.dtype = dtype;
    this.shape = shape;
    this.fortranOrder = fortranOrder;
    this.rows = shape[0] ?? 1;
    this.rowLength = count === 0 ? 0 : count / this.rows;
    const rowBytes = this.rowLength * itemBytes;
    if (bytes.size <= WHOLE_BYTES) this.blockRows = this.rows;
    else
      this.blockRows = fortranOrder && shape.length > 1 ? Math.max(1, Math.floor(FORTRAN_BLOCK_BYTES / rowBytes)) : 0;
  }

  async read(fromRow = 0, toRow = this.rows): Promise<NumericArray> {
    if (!(0 <= fromRow && fromRow <= toRow && toRow <= this.rows)) {
      throw new RangeError(`rows ${fromRow}..${toRow} of ${this.key}, which has ${this.rows}`);
    }
    const length = (toRow - fromRow) * this.rowLength;
    this.checkLength(length * this.header.itemBytes);
    if (this.header.count === 0) return this.readWhole(); // no values, but a CRC
    if (length === 0) return this.decode(npyBuffer(0));
    if (this.blockRows === 0) return this.readRows(fromRow, toRow);
    const first = Math.floor(fromRow / this.blockRows);
    if (toRow <= (first + 1) * this.blockRows) {
      return this.sliceOfBlock(first, fromRow, toRow);
    }
    const joined = this.decode(npyBuffer(0)).constructor as new (length: number) => NumericArray;
    const numbers = new joined(length);
    for (let row = fromRow; row < toRow; ) {
      const block = Math.floor(row / this.blockRows);
      const end = Math.min(toRow, (block + 1) * this.blockRows);
      numbers.set(await this.sliceOfBlock(block, row, end), (row - fromRow) * this.rowLength);
      row = end;
    }
    return numbers;
  }

  private checkLength(bytes: number): void {
    const got = `${bytes} (shape ${shapeText(this.shape)})`;
    if (bytes > MAX_READ_BYTES)
      throw refuse('too-large', this.where, `expected at most ${MAX_READ_BYTES} bytes to be read at once, got ${got}`);
    const { size, deflated = size } = this.bytes;
    if (bytes <= BOMB_BYTES || size <= deflated * BOMB_RATIO) return;
    const expected = `expected at most ${BOMB_BYTES} bytes at once of a member that inflates ${BOMB_RATIO} times and more`;
    const way = 'are they meant, write the file with numpy.savez, which does not deflate';
    throw refuse('expands', this.where, `${expected}, got ${got} out of ${deflated}; ${way}`);
  }

  /** Where somebody else was given them too, they stay as they are. */
  release({ buffer }: NumericArray): void {
    const block = blockOf.get(buffer);
    if (block && block.reads > 1) return;
    this.cache.drop(`0 ${this.key}`);
    free.set(buffer.byteLength, new Uint8Array(buffer as ArrayBuffer), buffer.byteLength);
  }

  private async sliceOfBlock(block: number, fromRow: number, toRow: number): Promise<NumericArray> {
    const start = block * this.blockRows;
    const numbers = await this.cachedBlock(block, start, Math.min(this.rows, start + this.blockRows));
    return numbers.subarray((fromRow - start) * this.rowLength, (toRow - start) * this.rowLength);
  }

  private cachedBlock(index: number, fromRow: number, toRow: number): Promise<NumericArray> {
    const key = `${index} ${this.key}`;
    const cached = this.cache.get(key);
    if (cached) {
      cached.reads++;
      return cached.numbers;
    }
    const whole = this.blockRows === this.rows;
    const numbers = whole ? this.readWhole() : this.gatherFortranRows(fromRow, toRow);
    const block = { numbers, reads: 1 };
    this.cache.set(key, block, (toRow - fromRow) * this.rowLength * this.header.itemBytes);
    numbers.then(
      ({ buffer }) => blockOf.set(buffer, block),
      () => this.cache.drop(key),
    );
    return numbers;
  }

  private async readRows(fromRow: number, toRow: number): Promise<NumericArray> {
    const rowBytes = this.rowLength * this.header.itemBytes;
    const buffer = npyBuffer((toRow - fromRow) * rowBytes, 0, allocate);
    await this.bytes.read(buffer.data, this.header.dataOffset + fromRow * rowBytes);
    return this.decode(buffer);
  }

  /** Header and data in one go, the CRC with them; the header's place is then taken by npyjs's. */
  private async readWhole(): Promise<NumericArray> {
    const { dataOffset, shape, fortranOrder } = this.header;
    const buffer = npyBuffer(this.bytes.size - dataOffset, dataOffset, allocate);
    await this.bytes.read(buffer.bytes.subarray(buffer.bytes.length - this.bytes.size), 0);
    const numbers = this.decode(buffer);
    return fortranOrder && shape.length > 1 && numbers.length > 0
      ? fromFortranOrder(numbers, this.rows, shape)
      : numbers;
  }

  /** In Fortran order the rows of a block lie in one run for each position within a row. */
  private async gatherFortranRows(fromRow: number, toRow: number): Promise<NumericArray> {
    const { dataOffset, itemBytes, shape } = this.header;
    const runBytes = (toRow - fromRow) * itemBytes;
    const buffer = npyBuffer(this.rowLength * runBytes);
    for (let position = 0; position < this.rowLength; position++) {
      const run = buffer.data.subarray(position * runBytes, (position + 1) * runBytes);
      await this.bytes.read(run, dataOffset + (position * this.rows + fromRow) * itemBytes);
    }
    return fromFortranOrder(this.decode(buffer), toRow - fromRow, shape);
  }

  private decode({ bytes, data }: { bytes: Uint8Array; data: Uint8Array }): NumericArray {
    return decodeNpy(bytes, data, this.header, this.where);
  }
}

/** C order of `rows` rows whose numbers come with the row index running fastest; shape[0] is not read. */
function fromFortranOrder(numbers: NumericArray, rows: number, shape: readonly number[]): NumericArray {
  const rowLength = numbers.length / rows;
  const positionInC = positionsInC(shape.slice(1), rowLength);
  const out = numbers.slice();
  // In tiles of rows: both sides stay in the cache, a plain double loop misses it at every value.
  for (let tile = 0; tile < rows; tile += 64) {
    const end = Math.min(rows, tile + 64);
    for (let position = 0; position < rowLength; position++) {
      const to = positionInC[position];
      for (let row = tile; row < end; row++) out[row * rowLength + to] = numbers[position * rows + row];
    }
  }
  return out;
}

/** For each position within a row in Fortran order, that in C order: digits of a number in mixed radix, reversed. */
function positionsInC(dims: readonly number[], rowLength: number): Uint32Array {
  const positions = new Uint32Array(rowLength);
  for (let fortran = 0; fortran < rowLength; fortran++) {
    let rest = fortran;
    let inC = 0;
    let stride = rowLength;
    for (const dim of dims) {
      stride /= dim;
      inC += (rest % dim) * stride;
      rest = Math.floor(rest / dim);
    }
    positions[fortran] = inC;
  }
  return positions;
}
