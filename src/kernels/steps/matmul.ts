/** Products of two matrices of codes, sample by sample: floats between dequantize and quantize. sa, sb: scales; da, db: centred codes. */

import type { MatmulAttributes } from '../../nouns/attributes.js';
import type { QuantizeStep, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { clamp, wrapInt32 } from '../../numeric/integer.js';
import { floor } from '../../numeric/round.js';
import { broadcastIndex } from '../../tensor/broadcast.js';
import { transposed } from '../../tensor/rows.js';
import { sizeOf } from '../../tensor/shape.js';
import { clampOfCodes } from './activation.js';
import { boundOfSum, emptyReals, within, writeReal } from './bounded.js';
import { quantizedNear } from './boundedMany.js';
import { quantized, roomForCodes } from './call.js';
import { dequantized } from './dequantize.js';
import { clampRoundOffset } from './offsetAndClamp.js';
import { quantizeDecomposed, quantizeDivision, quantizeFma, quantizeTwoRoundings } from './quantize.js';
import { halfEven } from './round.js';
import { boundedSteps, inOrder } from './tensor.js';

/** No order of summation is the right one; a product of two float32 adds a rounding that the bound holds too. */
function matmulFloats(quantize: QuantizeStep): TensorSteps {
  return inOrder('quantize(sum of sa * da * sb * db), float32 in any order', (call) => {
    const output = quantized(call.output);
    const code = quantize.prepare(output);
    const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
    const eachSum = sums(call);
    return quantizedNear(
      call,
      (real) => clamp(code(real), lo, hi),
      ({ from, count, low, near, high }) =>
        eachSum(from, count, (element, sum, bound) => {
          const i = element - from;
          low[i] = sum - bound;
          near[i] = sum;
          high[i] = sum + bound;
        }),
    );
  });
}

/** ONNX Runtime's, where it is not fused. */
export const matmulInFloat = matmulFloats(quantizeDivision);

/** QLinearMatMul of two values: uint8 by uint8, or int8 by int8, whose sums are exact on every CPU. */
export const matmulOnnxRuntime: TensorSteps = inOrder(
  'rint(clamp(f32(acc) * (sa * sb / sy))) + zp, acc = sum of da * db',
  (call) => {
    const [a, b, output] = [...call.inputs, call.output].map(quantized);
    const multiplier = f32(f32(f32(a.scale) * f32(b.scale)) / f32(output.scale));
    const { quantMin, quantMax, zeroPoint } = output;
    const code = clampRoundOffset.prepare(halfEven, zeroPoint, quantMin, quantMax);
    const eachSum = sums(call, (input) => {
      const params = quantized(input);
      return float32s(input.data, (x) => x - params.zeroPoint);
    });
    const codes = roomForCodes(call);
    eachSum(0, Math.min(call.most ?? codes.length, codes.length), (element, sum) => {
      codes[element] = code(f32(f32(wrapInt32(sum)) * multiplier));
    });
    return codes;
  },
);

export const matmulAten = matmulFloats(quantizeFma);
export const matmulDecomposed = matmulFloats(quantizeDecomposed);

/** Floats times floats. */
export const matmulOfFloats: TensorSteps = boundedSteps('sum of a * b, float32 in any order', (call) => {
  const { adjX, adjY, alpha } = call.attributes as MatmulAttributes;
  const [a, b] = call.inputs;
  const inputs = [adjX ? turned(a) : a, adjY ? turned(b) : b];
  const eachSum = sums({ ...call, inputs }, ({ data }) => data as Float32Array);
  const reals = emptyReals(call.samples * sizeOf(call.output.shape.dims));
  eachSum(0, reals.data.length, (element, sum, bound) => {
    writeReal(reals, element, within(alpha * sum, (Math.abs(alpha) * (sum + bound - (sum - bound))) / 2));
  });
  return reals;
});

/** The last two axes change places. */
function turned({ shape, data, ...value }: TensorValue): TensorValue {
  const [rows, cols] = shape.dims.slice(-2);
  const dims = [...shape.dims.slice(0, -2), cols, rows];
  return { ...value, shape: { ...shape, dims }, data: transposed(data, rows, cols) };
}

/** Of elements of the output from one on: the sum of products, and how far float32 may be from it. */
type EachSum = (from: number, count: number, visit: (element: number, sum: number, bound: number) => void) => void;

function sums({ inputs, output }: TensorCall, numbersOf: (input: TensorValue) => Float32Array = dequantized): EachSum {
  const { dims } = output.shape;
  const [rows, cols] = [dims.at(-2)!, dims.at(-1)!];
  const [a, b] = inputs.map(({ shape, ...input }) => {
    const outer = broadcastIndex([...shape.dims.slice(0, -2), 1], [...dims.slice(0, -2), 1]);
    return { outer, size: sizeOf(shape.dims.slice(-2)), reals: numbersOf({ ...input, shape }) };
  });
  const depth = inputs[0].shape.dims.at(-1)!;
  const [lefts, rights] = [a.reals, transposed(b.reals, depth, cols)]; // what is multiplied stands side by side
  const error = boundOfSum(depth);
  return (from, count, visit) => {
    for (let element = from; element < from + count; ) {
      const [matrix, row, col] = [floor(element / (rows * cols)), floor(element / cols) % rows, element % cols];
      const left = a.outer(matrix) * a.size + row * depth;
      let right = b.outer(matrix) * b.size + col * depth;
      const end = Math.min(from + count, element + cols - col);
      for (; element + 4 <= end; element += 4, right += 4 * depth) {
        fourSums(lefts, left, rights, right, depth);
        for (let i = 0; i < 4; i++) visit(element + i, four[i], error * four[4 + i]);
      }
      for (; element < end; element++, right += depth) {
        let [sum, magnitudes] = [0, 0];
        for (let k = 0; k < depth; k++) {
          const product = lefts[left + k] * rights[right + k];
          sum += product;
          magnitudes += Math.abs(product);
        }
        visit(element, sum, error * magnitudes);
      }
    }
  };
}

/** Four sums, and theirs of magnitudes. */
const four = new Float64Array(8);

/** Of four columns side by side: additions of one sum wait for each other, so that four take as long as two. */
function fourSums(lefts: Float32Array, left: number, rights: Float32Array, right: number, depth: number): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  let [ofA, ofB, ofC, ofD] = [0, 0, 0, 0];
  for (let k = 0, at = right; k < depth; k++, at++) {
    const x = lefts[left + k];
    const [pa, pb, pc, pd] = [
      x * rights[at],
      x * rights[at + depth],
      x * rights[at + 2 * depth],
      x * rights[at + 3 * depth],
    ];
    a += pa;
    b += pb;
    c += pc;
    d += pd;
    ofA += Math.abs(pa);
    ofB += Math.abs(pb);
    ofC += Math.abs(pc);
    ofD += Math.abs(pd);
  }
  four.set([a, b, c, d, ofA, ofB, ofC, ofD]);
}
