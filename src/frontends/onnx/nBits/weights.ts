/** Weights of MatMulNBits, [out, in]: codes, and a scale and a zero point a block, from where the file has them. */
import { FLOAT32, onnxDtype, UINT8 } from '../../../load/onnx/dtypes.js';
import { unpacked } from '../../../load/onnx/packed.js';
import type { ArraySource, NumericArray } from '../../../nouns/array.js';
import { float32s } from '../../../numeric/array.js';
import { f32 } from '../../../numeric/float.js';
import { sizeOf } from '../../../tensor/shape.js';
import type { Constant } from '../constants.js';
import { derived } from '../derived.js';
import type { Context } from '../draft.js';
import { type GraphNode, intOf } from '../graph.js';
import type { Operand } from '../operand.js';

export interface BlockWeights {
  readonly tensor: string;
  readonly bits: number;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly blockSize: number;
  /** uint8 [out, blocks * blockSize]. */
  readonly codes: ArraySource;
  /** [out, blocks]. */
  readonly scales: ArraySource;
  readonly zeroPoints: ArraySource;
  /** They are no codes. */
  readonly isFloatZero: boolean;
}

const bytes = (numbers: NumericArray) => Uint8Array.from(numbers);

/** Null: not constant, or of other types. */
export function weightsOfNode(node: GraphNode, { constants }: Context): BlockWeights | null {
  const [, weight = '', scale = '', zero = ''] = node.inputs;
  const [codes, scales] = [constants.get(weight), constants.get(scale)];
  const zeros = zero === '' ? null : constants.get(zero);
  const bits = intOf(node, 'bits', 4);
  const [outFeatures, inFeatures] = [intOf(node, 'N', 0), intOf(node, 'K', 0)];
  const blockSize = intOf(node, 'block_size', 0);
  const blocks = Math.ceil(inFeatures / blockSize);
  const fits =
    [2, 4, 8].includes(bits) &&
    codes?.source?.dtype === 'uint8' &&
    sizeOf(codes.shape) === (outFeatures * blocks * blockSize * bits) / 8 &&
    scales?.dtype === onnxDtype(FLOAT32) &&
    scales.source &&
    sizeOf(scales.shape) === outFeatures * blocks &&
    (zero === '' || zeros?.source);
  if (!fits) return null;
  const packing = { bits, isSigned: false };
  const shape = [outFeatures, blocks * blockSize];
  const all = async () => unpacked(bytes(await codes.source!.read()), 0, sizeOf(shape), packing);
  const isFloatZero = zeros !== null && zeros?.dtype !== onnxDtype(UINT8);
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const zeroPoints = async () => {
    if (!zeros) return new Uint8Array(outFeatures * blocks).fill(1 << (bits - 1));
    const given = await zeros.source!.read();
    if (isFloatZero) return given;
    const rows = Array.from({ length: outFeatures }, (_, n) =>
      unpacked(bytes(given.subarray(n * rowBytes, (n + 1) * rowBytes)), 0, blocks, packing),
    );
    return Uint8Array.from(rows.flatMap((row) => [...row]));
  };
  const ofBlocks = [outFeatures, blocks];
  return {
    ...{ tensor: weight, bits, outFeatures, inFeatures, blockSize, isFloatZero },
    codes: derived(`${weight}.codes`, 'uint8', shape, all),
    scales: derived(`${weight}.scales`, 'float32', ofBlocks, () => scales.source!.read()),
    zeroPoints: derived(`${weight}.zeros`, isFloatZero ? 'float32' : 'uint8', ofBlocks, zeroPoints),
  };
}

/** Of dequantized codes [in, out], as ONNX Runtime makes them when it loads the model; block: where they have one scale, or one a channel. */
export function weightsOfCodes({ tensor, constant, q }: Operand & { kind: 'weight' }, block: number): BlockWeights {
  const [inFeatures, outFeatures] = constant.shape;
  const blockSize = q.blockSize || block;
  const blocks = Math.ceil(inFeatures / blockSize);
  const isSigned = constant.dtype.name.startsWith('int');
  const { bits } = constant.dtype;
  const shift = isSigned ? 1 << (bits - 1) : 0;
  const numberOf = (numbers: readonly number[], n: number, k: number) => {
    if (numbers.length === 1) return numbers[0];
    return numbers[q.blockSize > 0 ? k * outFeatures + n : n];
  };
  const turned = async () => {
    const stored = await constant.source!.read();
    const codes = new Uint8Array(outFeatures * blocks * blockSize);
    for (let k = 0, i = 0; k < inFeatures; k++) {
      for (let n = 0; n < outFeatures; n++, i++) codes[n * blocks * blockSize + k] = stored[i] + shift;
    }
    return codes;
  };
  const ofBlocks = [outFeatures, blocks];
  const each = (numbers: readonly number[], more: number) => (_: unknown, i: number) =>
    numberOf(numbers, Math.floor(i / blocks), i % blocks) + more;
  const length = outFeatures * blocks;
  return {
    ...{ tensor, bits, outFeatures, inFeatures, blockSize, isFloatZero: false },
    codes: derived(`${tensor}.codes`, 'uint8', [outFeatures, blocks * blockSize], turned),
    scales: derived(`${tensor}.scales`, 'float32', ofBlocks, async () => float32s({ length }, each(q.scale, 0))),
    zeroPoints: derived(`${tensor}.zeros`, 'uint8', ofBlocks, async () =>
      Uint8Array.from({ length }, each(q.zeroPoint, shift)),
    ),
  };
}

/** What products of floats multiply. */
export function dequantizedBlocks({ tensor, codes, scales, zeroPoints, ...sizes }: BlockWeights): ArraySource {
  const { outFeatures, inFeatures, blockSize } = sizes;
  const blocks = Math.ceil(inFeatures / blockSize);
  return derived(`${tensor}.float`, 'float32', [outFeatures, inFeatures], async () => {
    const [own, by, zeros] = await Promise.all([codes.read(), scales.read(), zeroPoints.read()]);
    return float32s({ length: outFeatures * inFeatures }, (_, i) => {
      const [n, k] = [Math.floor(i / inFeatures), i % inFeatures];
      const block = n * blocks + Math.floor(k / blockSize);
      return f32(f32(own[n * blocks * blockSize + k] - zeros[block]) * by[block]);
    });
  });
}

/** A bias of a number a channel; undefined: it is another. */
export function biasOfBlocks(tensor: string, bias: Constant | null, { outFeatures }: BlockWeights, context: Context) {
  if (tensor === '') return null;
  const isOwn = bias?.dtype === onnxDtype(FLOAT32) && bias.source && sizeOf(bias.shape) === outFeatures;
  return isOwn && bias.shape.length === 1 ? context.arrays.add(tensor, bias.source!) : undefined;
}
