/** A product in the runtime's calls: what is chosen for each, and what its size decides. */
import { productSteps } from '../kernels/kernel.js';
import type { Matrix } from '../nouns/array.js';
import type { Call, Fast, Kernel, ProductSteps } from '../nouns/kernel.js';
import type { ProductLayer } from '../nouns/model.js';
import type { BatchRanges } from './calls.js';
import { chosenInput, type ReadyLayer, replayLayer } from './layer.js';
import { joined, type Replayed } from './replayed.js';
import { rowsAlike } from './rowsAlike.js';

interface Called {
  readonly ready: ReadyLayer;
  readonly kernel: Kernel;
  readonly batches: BatchRanges | null;
  callOf(sample: number): Call | undefined;
}

/** Calls in a block from which on those that are quantized alike are replayed at once: of 300,000 each took a product. */
const MANY = 64;

/** Splits a block where a dynamic layer's scale changes, or the size of the call changes the arithmetic, and joins the results. */
export function replayCalls(
  run: Called,
  layer: ProductLayer,
  xs: readonly Matrix[],
  firstSample: number,
  fast: Fast,
): Replayed {
  const { ready, kernel, batches, callOf } = run;
  const steps = productSteps(kernel, layer)!;
  const [{ rows }] = xs;
  const inputOf = (batch: number) => chosenInput(steps, layer.form, batches!.rangeOf(batch));
  const last = firstSample + rows - 1;
  if (batches && xs.length === 1 && batches.batchOf(last) - batches.batchOf(firstSample) >= MANY)
    return manyCalls(run, xs[0], firstSample, inputOf, fast);
  const parts: Replayed[] = [];
  for (let row = 0; row < rows; ) {
    const sample = firstSample + row;
    const end = row + sameCall(run, steps, sample, firstSample + rows) - sample;
    const input = batches ? inputOf(batches.batchOf(sample)) : undefined;
    const part = ({ cols, data }: Matrix) => ({ rows: end - row, cols, data: data.subarray(row * cols, end * cols) });
    parts.push(replayLayer(kernel, ready, xs.map(part), fast, { input, call: callOf(sample) }));
    row = end;
  }
  return joined(parts);
}

function manyCalls(
  { ready, kernel, batches, callOf }: Called,
  x: Matrix,
  firstSample: number,
  inputOf: (batch: number) => ReturnType<typeof chosenInput>,
  fast: Fast,
): Replayed {
  let [batch, params] = [-1, { input: inputOf(batches!.batchOf(firstSample)), call: callOf(firstSample) }];
  const paramsOf = (_: unknown, row: number) => {
    const own = batches!.batchOf(firstSample + row);
    if (own !== batch) [batch, params] = [own, { input: inputOf(own), call: callOf(firstSample + row) }];
    return params;
  };
  return rowsAlike(x, paramsOf, (rows, own) => replayLayer(kernel, ready, [rows], fast, own));
}

/** One past the last sample that is computed with the numbers and steps of the first. */
function sameCall({ batches, callOf }: Called, steps: ProductSteps, first: number, last: number): number {
  const { ofCall } = steps.dynamic?.multiplier ?? steps.multiplier;
  if (!batches && !ofCall) return last;
  const stepOf = (sample: number) => {
    const call = callOf(sample);
    return call && ofCall?.(call);
  };
  const [batch, step] = [batches?.batchOf(first), stepOf(first)];
  let end = first + 1;
  while (end < last && batches?.batchOf(end) === batch && stepOf(end) === step) end++;
  return end;
}
