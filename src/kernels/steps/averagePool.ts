/** Means over windows. The output has the input's scale: sums of centred codes are divided, and nothing is rescaled. */
import type { AveragePoolAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps, TensorValue, Vectors } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp, convertToInt32 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { adaptiveCovers, type Covers, windowCovers } from '../../tensor/covers.js';
import { channelsOf, positionDims, sameDims, sizeOf } from '../../tensor/shape.js';
import { isChannelsLast } from '../../tensor/strides.js';
import { boundOfSum } from './bounded.js';
import { inWholeVectors, quantized, roomForCodes } from './call.js';
import { dequantized } from './dequantize.js';
import { meanAten } from './mean.js';
import { imageOf, poolCovers } from './pool.js';
import { quantizeDecomposed, quantizeTwoRoundings, zeroPointAdded } from './quantize.js';
import { ofInputScale, tensorSteps } from './tensor.js';
import { boundedOverRows, eachRowOfWindows } from './windowRows.js';
import { overWindowSums, type Reach } from './windowSums.js';

/** How many channels of a channels_last tensor ATen computes in vectors: those that fill vectors of that width, 0 of none. */
function vectorChannels(call: TensorCall, width: number): number {
  return inWholeVectors(call, channelsOf(call.output.shape), width);
}

const WIDTHS: Readonly<Record<Vectors, number>> = { avx512: 16, avx2: 8, default: 0 };

/** Volumes are always brought into it. */
function isComputedChannelsLast(input: TensorValue): boolean {
  return positionDims(input.shape).length === 3 || isChannelsLast(input);
}

/** sum: of centred codes in the window; the zero point goes in before the rounding where the channels come first. */
export const averagePoolAten: TensorSteps = ofInputScale(
  'rint(sum * f32(1 / n) + zp); channels_last in vectors rint(sum * f32(1 / n)) + zp',
  (call) => {
    const { window, countIncludePad, divisor } = call.attributes as AveragePoolAttributes;
    const input = imageOf(call);
    const params = quantized(input);
    const channelsLast = isComputedChannelsLast(input);
    const vectors = channelsLast ? vectorChannels(call, WIDTHS[call.vectors]) : 0;
    const { zeroPoint, quantMin, quantMax } = params;
    const codeOf = (codes: number, { inside, padded }: Reach, inVectors: boolean) => {
      const sum = f32(codes - zeroPoint * sizeOf(inside));
      const multiplier = f32(1 / (divisor ?? sizeOf(countIncludePad ? padded : inside)));
      if (inVectors) return clamp(zeroPointAdded(f32(sum * multiplier), zeroPoint), quantMin, quantMax);
      if (channelsLast) return quantizeTwoRoundings.prepare({ ...params, scale: f32(1 / multiplier) })(sum);
      return clamp(roundHalfEven(f32(f32(sum * multiplier) + zeroPoint)), quantMin, quantMax);
    };
    const covers = windowCovers(window, positionDims(input.shape));
    return overWindowSums(call, covers, codeOf, vectors);
  },
);

/** QNNPACK, uint8 without ceil_mode: padding holds the zero point and always counts, whatever the options; ATen's code elsewhere. */
export const averagePoolQnnpack: TensorSteps = {
  ...averagePoolAten,
  run(call) {
    const { window } = call.attributes as AveragePoolAttributes;
    if (window.ceil || call.inputs[0].params.dtype !== 'uint8') return averagePoolAten.run(call);
    return meansQnnpack(call, poolCovers(call), sizeOf(window.kernel));
  },
};

/** s / (s * n) is not always 1 / n. */
function meansQnnpack(call: TensorCall, covers: Covers, count: number): Int32Array {
  const { zeroPoint, scale, quantMin, quantMax } = quantized(call.inputs[0]);
  const multiplier = f32(f32(scale) / f32(f32(scale) * count));
  return overWindowSums(call, covers, (codes, { inside }) => {
    const sum = codes - zeroPoint * sizeOf(inside);
    return clamp(convertToInt32(f32(f32(sum) * multiplier)) + zeroPoint, quantMin, quantMax);
  });
}

