/** Rows with parameters of their own, those with equal ones at once: two million rows of two values took a product each. */
import type { Matrix, NumericArray } from '../nouns/array.js';
import type { Call } from '../nouns/kernel.js';
import type { QuantParams } from '../nouns/value.js';
import { emptyLike } from '../numeric/array.js';
import { joinedInTurn, type Replayed } from './replayed.js';

interface Alike<P> {
  readonly params: P;
  readonly rows: number[];
}

/** Of calls, which may choose their arithmetic by their size, those of one size. */
export function rowsAlike<P extends { readonly input: QuantParams; readonly call?: Call | undefined }>(
  x: Matrix,
  paramsOf: (row: NumericArray, index: number) => P,
  replay: (rows: Matrix, params: P) => Replayed,
): Replayed {
  const { rows, cols, data } = x;
  const alike = new Map<string, Alike<P>>();
  let [last, group]: [P | null, number[]] = [null, []];
  for (let row = 0; row < rows; row++) {
    const params = paramsOf(data.subarray(row * cols, (row + 1) * cols), row);
    if (params !== last) {
      const key: string = `${params.input.scale} ${params.input.zeroPoint} ${params.call?.rows}`;
      const known: Alike<P> = alike.get(key) ?? { params, rows: [] };
      alike.set(key, known);
      [last, group] = [params, known.rows];
    }
    group.push(row);
  }
  const groups = [...alike.values()];
  const whole = joinedInTurn(groups, (own) => replay(taken(x, own.rows), own.params));
  // one row, or one for each group in their order, needs none
  return groups.length === 1 || groups.length === rows
    ? whole
    : inOrder(
        whole,
        groups.flatMap((own) => own.rows),
      );
}

function taken({ rows, cols, data }: Matrix, chosen: readonly number[]): Matrix {
  if (chosen.length === rows) return { rows, cols, data };
  const [first] = chosen;
  if (chosen.length === 1) return { rows: 1, cols, data: data.subarray(first * cols, (first + 1) * cols) };
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
