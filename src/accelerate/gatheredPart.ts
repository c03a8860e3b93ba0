/** Rows through an offset table, in parts. */

export interface Places {
  readonly base: Int32Array;
  readonly offset: Int32Array;
}

/** What some rows read of x, from the first cell to the last. Throws RangeError where that is not in x. */
export function gatheredPart<A extends Uint8Array | Int8Array | Int16Array>(
  x: A,
  { base, offset }: Places,
  row: number,
  rows: number,
) {
  const part = base.subarray(row, row + rows);
  const [places, cells] = [extent(part), extent(offset)];
  const [first, last] = [places.least + cells.least, places.most + cells.most];
  if (first < 0 || last >= x.length) {
    throw new RangeError(`rows of cells ${first}..${last}, expected 0..${x.length - 1}`);
  }
  return { x: x.subarray(first, last + 1) as A, gathered: { base: part.map((at) => at - first), offset } };
}

function extent(values: Int32Array): { least: number; most: number } {
  let [least, most] = [values[0], values[0]];
  for (let i = 1; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > most) most = values[i];
  }
  return { least, most };
}
