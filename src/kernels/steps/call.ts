/** What steps on whole values share: the codes of a call, and places in it. */
import type { TensorCall, TensorValue } from '../../nouns/kernel.js';
import { type QuantParams, quantizedParams } from '../../nouns/value.js';
import { floor } from '../../numeric/round.js';
import { broadcastIndex } from '../../tensor/broadcast.js';
import { sizeOf } from '../../tensor/shape.js';
import { vectorBody } from '../../tensor/vectorBody.js';

export function quantized({ params }: Pick<TensorValue, 'params'>): QuantParams {
  return quantizedParams(params);
}

/** Every code of the output, counted in C order. */
export function fill({ samples, output }: TensorCall, code: (element: number) => number): Int32Array {
  const codes = new Int32Array(samples * sizeOf(output.shape.dims));
  for (let i = 0; i < codes.length; i++) codes[i] = code(i);
  return codes;
}

/** The codes of an input at each place of the output. */
export function reader({ inputs, output }: TensorCall, input: number): (element: number) => number {
  const { data, shape } = inputs[input];
  const index = broadcastIndex(shape.dims, output.shape.dims);
  return (element) => data[index(element)];
}

/** Of so many values side by side: how many fill vectors of that width (0: there are none) and are computed in them. */
export function inWholeVectors({ everywhere }: TensorCall, count: number, width: number): number {
  if (everywhere) return everywhere === 'vectors' ? count : 0;
  return width === 0 ? 0 : floor(count / width) * width;
}

/** Whether ATen computes an element of the output in vectors. */
export function bodyOf({
  inputs,
  output,
  ofCall,
  first,
  threads,
  everywhere,
}: TensorCall): (element: number) => boolean {
  if (everywhere) return () => everywhere === 'vectors';
  const isBody = vectorBody(output, inputs, ofCall, threads);
  const start = first * sizeOf(output.shape.dims);
  return (element) => isBody(start + element);
}
