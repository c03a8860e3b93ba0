/** Ops on whole values: each block goes to the kernel's step call by call. */
import type { Matrix } from '../nouns/array.js';
import type { TensorSteps } from '../nouns/kernel.js';
import type { Memory, TensorLayer } from '../nouns/model.js';
import { isQuantized } from '../nouns/value.js';
import { sizeOf } from '../tensor/shape.js';
import type { ReadyLayer } from './layer.js';
import { NO_SUMS, type Replayed } from './replayed.js';

export const CONTIGUOUS: Memory = { format: 'contiguous', strides: null };

/** Where a block stands among the runtime's calls. */
export interface InCalls {
  readonly firstSample: number;
  /** One past the last sample of each call. */
  readonly ends: readonly number[];
  readonly memoryOf: (value: string) => Memory;
  readonly threads: number;
}

export function replayTensor(
  steps: TensorSteps,
  layer: TensorLayer,
  { shapes, inputs: params }: ReadyLayer,
  inputs: readonly Matrix[],
  { firstSample, ends, memoryOf, threads }: InCalls,
): Replayed {
  const { attributes, activation } = layer.form;
  const samples = inputs[0].rows;
  const cols = sizeOf(shapes.output.dims);
  const data =
    layer.output && isQuantized(layer.output) ? new Int32Array(samples * cols) : new Float32Array(samples * cols);
  const output = { shape: shapes.output, params: layer.output!, memory: memoryOf(layer.name) };
  for (let from = 0; from < samples; ) {
    const call = ends.findIndex((end) => firstSample + from < end);
    const start = call > 0 ? ends[call - 1] : 0;
    const to = Math.min(samples, ends[call] - firstSample);
    const values = inputs.map(({ data: codes, cols: features }, i) => ({
      data: codes.subarray(from * features, to * features),
      shape: shapes.inputs[i],
      params: params[i],
      memory: memoryOf(layer.inputs[i]),
    }));
    const place = { samples: to - from, first: firstSample + from - start, ofCall: ends[call] - start, threads };
    data.set(steps.run({ attributes, activation, inputs: values, output, ...place }), from * cols);
    from = to;
  }
  return { rows: samples, cols, data, low: null, high: null, ...NO_SUMS };
}
