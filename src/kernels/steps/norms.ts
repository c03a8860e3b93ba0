/** Normalizations by the values' own mean and deviation, taken of raw codes. d: the centred code; sx: the input's scale. */
import type { AffineAttributes, GroupNormAttributes, LayerNormAttributes } from '../../nouns/attributes.js';
import type { Bounded, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { fromRows, toRows } from '../../tensor/rows.js';
import { channelsOf, positionsOf, sizeOf } from '../../tensor/shape.js';
import { isChannelsLast } from '../../tensor/strides.js';
import { inVectors, oneByOne } from './atenVectors.js';
import { multiplyAdd } from './batchNorm.js';
import { fill, inWholeVectors, quantized } from './call.js';
import { imageOf } from './pool.js';
import { tensorSteps } from './tensor.js';

/** Mean of centred codes, and what they are multiplied with. */
interface Moments {
  readonly mean: number;
  readonly scale: number;
}

/** sum, squares: of raw codes and of their squares, as float32. The variance cancels where the zero point is large. */
function momentsOf(sum: number, squares: number, count: number, call: TensorCall): Moments {
  const { scale, zeroPoint } = quantized(call.inputs[0]);
  const mean = f32(sum / count);
  const variance = Math.max(multiplyAdd(call.vectors)(-mean, mean, f32(squares / count)), 0);
  const s = f32(scale);
  const { eps } = call.attributes as AffineAttributes;
  const deviation = Math.sqrt(f32(f32(variance * s) * s) + eps);
  return { mean: f32(mean - zeroPoint), scale: f32(s / deviation) };
}

function sumsOf(codes: ArrayLike<number>, from: number, to: number): [sum: number, squares: number] {
  let [sum, squares] = [0, 0];
  for (let i = from; i < to; i++) {
    sum += codes[i];
    squares += codes[i] * codes[i];
  }
  return [f32(sum), f32(squares)];
}

/** Body and rest, as they make codes of reals. */
function codesIn(call: TensorCall) {
  const output = quantized(call.output);
  return { body: inVectors(call.vectors).quantize.prepare(output), rest: oneByOne.quantize.prepare(output) };
}

/** Rows of the last axes: what fills vectors of 32 in vectors, the others one by one. */
export const layerNormAten: TensorSteps = tensorSteps(
  'quantize((d - mean) * (sx / deviation) * w + b), mean and deviation of the codes of a row',
  (call) => {
    const { weight, bias, dims } = call.attributes as LayerNormAttributes;
    const [{ data, params }] = call.inputs;
    const { zeroPoint } = quantized({ params });
    const size = sizeOf(dims);
    const rows = Array.from({ length: data.length / size }, (_, row) => {
      const [sum, squares] = sumsOf(data, row * size, (row + 1) * size);
      return momentsOf(sum, squares, size, call);
    });
    const add = multiplyAdd(call.vectors);
    const { body, rest } = codesIn(call);
    const whole = inWholeVectors(call, size, 32);
    return fill(call, (i) => {
      const [{ mean, scale }, k] = [rows[floor(i / size)], i % size];
      const real = add(f32(f32(data[i] - zeroPoint - mean) * scale), weight?.[k] ?? 1, bias?.[k] ?? 0);
      return (k < whole ? body : rest)(real);
    });
  },
);

/** From so many places on the sums of channels_last images are float32. */
const MANY_PLACES = 512;

/** Contiguous: all in vectors, as of a row. channels_last: a multiply-add a channel; the channels that fill vectors of 32 in vectors. */
export const groupNormAten: TensorSteps = tensorSteps(
  'quantize((d - mean) * (sx / deviation) * w + b), mean and deviation of the codes of a group of channels',
  (call) => {
    const input = imageOf(call);
    return isImage(input) && isChannelsLast(input) ? normalizedChannels(call, input) : normalizedGroups(call, input);
  },
);

/** Of volumes and sequences PyTorch makes contiguous copies. */
function isImage({ shape }: TensorValue): boolean {
  return shape.dims.length === 3;
}

function groupsOf({ attributes }: TensorCall, { shape }: TensorValue): number {
  return (attributes as GroupNormAttributes).groups ?? channelsOf(shape);
}

function normalizedGroups(call: TensorCall, input: TensorValue): Int32Array {
  const { weight, bias } = call.attributes as GroupNormAttributes;
  const { data, shape } = input;
  const { zeroPoint } = quantized(input);
  const [groups, channels, places] = [groupsOf(call, input), channelsOf(shape), positionsOf(shape)];
  const size = (channels / groups) * places;
  const moments = Array.from({ length: call.samples * groups }, (_, group) => {
    const [sum, squares] = sumsOf(data, group * size, (group + 1) * size);
    return momentsOf(sum, squares, size, call);
  });
  const add = multiplyAdd(call.vectors);
  const { body } = codesIn(call);
  return fill(call, (i) => {
    const { mean, scale } = moments[floor(i / size)];
    const n = floor(i / places) % channels;
    return body(add(f32(data[i] - zeroPoint - mean), f32(scale * (weight?.[n] ?? 1)), bias?.[n] ?? 0));
  });
}

/** Images of a call from as many on as a group has values come out as what lay in memory: a defect of PyTorch's. */
function normalizedChannels(call: TensorCall, input: TensorValue): Int32Array | Bounded {
  const { weight, bias } = call.attributes as GroupNormAttributes;
  const { zeroPoint } = quantized(input);
  const [groups, channels, places] = [groupsOf(call, input), channelsOf(input.shape), positionsOf(input.shape)];
  const each = channels / groups;
  const rows = toRows(input.data, input.shape);
  const sums = places >= MANY_PLACES ? floatSums(call, rows, groups, input) : integerSums(call, rows, groups, input);
  const moments = sums.map(([sum, squares]) => momentsOf(sum, squares, each * places, call));
  const add = multiplyAdd(call.vectors);
  const { body, rest } = codesIn(call);
  const whole = (n: number) =>
    places >= MANY_PLACES ? n < inWholeVectors(call, channels, 32) : n % each < inWholeVectors(call, each, 32);
  const codes = fill(call, (i) => {
    const n = i % channels;
    const { mean, scale } = moments[floor(i / (channels * places)) * groups + floor(n / each)];
    const gain = f32(scale * (weight?.[n] ?? 1));
    const real = add(rows[i] - zeroPoint, gain, add(-gain, mean, bias?.[n] ?? 0));
    return (whole(n) ? body : rest)(real);
  });
  return withoutUndefined(call, fromRows(codes, input.shape), each * places);
}

/** Any code is what such an image may hold. */
function withoutUndefined(call: TensorCall, data: Int32Array, valuesOfGroup: number): Int32Array | Bounded {
  if (call.ofCall <= valuesOfGroup) return data;
  const size = data.length / call.samples;
  const { quantMin, quantMax } = quantized(call.output);
  const isDefined = (i: number) => call.first + floor(i / size) < valuesOfGroup;
  return {
    data,
    low: data.map((code, i) => (isDefined(i) ? code : quantMin)),
    high: data.map((code, i) => (isDefined(i) ? code : quantMax)),
  };
}

type Sums = readonly [sum: number, squares: number][];

function integerSums({ samples }: TensorCall, rows: ArrayLike<number>, groups: number, { shape }: TensorValue): Sums {
  const [channels, places] = [channelsOf(shape), positionsOf(shape)];
  const each = channels / groups;
  return Array.from({ length: samples * groups }, (_, group): [number, number] => {
    const start = floor(group / groups) * places * channels + (group % groups) * each;
    let [sum, squares] = [0, 0];
    for (let place = 0; place < places; place++) {
      for (let n = 0; n < each; n++) {
        const code = rows[start + place * channels + n];
        sum += code;
        squares += code * code;
      }
    }
    return [f32(sum), f32(squares)];
  });
}

/** Place after place in float32, for each thread and channel; then thread after thread, channel after channel. */
function floatSums(call: TensorCall, rows: ArrayLike<number>, groups: number, { shape }: TensorValue): Sums {
  const [channels, places] = [channelsOf(shape), positionsOf(shape)];
  const each = channels / groups;
  const share = Math.ceil((call.ofCall * places) / call.threads);
  return Array.from({ length: call.samples * groups }, (_, group): [number, number] => {
    const sample = floor(group / groups);
    const [first, column] = [(call.first + sample) * places, (group % groups) * each];
    const total = new Float32Array(2);
    for (let from = first; from < first + places; ) {
      const to = Math.min(first + places, (floor(from / share) + 1) * share);
      for (let n = column; n < column + each; n++) {
        const part = new Float32Array(2);
        for (let row = from; row < to; row++) {
          const code = rows[(row - call.first * places) * channels + n];
          part[0] += code;
          part[1] += code * code;
        }
        total[0] += part[0];
        total[1] += part[1];
      }
      from = to;
    }
    return [total[0], total[1]];
  });
}