/** Contiguous: of raw codes, the zero point takes no part. channels_last: a reciprocal of a reciprocal of a reciprocal. */
export const adaptiveAveragePoolAten: TensorSteps = ofInputScale(
  'rint(sum of codes * (1 / kh / kw)); channels_last rint(sum * (1 / (1 / (1 / n))) + zp)',
  (call) => {
    const input = imageOf(call);
    const params = quantized(input);
    const [from, to] = [positionDims(input.shape), positionDims(call.output.shape)];
    // to one place of a volume PyTorch calls mean
    if (from.length === 3 && sizeOf(to) === 1) return meanAten.run({ ...call, attributes: { dim: [2, 3, 4] } });
    const covers = adaptiveCovers(from, to);
    if (!isChannelsLast(input))
      return overWindowSums(call, covers, (codes, { inside }) => meanOf(codes, inside, params));
    const vectors = vectorChannels(call, Math.min(WIDTHS[call.vectors], 8));
    const { zeroPoint, quantMin, quantMax } = params;
    const codeOf = (codes: number, { inside }: Reach, inVectors: boolean) => {
      const count = sizeOf(inside);
      const sum = f32(codes - zeroPoint * count);
      const inverse = f32(1 / f32(1 / f32(1 / count)));
      const steps = inVectors ? fma32(sum, inverse, zeroPoint) : f32(f32(sum * inverse) + zeroPoint);
      return clamp(roundHalfEven(steps), quantMin, quantMax);
    };
    return overWindowSums(call, covers, codeOf, vectors);
  },
);

function meanOf(codes: number, inside: readonly number[], { quantMin, quantMax }: QuantParams): number {
  const multiplier = inside.reduce((product, size) => f32(product / size), 1);
  return clamp(roundHalfEven(f32(f32(codes) * multiplier)), quantMin, quantMax);
}

/** QNNPACK, uint8 of sizes that divide evenly, no volumes; ATen's code elsewhere. */
export const adaptiveAveragePoolQnnpack: TensorSteps = {
  ...adaptiveAveragePoolAten,
  run(call) {
    const input = imageOf(call);
    const [from, to] = [positionDims(input.shape), positionDims(call.output.shape)];
    const isEven = from.every((size, axis) => size % to[axis] === 0) && !sameDims(from, to);
    if (!isEven || from.length === 3 || input.params.dtype !== 'uint8') return adaptiveAveragePoolAten.run(call);
    return meansQnnpack(call, adaptiveCovers(from, to), sizeOf(from) / sizeOf(to));
  },
};

/** PT2E's reference graph: floats, tap by tap. */
export const averagePoolFloats: TensorSteps = tensorSteps(
  'quantize((sum of sx * d, tap by tap in float32) / n)',
  (call) => {
    const { window, countIncludePad, divisor } = call.attributes as AveragePoolAttributes;
    const input = imageOf(call);
    const code = quantizeDecomposed.prepare(quantized(call.output));
    const codes = roomForCodes(call);
    const covers = windowCovers(window, positionDims(input.shape));
    eachRowOfWindows(call, covers, dequantized(input), Float32Array, ({ from, count, sums, inside, padded }) => {
      const cells = countIncludePad ? padded : inside;
      for (let n = 0; n < count; n++) codes[from + n] = code(f32(sums[n] / (divisor ?? cells[n])));
    });
    return codes;
  },
);

/** Floats in any order, over as many windows as the output has places: PT2E's reference graph. */
export const adaptiveAveragePoolFloats: TensorSteps = tensorSteps(
  'quantize((sum of sx * d in float32, any order) / n)',
  (call) => {
    const input = imageOf(call);
    const code = quantizeDecomposed.prepare(quantized(call.output));
    const covers = adaptiveCovers(positionDims(input.shape), positionDims(call.output.shape));
    // the mean may be a sum times a reciprocal: one rounding more
    return boundedOverRows(call, covers, code, ({ count, sums, magnitudes, inside }, { low, near, high }) => {
      for (let n = 0; n < count; n++) {
        const bound = boundOfSum(inside[n] + 1) * magnitudes[n];
        low[n] = (sums[n] - bound) / inside[n];
        near[n] = sums[n] / inside[n];
        high[n] = (sums[n] + bound) / inside[n];
      }
    });
  },
);
