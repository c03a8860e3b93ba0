import type { Codes, Gathered } from '../../src/nouns/kernel.js';
import { emptyLike } from '../../src/numeric/array.js';

/** What the readable steps read: the rows one after the other, [rows, K]. */
export function rowsOf({ data, base, offset }: Gathered): Codes {
  const [rows, cols] = [base.length, offset.length];
  const copied = emptyLike(data, rows * cols);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let k = 0; k < cols; k++, i++) copied[i] = data[base[row] + offset[k]];
  }
  return { rows, cols, data: copied };
}
