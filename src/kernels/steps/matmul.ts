/** Products of two matrices of codes, sample by sample: floats between dequantize and quantize. sa, sb: scales; da, db: centred codes. */
import type { QuantizeStep, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { floor } from '../../numeric/round.js';
import { broadcastIndex } from '../../tensor/broadcast.js';
import { transposed } from '../../tensor/rows.js';
import { sizeOf } from '../../tensor/shape.js';
import { clampOfCodes } from './activation.js';
import { boundedCodes, codesOf, type Near, sumInAnyOrder } from './bounded.js';
import { quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeDecomposed, quantizeFma, quantizeTwoRoundings } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** No order of summation is the right one; a product of two float32 adds a rounding that the bound holds too. */
function matmulFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps('quantize(sum of sa * da * sb * db), float32 in any order', (call) => {
    const output = quantized(call.output);
    const code = quantize.prepare(output);
    const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
    const sumOf = sums(call);
    const size = call.samples * sizeOf(call.output.shape.dims);
    return boundedCodes(size, (i) => codesOf(sumOf(i), (real) => clamp(code(f32(real)), lo, hi)));
  });
}

export const matmulAten = matmulFloats(quantizeFma);
export const matmulDecomposed = matmulFloats(quantizeDecomposed);

/** Of an element of the output: the sum of its products. */
function sums({ inputs, output }: TensorCall): (element: number) => Near {
  const { dims } = output.shape;
  const [rows, cols] = [dims.at(-2)!, dims.at(-1)!];
  const [a, b] = inputs.map(({ shape, ...input }) => {
    const outer = broadcastIndex([...shape.dims.slice(0, -2), 1], [...dims.slice(0, -2), 1]);
    return { outer, size: sizeOf(shape.dims.slice(-2)), reals: realsOf({ ...input, shape }) };
  });
  const depth = inputs[0].shape.dims.at(-1)!;
  const [lefts, rights] = [a.reals, transposed(b.reals, depth, cols)]; // what is multiplied stands side by side
  return (element) => {
    const [matrix, row, col] = [floor(element / (rows * cols)), floor(element / cols) % rows, element % cols];
    const [left, right] = [a.outer(matrix) * a.size + row * depth, b.outer(matrix) * b.size + col * depth];
    let [sum, magnitudes] = [0, 0];
    for (let k = 0; k < depth; k++) {
      const product = lefts[left + k] * rights[right + k];
      sum += product;
      magnitudes += Math.abs(product);
    }
    return sumInAnyOrder(sum, magnitudes, depth);
  };
}

function realsOf(input: TensorValue): Float64Array {
  const real = dequantizeFloat32.prepare(quantized(input));
  const reals = new Float64Array(input.data.length);
  for (let i = 0; i < reals.length; i++) reals[i] = real(input.data[i]);
  return reals;
}
