import { dimsText, sameDims } from '../../tensor/shape.js';
import type { Op, ShapedLayer } from '../op.js';
import { broadcastDims } from './binary.js';

/** An op of floats on the sum of its inputs: the first has its shape, the others may be broadcast. */
export function summedFirst(name: string, op: Op, most: number): Op {
  return {
    ...op,
    name,
    called: `${op.name} of a sum`,
    inputs: [2, most],
    dims(layer) {
      const sum = broadcastDims(layer);
      if (typeof sum === 'string') return sum;
      const [{ shape }] = layer.inputs;
      if (!sameDims(sum, shape.dims))
        return `expected the others to fit the first, ${dimsText(shape.dims)}, got ${dimsText(sum)} of all`;
      return op.dims ? op.dims({ ...layer, inputs: layer.inputs.slice(0, 1) } as ShapedLayer) : sum;
    },
  };
}
