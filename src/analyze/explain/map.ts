/** One sample of a channel as a picture: where its values differ. */

/** Cells along a side; of a larger image a cell is the worst of a square of places. */
const MOST_CELLS = 32;
/** Values that are computed for one picture, times those that each is computed from. */
const MOST_PRODUCTS = 2e7;

export interface RowValue {
  readonly row: number;
  readonly expected: number;
  readonly actual: number;
}

export interface ChannelMap {
  readonly sample: number;
  /** Of the positions: [x], [y, x] or [z, y, x]. */
  readonly dims: number[];
  readonly rows: number;
  readonly columns: number;
  /** Of each cell, row by row: the position whose values it shows. */
  readonly places: number[];
  readonly expected: number[];
  readonly actual: number[];
}

export interface MapInput {
  /** Of a channel's positions: [x], [y, x] or [z, y, x]. */
  readonly dims: readonly number[];
  /** Values that one is computed from. */
  readonly rowLength: number;
  readonly sample: number;
  /** The channel's values in rows [from, to), a row a position. */
  readonly read: (from: number, to: number) => AsyncIterable<RowValue>;
}

/** Slices of a volume lie below each other. Null where a channel has one value, or too many. */
export async function mapOf({ dims, rowLength, sample, read }: MapInput): Promise<ChannelMap | null> {
  const width = dims.at(-1) ?? 1;
  const size = dims.reduce((all, dim) => all * dim, 1);
  const height = size / width;
  if (size <= 1 || size * Math.max(1, rowLength) > MOST_PRODUCTS) return null;
  const side = Math.ceil(Math.max(height, width) / MOST_CELLS);
  const [rows, columns] = [Math.ceil(height / side), Math.ceil(width / side)];
  const cells = new Array<RowValue | undefined>(rows * columns).fill(undefined);
  for await (const value of read(sample * size, (sample + 1) * size)) {
    const position = value.row - sample * size;
    const cell = Math.floor(Math.floor(position / width) / side) * columns + Math.floor((position % width) / side);
    const before = cells[cell];
    if (!before || off(value) > off(before)) cells[cell] = value;
  }
  const all = cells.map((cell) => cell!);
  const places = all.map(({ row }) => row - sample * size);
  return {
    sample,
    dims: [...dims],
    rows,
    columns,
    places,
    expected: all.map(({ expected }) => expected),
    actual: all.map(({ actual }) => actual),
  };
}

function off({ expected, actual }: RowValue): number {
  return expected === actual ? 0 : Math.abs(actual - expected);
}
