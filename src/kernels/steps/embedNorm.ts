/**
 * ONNX Runtime's EmbedLayerNormalization and QEmbedLayerNormalization: rows by word, place and segment, added in float32, normalized in
 * two passes. Source: contrib_ops/cpu/bert/embed_layer_norm.cc, quantization/qembed_layer_norm.cc.
 */
import type { EmbedNormAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { layerNormOfFloats } from './floatNorms.js';
import { boundedSteps } from './tensor.js';

const equation = 'layer_norm of word[i] + place[p] + segment[j], rows f32(f32(q - zp) * s), float32';

export const embedNorm: TensorSteps = {
  ...boundedSteps(equation, (call) => {
    const [words] = call.inputs;
    const { features } = call.attributes as EmbedNormAttributes;
    const shape = { ...words.shape, dims: [...words.shape.dims, features] };
    const sum = { ...words, shape, params: { dtype: 'float32' } as const, data: sumOfRows(call) };
    return layerNormOfFloats.run({ ...call, inputs: [sum] });
  }),
  codes: ['int32'],
};

/** Of an index that no table has: NaN, which equals nothing. */
function sumOfRows({ attributes, arrays, inputs }: TensorCall): Float32Array {
  const { features, tables } = attributes as EmbedNormAttributes;
  const [words, segments] = inputs;
  const [places] = words.shape.dims;
  const sums = new Float32Array(words.data.length * features);
  for (const { name, scale, zeroPoint } of tables) {
    const rows = arrays![name];
    const real = scale === null ? (x: number) => x : (code: number) => f32(f32(code - zeroPoint) * f32(scale));
    const rowOf = (at: number) =>
      name === 'word' ? words.data[at] : name === 'place' ? at % places : segments.data[at];
    for (let at = 0, to = 0; at < words.data.length; at++) {
      const from = rowOf(at) * features;
      for (let k = 0; k < features; k++, to++) sums[to] = f32(sums[to] + real(rows[from + k]));
    }
  }
  return sums;
}
