/** Values move; what they are stays. */
import type { Matrix, NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import type { LayoutLayer } from '../nouns/model.js';
import { isQuantized, type LayerShapes } from '../nouns/value.js';
import { emptyLike, isBytes } from '../numeric/array.js';
import { sizeOf } from '../tensor/shape.js';
import { NO_SUMS, type Replayed } from './replayed.js';

/** x: [samples, ...shape] of the one input. */
export function replayLayout({ form, output }: LayoutLayer, shapes: LayerShapes, x: Matrix): Replayed {
  const cols = sizeOf(shapes.output.dims);
  const ofCodes = output !== null && isQuantized(output);
  const moves = form.moves(shapes.inputs[0]);
  const data = ofCodes && isBytes(x.data) && holds(x.data, form.fill) ? x.data : null;
  const like = ofCodes ? Int32Array : Float32Array;
  const out = moves
    ? moved(x, moves, data ? emptyLike(data, x.rows * cols) : new like(x.rows * cols), form.fill)
    : null;
  return { rows: x.rows, cols, data: out ?? data ?? like.from(x.data), low: null, high: null, ...NO_SUMS };
}

/** What a layer reads, in the places that it goes to. */
export function movedValues(layer: LayoutLayer, shapes: LayerShapes, input: ValueReader): ValueReader {
  const { features: cols } = input;
  return {
    features: sizeOf(shapes.output.dims),
    read: async (from, to) =>
      replayLayout(layer, shapes, { rows: to - from, cols, data: await input.read(from, to) }).data,
  };
}

/** Whether bytes like these can be this code: then what is moved takes a quarter of the memory. */
function holds(bytes: Uint8Array | Int8Array, code: number): boolean {
  return emptyLike(bytes, 1).fill(code)[0] === code;
}

function moved<A extends NumericArray>(x: Matrix, moves: Int32Array, data: A, fill: number): A {
  for (let row = 0, at = 0; row < x.rows; row++) {
    for (let i = 0; i < moves.length; i++, at++) data[at] = moves[i] < 0 ? fill : x.data[row * x.cols + moves[i]];
  }
  return data;
}
