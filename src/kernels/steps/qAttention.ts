/**
 * ONNX Runtime's QAttention: queries, keys and values are products of codes, each made float32; attention of floats behind them. What it
 * reads is codes, or floats that a call quantizes by its range. Source: contrib_ops/cpu/quantization/attention_quant.cc, bert/attention_cpu_base.h.
 */
import type { NamedArrays } from '../../nouns/array.js';
import type { AttentionAttributes, QAttentionAttributes } from '../../nouns/attributes.js';
import type { AccumulateStep, Bounded, DynamicStep, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { isQuantized, type Shape } from '../../nouns/value.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { attentionOfFloats } from './attention.js';
import { quantizedRows, realSums, type ScaledWeights, scaledWeights } from './codeSums.js';
import { boundedSteps } from './tensor.js';

/** sums: what its products are, where another kernel's are not. */
export function qAttentionOf(sums: string, accumulate: AccumulateStep, dynamic: DynamicStep): TensorSteps {
  const equation = `softmax(q k^T * scale + mask) v, float32; q, k, v: f32(f32(acc) * f32(s * sw)) + b, acc in ${sums}`;
  const steps = boundedSteps(equation, (call) => {
    const projected = projections(call as TensorCall<QAttentionAttributes>, accumulate, dynamic);
    return joinedHeads(attentionOfFloats.run(projected) as Bounded, projected);
  });
  return { ...steps, departure: 'int16-saturation', ofX86: true, codes: ['uint8', 'int32'] };
}

/** The attention of floats that stands behind the products: [heads, places, size] each. */
function projections(
  call: TensorCall<QAttentionAttributes>,
  accumulate: AccumulateStep,
  dynamic: DynamicStep,
): TensorCall<AttentionAttributes> {
  const { attributes, inputs, samples } = call;
  const { heads, size, scale, isCausal } = attributes;
  const [x, mask] = inputs;
  const { data, input } = isQuantized(x.params)
    ? { data: Uint8Array.from(x.data), input: x.params }
    : quantizedRows(x.data as Float32Array, dynamic);
  const { weights, bias } = constantsOf(call.arrays!, attributes);
  const columns = 3 * heads * size;
  const sums = float32s(realSums(data, input, weights, accumulate), (sum, i) => f32(sum + bias[i % columns]));
  const [places] = x.shape.dims;
  const part = (which: number): TensorValue => {
    const own = new Float32Array(samples * heads * places * size);
    let at = 0;
    for (let sample = 0; sample < samples; sample++)
      for (let head = 0; head < heads; head++)
        for (let place = 0; place < places; place++, at += size) {
          const from = (sample * places + place) * columns + (which * heads + head) * size;
          own.set(sums.subarray(from, from + size), at);
        }
    return floatValue(x, own, [heads, places, size]);
  };
  const added = mask &&
    attributes.mask !== 'none' && [
      floatValue(mask, scoresOfMask(mask, attributes, samples * places, places), [1, 1, places]),
    ];
  return {
    ...call,
    attributes: { scale, isCausal, mask: 'added' },
    inputs: [part(0), part(1), part(2), ...(added || [])],
  };
}

/** What is added to the scores of each key. */
function scoresOfMask({ data }: TensorValue, { mask, filter }: QAttentionAttributes, count: number, places: number) {
  const onesOf = (sample: number) => {
    let ones = 0;
    for (let at = sample * places; at < (sample + 1) * places; at++) if (data[at] === 1) ones++;
    return ones;
  };
  const lengths = mask === 'ones' ? Array.from({ length: count / places }, (_, sample) => onesOf(sample)) : [];
  const isSeen = (at: number) =>
    mask === 'ones' ? at % places < lengths[floor(at / places)] : data[at] > 0 === (mask === 'places');
  return float32s({ length: count }, (_, at) => (isSeen(at) ? 0 : filter));
}

function floatValue(like: TensorValue, data: Float32Array, dims: readonly number[]): TensorValue {
  const shape: Shape = { ...like.shape, dims };
  return { ...like, data, shape, params: { dtype: 'float32' } };
}

/** [heads, places, size] to [places, heads * size]. */
function joinedHeads({ data, low, high }: Bounded, { samples, inputs: [{ shape }] }: TensorCall): Bounded {
  const [heads, places, size] = shape.dims;
  const moved = (numbers: Bounded['data']): Float32Array => {
    const joined = new Float32Array(numbers.length);
    let from = 0;
    for (let sample = 0; sample < samples; sample++)
      for (let head = 0; head < heads; head++)
        for (let place = 0; place < places; place++, from += size)
          joined.set(numbers.subarray(from, from + size), ((sample * places + place) * heads + head) * size);
    return joined;
  };
  return { data: moved(data), low: moved(low), high: moved(high) };
}

interface Constants {
  readonly weights: ScaledWeights;
  readonly bias: Float32Array;
}

const known = new WeakMap<NamedArrays, Constants>();

function constantsOf(arrays: NamedArrays, { inputs, heads, size }: QAttentionAttributes): Constants {
  const made = known.get(arrays) ?? {
    weights: scaledWeights(
      arrays.weight,
      [inputs, 3 * heads * size],
      arrays['weight.scale'] as Float32Array,
      arrays['weight.zero_point'],
    ),
    bias: arrays.bias as Float32Array,
  };
  known.set(arrays, made);
  return made;
}
