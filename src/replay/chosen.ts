/** Layers whose own parameters are chosen from the range of what each call reads. */
import { elementwiseSteps } from '../kernels/kernel.js';
import type { Matrix } from '../nouns/array.js';
import type { Kernel } from '../nouns/kernel.js';
import { type ElementwiseLayer, isElementwise, isProduct, type Layer } from '../nouns/model.js';
import type { BatchRanges } from './calls.js';
import { replayElementwise } from './elementwise.js';
import { elementwiseOf, type ReadyLayer } from './layer.js';
import { joined, type Replayed } from './replayed.js';

/** Ranges in memory: 16 MB. */
const MOST_STEPS = 1e6;

/** Rows of a sample that a script may take a range of each; of a convolution none. */
export function stepsIn(layer: Layer, features: number, calls: number): number {
  if (!isProduct(layer) || layer.form.patch) return 1;
  const steps = features / layer.form.weight.inFeatures;
  return steps * calls > MOST_STEPS ? 1 : steps;
}

export function choosesParams(layer: Layer): boolean {
  return (isProduct(layer) && layer.form.dynamic !== null) || (isElementwise(layer) && layer.form.chosen === true);
}

/** A plain quantize with what the call of a sample chose; any other layer as it is. */
export function asChosen<L extends Layer>(layer: L, kernel: Kernel, batches: BatchRanges | null, sample: number): L {
  const steps = elementwiseSteps(kernel, layer);
  if (!batches || !steps?.choose || !isElementwise(layer)) return layer;
  const { min, max } = batches.rangeOf(batches.batchOf(sample));
  const { chosen: _, ...form } = layer.form;
  return { ...layer, form, output: steps.choose(min, max) };
}

interface Run {
  readonly kernel: Kernel;
  readonly batches: BatchRanges | null;
  readonly ready: ReadyLayer;
}

/** Each call's part of a block by itself. */
export function replayChosen(
  { kernel, batches, ready }: Run,
  layer: ElementwiseLayer,
  x: Matrix,
  first: number,
): Replayed {
  const steps = elementwiseSteps(kernel, layer)!;
  const parts: Replayed[] = [];
  for (let row = 0; row < x.rows; ) {
    const batch = batches!.batchOf(first + row);
    let end = row + 1;
    while (end < x.rows && batches!.batchOf(first + end) === batch) end++;
    const block = { rows: end - row, cols: x.cols, data: x.data.subarray(row * x.cols, end * x.cols) };
    const own = asChosen(layer, kernel, batches, first + row);
    parts.push(replayElementwise(steps, elementwiseOf(own, ready.input), block));
    row = end;
  }
  return joined(parts);
}
