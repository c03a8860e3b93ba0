/** Values move; what they are stays. */
import type { Matrix, NumericArray } from '../nouns/array.js';
import type { LayoutLayer } from '../nouns/model.js';
import { isQuantized, type LayerShapes } from '../nouns/value.js';
import { sizeOf } from '../tensor/shape.js';
import { NO_SUMS, type Replayed } from './replayed.js';

/** x: [samples, ...shape] of the one input. */
export function replayLayout({ form, output }: LayoutLayer, shapes: LayerShapes, x: Matrix): Replayed {
  const cols = sizeOf(shapes.output.dims);
  const like = output && isQuantized(output) ? Int32Array : Float32Array;
  const moves = form.moves(shapes.inputs[0]);
  const data = moves ? moved(x, moves, new like(x.rows * cols), form.fill) : like.from(x.data);
  return { rows: x.rows, cols, data, low: null, high: null, ...NO_SUMS };
}

function moved<A extends NumericArray>(x: Matrix, moves: Int32Array, data: A, fill: number): A {
  for (let row = 0, at = 0; row < x.rows; row++) {
    for (let i = 0; i < moves.length; i++, at++) data[at] = moves[i] < 0 ? fill : x.data[row * x.cols + moves[i]];
  }
  return data;
}
