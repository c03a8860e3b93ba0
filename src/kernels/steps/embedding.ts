/** Rows of a table by indices. s, zp: of a row, floats; q: its codes. */
import type { EmbeddingAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { f32, fma32, toFloat16 } from '../../numeric/float.js';
import { sizeOf } from '../../tensor/shape.js';
import { tensorSteps } from './tensor.js';

/** What a value of a row adds to a sum; w: the row's weight in a bag. */
type Adds = (sum: number, code: number, row: number, w: number) => number;

const attributesOf = ({ attributes }: TensorCall) => attributes as EmbeddingAttributes;

/** out + w * (q * s - zp * s), the product fused into the sum; of 4 bits s and zp * s are float16. */
function fused({ dtype, scale, zeroPoint }: EmbeddingAttributes): Adds {
  if (!scale) return (sum, value, _, w) => f32(sum + f32(w * value));
  const stored = dtype === 'uint4' ? toFloat16 : f32;
  return (sum, code, row, w) => {
    const s = f32(scale(row));
    const bias = stored(f32(f32(zeroPoint(row)) * -s));
    return fma32(f32(w * stored(s)), code, f32(sum + f32(w * bias)));
  };
}

/** As a script dequantizes a table. */
function dequantized({ scale, zeroPoint }: EmbeddingAttributes): Adds {
  const real = (code: number, row: number) => (scale ? f32(f32(code - f32(zeroPoint(row))) * f32(scale(row))) : code);
  return (sum, code, row, w) => f32(sum + f32(w * real(code, row)));
}

function bags(equation: string, addsOf: (attributes: EmbeddingAttributes) => Adds): TensorSteps {
  return {
    ...tensorSteps(equation, (call) => {
      const attributes = attributesOf(call);
      const [{ size }, weight] = [attributes, call.table!];
      const [indices, weights] = call.inputs;
      const bag = isOfBags(call) ? sizeOf(indices.shape.dims) : 1;
      const adds = addsOf(attributes);
      const out = new Float32Array((indices.data.length / bag) * size);
      for (let at = 0, first = 0; at < out.length; first += bag, at += size) {
        for (let i = 0; i < bag && indices.data[first + i] >= 0; i++) {
          const [row, w] = [indices.data[first + i], weights ? weights.data[first + i] : 1];
          for (let k = 0; k < size; k++) out[at + k] = adds(out[at + k], weight[row * size + k], row, w);
        }
      }
      return out;
    }),
    codes: ['int32'],
  };
}

function isOfBags(call: TensorCall): boolean {
  return attributesOf(call).mode !== undefined;
}

/** Floats or codes, as they are; indices may count from the end. */
export const rowsAsTheyAre: TensorSteps = {
  ...tensorSteps('table[index]', (call) => {
    const [{ size }, table] = [attributesOf(call), call.table!];
    const [{ data }] = call.inputs;
    const out = isQuantized(call.output.params)
      ? new Int32Array(data.length * size)
      : new Float32Array(data.length * size);
    for (let i = 0; i < data.length; i++) {
      const start = data[i] < 0 ? data[i] * size + table.length : data[i] * size;
      out.set(table.subarray(start, start + size), i * size);
    }
    return out;
  }),
  codes: ['int32', 'uint8', 'int8', 'uint16', 'int16'],
};

/** PyTorch sums whatever `mode` asks for. */
export const embeddingFused: TensorSteps = {
  ...bags('fma(w * s, q, out + w * -(zp * s)), row after row', fused),
  rivals: [{ cause: 'fma', steps: bags('out + w * ((q - zp) * s), row after row', dequantized) }],
};
