/** A layer as engines and diagnoses see it: rows of channels, a row for each place of each sample. */
import type { ValueReader } from '../nouns/capture.js';
import { isLayout, isProduct, type ProductLayer } from '../nouns/model.js';
import type { Shape } from '../nouns/value.js';
import { patchRows } from '../tensor/patches.js';
import { inRows } from '../tensor/rows.js';
import { positionsOf, sameDims, sizeOf } from '../tensor/shape.js';
import type { BatchRanges } from './calls.js';
import type { ReadyLayer } from './layer.js';
import { movedValues } from './layout.js';
import { patchesFor } from './patches.js';
import type { LayerRun } from './session.js';

export interface LayerRows {
  /** Of the value that the layer computes. */
  readonly shape: Shape;
  /** Rows of a sample. */
  readonly perSample: number;
  /** What a row is computed from: [rows, in_features] of a product, else the channels of the same place, moved there where a layer does so. */
  readonly input: ValueReader;
  readonly batches: BatchRanges | null;
  /** A value of the layer's output, [rows, channels]. */
  of(value: ValueReader): ValueReader;
}

export function layerRows({ ready, batches }: LayerRun, input: ValueReader): LayerRows {
  const { output: shape } = ready.shapes;
  const perSample = positionsOf(shape);
  return {
    shape,
    perSample,
    input: rowsOfInput(ready, input),
    batches: batches && inRowsOf(batches, perSample),
    of: (value) => inRows(value, shape),
  };
}

function inRowsOf(batches: BatchRanges, perSample: number): BatchRanges {
  const sampleOf = (row: number) => Math.floor(row / perSample);
  return {
    ...batches,
    sampleOf,
    batchOf: (row) => batches.batchOf(sampleOf(row)),
    rangeOfStep: (row) => batches.rangeOfStep(sampleOf(row), row % perSample),
  };
}

function rowsOfInput({ layer, shapes, patch, input: params }: ReadyLayer, input: ValueReader): ValueReader {
  const [shape] = shapes.inputs;
  if (!shape) return input; // a state reads nothing
  if (isLayout(layer)) return inRows(movedValues(layer, shapes, input), shapes.output);
  if (patch) return patchRows(input, shape, patchesFor(patch, params));
  return inRows(input, isProduct(layer) ? rowsOf(layer, shape) : alike(shape, shapes.output));
}

/** Products run along the last axis, or the last ones, wherever the value has its channels. */
function rowsOf({ form }: ProductLayer, { dims }: Shape): Shape {
  const { inFeatures } = form.weight;
  return { dims: [sizeOf(dims) / inFeatures, inFeatures], channelAxis: 1 };
}

/** Values of one place stand in one row on both sides. */
function alike(input: Shape, output: Shape): Shape {
  return sameDims(input.dims, output.dims) ? output : input;
}
