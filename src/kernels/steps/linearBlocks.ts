/**
 * MatMulNBits of accuracy level 4: each block of a row is quantized to int8 by its largest magnitude, and multiplied in integers by
 * codes of up to 8 bits. The sums of blocks, and of their zero points apart, are float32 in any order.
 * Source: MLAS, QuantizeARow_CompInt8 and the sums of sqnbitgemm; AVX2, AVX512 and VNNI give the same integers.
 */

import type { NumericArray } from '../../nouns/array.js';
import type { BlocksAttributes } from '../../nouns/attributes.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
import { emptyReals, UNIT, within, writeReal } from './bounded.js';
import { boundedSteps } from './tensor.js';

export const linearOfBlocks: TensorSteps = boundedSteps(
  'sum of sx * sw * (rint(x / sx) . (w - zw)) + b over blocks, sx = max|x| / 127, float32 in any order',
  (call) => {
    const { inFeatures, outFeatures, blockSize, bias } = call.attributes as BlocksAttributes;
    const blocks = Math.ceil(inFeatures / blockSize);
    const weights = weightsOf(call.table!, outFeatures * blocks, blockSize);
    const [{ data }] = call.inputs;
    const rows = data.length / inFeatures;
    const reals = emptyReals(rows * outFeatures);
    const relative = (2 * blocks + MOST_LANES) * UNIT;
    for (let row = 0, at = 0; row < rows; row++) {
      const quantized = quantizedRow(data.subarray(row * inFeatures, (row + 1) * inFeatures), blockSize);
      for (let n = 0; n < outFeatures; n++, at++) {
        const { exact, magnitude } = channelSum(quantized, weights, n * blocks);
        const own = bias?.[n] ?? 0;
        writeReal(reals, at, within(exact + own, (magnitude + Math.abs(own)) * relative));
      }
    }
    return reals;
  },
);

/** Parts of a block that are summed by themselves, and the roundings of a scale. */
const MOST_LANES = 24;

interface Weights {
  readonly codes: NumericArray;
  readonly scales: NumericArray;
  readonly zeroPoints: NumericArray;
  readonly blockSize: number;
}

function weightsOf(table: NumericArray, blocks: number, blockSize: number): Weights {
  const end = blocks * blockSize;
  return {
    codes: table.subarray(0, end),
    scales: table.subarray(end, end + blocks),
    zeroPoints: table.subarray(end + blocks, end + 2 * blocks),
    blockSize,
  };
}

interface QuantizedRow {
  readonly codes: Int8Array;
  /** Of each block; so are the others. */
  readonly scales: Float32Array;
  readonly sums: Float64Array;
  readonly magnitudes: Float64Array;
}

export function quantizedRow(row: NumericArray, blockSize: number): QuantizedRow {
  const blocks = Math.ceil(row.length / blockSize);
  const codes = new Int8Array(blocks * blockSize);
  const scales = new Float32Array(blocks);
  const [sums, magnitudes] = [new Float64Array(blocks), new Float64Array(blocks)];
  for (let block = 0; block < blocks; block++) {
    const [from, to] = [block * blockSize, Math.min(row.length, (block + 1) * blockSize)];
    let most = 0;
    for (let k = from; k < to; k++) most = Math.max(most, Math.abs(row[k]));
    scales[block] = most / 127;
    const inverse = most === 0 ? 0 : f32(127 / most);
    for (let k = from; k < to; k++) {
      codes[k] = roundHalfEven(f32(row[k] * inverse));
      sums[block] += codes[k];
      magnitudes[block] += Math.abs(codes[k]);
    }
  }
  return { codes, scales, sums, magnitudes };
}

/** Codes and their zero point are multiplied apart, and cancel. first: the channel's first block. */
function channelSum(row: QuantizedRow, { codes, scales, zeroPoints, blockSize }: Weights, first: number) {
  let [exact, magnitude] = [0, 0];
  for (let block = 0; block < row.scales.length; block++) {
    const from = block * blockSize;
    const [at, zeroPoint] = [(first + block) * blockSize, zeroPoints[first + block]];
    let [products, sizes] = [0, 0];
    for (let k = 0; k < blockSize; k++) {
      products += row.codes[from + k] * codes[at + k];
      sizes += Math.abs(row.codes[from + k]) * codes[at + k];
    }
    const scale = row.scales[block] * scales[first + block];
    exact += scale * (products - zeroPoint * row.sums[block]);
    magnitude += Math.abs(scale) * (sizes + zeroPoint * row.magnitudes[block]);
  }
  return { exact, magnitude };
}
