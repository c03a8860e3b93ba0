/** Rows with parameters of their own, those with equal ones at once: two million rows of two values took a product each. */
import type { Matrix, NumericArray } from '../nouns/array.js';
import type { QuantParams } from '../nouns/value.js';
import { emptyLike } from '../numeric/array.js';
import { joined, type Replayed } from './replayed.js';

export function rowsAlike(
  x: Matrix,
  paramsOf: (row: NumericArray) => QuantParams,
  replay: (rows: Matrix, params: QuantParams) => Replayed,
): Replayed {
  const { rows, cols, data } = x;
  const alike = new Map<string, { readonly params: QuantParams; readonly rows: number[] }>();
  for (let row = 0; row < rows; row++) {
    const params = paramsOf(data.subarray(row * cols, (row + 1) * cols));
    const key = `${params.scale} ${params.zeroPoint}`;
    const known = alike.get(key);
    if (known) known.rows.push(row);
    else alike.set(key, { params, rows: [row] });
  }
  const groups = [...alike.values()];
  const whole = joined(groups.map((group) => replay(taken(x, group.rows), group.params)));
  // one row, or one for each group in their order, needs none
  return groups.length === 1 || groups.length === rows
    ? whole
    : inOrder(
        whole,
        groups.flatMap((group) => group.rows),
      );
}

function taken({ rows, cols, data }: Matrix, chosen: readonly number[]): Matrix {
  if (chosen.length === rows) return { rows, cols, data };
  const own = emptyLike(data, chosen.length * cols);
  for (let i = 0; i < chosen.length; i++) for (let k = 0; k < cols; k++) own[i * cols + k] = data[chosen[i] * cols + k];
  return { rows: chosen.length, cols, data: own };
}

/** places: where each row belongs. An image has several rows of results. */
function inOrder(whole: Replayed, places: readonly number[]): Replayed {
  const each = (whole.rows / places.length) * whole.cols;
  const placed = <A extends NumericArray>(values: A): A => {
    const own = emptyLike(values, values.length);
    for (let i = 0; i < places.length; i++)
      for (let k = 0; k < each; k++) own[places[i] * each + k] = values[i * each + k];
    return own;
  };
  const { data, low, high, accumulator } = whole;
  const own = placed(data);
  const bound = (values: Replayed['low']) => values && ((values as NumericArray) === data ? own : placed(values));
  return {
    ...whole,
    data: own,
    low: bound(low),
    high: bound(high),
    accumulator: accumulator && placed(accumulator),
  } as Replayed;
}
