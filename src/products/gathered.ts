import type { Codes, Gathered } from '../nouns/kernel.js';
import { emptyLike } from '../numeric/array.js';

export function isGathered(x: Codes | Gathered): x is Gathered {
  return 'base' in x;
}

/** Its rows one after the other: [rows, K], rows * K values however much they share. The readable steps read these. */
export function rowsOf(x: Codes | Gathered): Codes {
  if (!isGathered(x)) return x;
  const { data, base, offset } = x;
  const [rows, cols] = [base.length, offset.length];
  const copied = emptyLike(data, rows * cols);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let k = 0; k < cols; k++, i++) copied[i] = data[base[row] + offset[k]];
  }
  return { rows, cols, data: copied };
}
