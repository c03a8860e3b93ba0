/** Floats times float weights, in whatever order a library sums them. */
import type { FloatProductAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { floor } from '../../numeric/round.js';
import { HOLE, tapsOf } from '../../tensor/patches.js';
import { fromRows, toRows } from '../../tensor/rows.js';
import { positionDims, sizeOf } from '../../tensor/shape.js';
import { clampOfReals, limitedTo } from './activation.js';
import { boundedReals, type Near, UNIT, within } from './bounded.js';
import { throughFused } from './fusedFunctions.js';
import { imageOf } from './pool.js';
import { boundedSteps } from './tensor.js';

/** [rows, outFeatures], of sums and of the magnitudes of their terms. */
interface Sums {
  readonly exact: Float64Array;
  readonly magnitudes: Float64Array;
}

const attributesOf = ({ attributes }: TensorCall) => attributes as FloatProductAttributes;

function bounded({ exact, magnitudes }: Sums, terms: number, call: TensorCall) {
  const relative = (terms + 4) * UNIT;
  const { fused } = attributesOf(call);
  const through = fused ? throughFused(fused) : (sum: Near) => sum;
  const clamp = clampOfReals(call.activation);
  return boundedReals(exact.length, (i) => {
    const { low, near, high } = through(within(exact[i], magnitudes[i] * relative));
    return { low: limitedTo(clamp, low), near: limitedTo(clamp, near), high: limitedTo(clamp, high) };
  });
}

export const linearOfFloats: TensorSteps = boundedSteps('sum of x * w + b, float32 in any order', (call) => {
  const [{ bias, outFeatures }, weight] = [attributesOf(call), call.table!];
  const [{ data }] = call.inputs;
  const depth = weight.length / outFeatures;
  const rows = data.length / depth;
  const sums = { exact: new Float64Array(rows * outFeatures), magnitudes: new Float64Array(rows * outFeatures) };
  for (let row = 0, at = 0; row < rows; row++) {
    for (let n = 0; n < outFeatures; n++, at++) {
      let [sum, magnitude] = [bias?.[n] ?? 0, Math.abs(bias?.[n] ?? 0)];
      for (let k = 0; k < depth; k++) {
        const product = data[row * depth + k] * weight[n * depth + k];
        sum += product;
        magnitude += Math.abs(product);
      }
      [sums.exact[at], sums.magnitudes[at]] = [sum, magnitude];
    }
  }
  return bounded(sums, depth, call);
});

export const convolutionOfFloats: TensorSteps = boundedSteps('sum of x * w + b, float32 in any order', (call) => {
  const { weights, outFeatures } = attributesOf(call);
  const sums = convolved(call);
  const { shape } = call.output;
  const inOrder = { exact: fromRows(sums.exact, shape), magnitudes: fromRows(sums.magnitudes, shape) };
  return bounded(inOrder, weights / outFeatures, call);
});

/** Rows of channels, a place each. */
function convolved(call: TensorCall): Sums {
  const [{ bias, outFeatures, groups }, weight] = [attributesOf(call), call.table!];
  const { data, shape } = imageOf(call);
  const { positions, taps, at: tapsAt } = tapsOf(attributesOf(call).window!, positionDims(shape));
  const places = sizeOf(positionDims(shape));
  const channels = sizeOf(shape.dims) / places;
  const [own, ownOut] = [channels / groups, outFeatures / groups];
  const rows = toRows(data, shape);
  const length = call.samples * positions * outFeatures;
  const sums = { exact: new Float64Array(length), magnitudes: new Float64Array(length) };
  for (let row = 0, at = 0; row < call.samples * positions; row++) {
    const sample = floor(row / positions);
    const source = tapsAt(row % positions);
    for (let n = 0; n < outFeatures; n++, at++) {
      const first = floor(n / ownOut) * own;
      let [sum, magnitude] = [bias?.[n] ?? 0, Math.abs(bias?.[n] ?? 0)];
      for (let tap = 0; tap < taps; tap++) {
        const place = source[tap];
        if (place === HOLE) continue;
        const from = (sample * places + place) * channels + first;
        for (let c = 0; c < own; c++) {
          const product = rows[from + c] * weight[(n * own + c) * taps + tap];
          sum += product;
          magnitude += Math.abs(product);
        }
      }
      [sums.exact[at], sums.magnitudes[at]] = [sum, magnitude];
    }
  }
  return sums;
}
