/** MEAN and SUM. S: sum of raw codes, n: how many. */
import type { ReduceAttributes } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import type { FixedPointMultiplier } from '../../../nouns/written.js';
import { multiplyByFixedPointDoubleRounding, quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { clamp, wrapInt8, wrapInt32 } from '../../../numeric/integer.js';
import { floor, roundHalfAway, roundHalfEven, truncate } from '../../../numeric/round.js';
import { axesOf, checkedAxes } from '../../../tensor/axes.js';
import { reducedAxes } from '../../../tensor/reduced.js';
import { sameDims } from '../../../tensor/shape.js';
import { quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, BYTES_AND_INT16, byMultiplier, byMultiplierUp, codeOf, scaleOf } from './common.js';

interface Sums {
  readonly call: TensorCall;
  readonly axes: readonly number[];
  readonly count: number;
  readonly input: QuantParams;
  readonly output: QuantParams;
  /** code: of the sum and the element of the output. */
  each(code: (sum: number, element: number) => number): Int32Array;
}

/** read: of a code. */
function sumsOf(call: TensorCall, read: (code: number) => number = (code) => code): Sums {
  const [{ data, shape, params }] = call.inputs;
  const axes = checkedAxes(axesOf((call.attributes as ReduceAttributes).dim, shape));
  const { size, count, first, step } = reducedAxes(shape.dims, axes);
  const each = (code: (sum: number, element: number) => number) => {
    const codes = new Int32Array(call.samples * size);
    for (let i = 0; i < codes.length; i++) {
      const start = floor(i / size) * size * count + first[i % size];
      let sum = 0;
      for (let k = 0; k < count; k++) sum += read(data[start + step[k]]);
      codes[i] = code(sum, i);
    }
    return codes;
  };
  return { call, axes, count, input: quantized({ params }), output: quantized(call.output), each };
}

const RANGE = ({ quantMin, quantMax }: QuantParams) => [quantMin, quantMax] as const;

const ratioOf = ({ input, output }: Sums) => scaleOf(input) / scaleOf(output);

/** sx / sy / n with as many bits as fit. */
function meanMultiplier(sums: Sums): FixedPointMultiplier {
  const { multiplier, exponent } = quantizeMultiplier(ratioOf(sums));
  const bits = Math.min(31 - Math.clz32(sums.count), 32, 31 + exponent);
  return { multiplier: floor((multiplier * 2 ** bits) / sums.count), exponent: exponent - bits };
}

function meanOf(sums: Sums): Int32Array {
  const { input, output, count, each } = sums;
  const multiplier = meanMultiplier(sums);
  const code = codeOf(output, RANGE(output));
  return each((sum) => code(multiplyByFixedPointDoubleRounding(wrapInt32(sum - input.zeroPoint * count), multiplier)));
}

const MEAN =
  'clamp(roundHalfAway((((S - n * zx) * m + 2^30) >> 31) / 2^-e) + zp), m * 2^(e-31) = sx / sy / n, m rounded down';

export const meanReference: TensorSteps = {
  ...tensorSteps(MEAN, (call) => meanOf(sumsOf(call))),
  codes: BYTES_AND_INT16,
};

interface ImageMean {
  /** In the zero point's place. */
  readonly bias: number;
  readonly multiplier: FixedPointMultiplier;
  /** By channel. */
  readonly isVector: readonly boolean[];
}

/** Height and width of images of 8 bits, kept: the zero point is rounded by itself, raw sums are scaled, 16 channels at a time. */
function imageMean({ call, input, output, count }: Sums, hasVectors: boolean): ImageMean {
  const [sx, sy] = [scaleOf(input), scaleOf(output)];
  const offset = f32(f32(input.zeroPoint * sx) / sy);
  return {
    bias: output.zeroPoint - truncate(f32(offset > 0 ? offset + 0.5 : offset - 0.5)),
    multiplier: quantizeMultiplier(f32(sx / f32(f32(count) * sy))),
    isVector: hasVectors ? vectorChannels(call.output.shape.dims.at(-1)!, call.threads) : [],
  };
}

/** Null: it is another mean, and computed as the reference's. */
export function imageMeanOf(call: TensorCall): ImageMean | null {
  const sums = sumsOf(call);
  return isOfImages(sums) ? imageMean(sums, true) : null;
}

function meanOfImages(sums: Sums, hasVectors: boolean): Int32Array {
  const { bias, multiplier, isVector } = imageMean(sums, hasVectors);
  const channels = sums.call.output.shape.dims.at(-1)!;
  const up = byMultiplierUp(multiplier);
  const code = codeOf({ ...sums.output, zeroPoint: bias }, RANGE(sums.output));
  const away = (sum: number) => multiplyByFixedPointDoubleRounding(sum, multiplier);
  return sums.each((sum, element) => code((isVector[element % channels] ? up : away)(sum)));
}

/** Every thread has its own share of the channels, and so its own rest. */
function vectorChannels(channels: number, threads: number): boolean[] {
  const isVector: boolean[] = [];
  for (let thread = 0; thread < threads; thread++) {
    const own = floor((channels - isVector.length) / (threads - thread));
    for (let i = 0; i < own; i++) isVector.push(i < floor(own / 16) * 16);
  }
  return isVector;
}

function isOfImages({ call, axes, output }: Sums): boolean {
  const { dims } = call.inputs[0].shape;
  const isKept = call.output.shape.dims.length === dims.length;
  return isKept && dims.length === 3 && sameDims(axes, [0, 1]) && output.dtype !== 'int16';
}

function builtinMean(hasVectors: boolean): TensorSteps {
  const run = (call: TensorCall) => {
    const sums = sumsOf(call);
    return isOfImages(sums) ? meanOfImages(sums, hasVectors) : meanOf(sums);
  };
  return {
    ...tensorSteps(`${MEAN}; of images S * m, zp - round(zx * sx / sy) by itself`, run),
    codes: BYTES_AND_INT16,
  };
}

export const meanBuiltin = builtinMean(true);
/** The wheel of TFLite 2.14 was built without vector code. */
export const meanBuiltinOneByOne = builtinMean(false);

/** XNNPACK: a float32 zero point goes in before the rounding. */
function reduceXnnpack(isMean: boolean, round: (x: number) => number): TensorSteps {
  const run = (call: TensorCall) => {
    const { input, output, count, each } = sumsOf(call);
    const ratio = f32(scaleOf(input) / scaleOf(output));
    const multiplier = isMean ? f32(ratio * f32(1 / f32(count))) : ratio;
    const offset = f32(f32(output.zeroPoint) - f32(f32(count * input.zeroPoint) * multiplier));
    return each((sum) => clamp(round(f32(f32(f32(sum) * multiplier) + offset)), output.quantMin, output.quantMax));
  };
  const scale = isMean ? 'f32(sx / sy) * f32(1 / n)' : 'f32(sx / sy)';
  const name = round === roundHalfEven ? 'rint' : 'roundHalfAway';
  return {
    ...tensorSteps(`clamp(${name}(f32(S) * g + (zp - f32(n * zx) * g))), g = ${scale}`, run),
    codes: BYTES,
    departure: 'multiplier-precision',
  };
}

export const meanXnnpack = reduceXnnpack(true, roundHalfEven);
export const sumXnnpack = reduceXnnpack(false, roundHalfEven);
/** LiteRT up to 1.4, TensorFlow 2.21. */
export const meanXnnpackAway = reduceXnnpack(true, roundHalfAway);
export const sumXnnpackAway = reduceXnnpack(false, roundHalfAway);

export const sumMicro: TensorSteps = {
  ...tensorSteps(
    'clamp(roundHalfAway((((S - n * zx) * m + 2^30) >> 31) / 2^-e) + zp), m * 2^(e-31) = sx / sy',
    (call) => {
      const sums = sumsOf(call);
      const { input, output, count, each } = sums;
      const steps = byMultiplier(ratioOf(sums));
      const code = codeOf(output, RANGE(output));
      return each((sum) => code(steps(wrapInt32(sum - input.zeroPoint * count))));
    },
  ),
  codes: BYTES_AND_INT16,
};

export const sumBuiltin: TensorSteps = {
  ...tensorSteps('clamp(roundHalfAway(f32(S) * g + f32(-zx * g) * n) + zp), g = f32(sx / sy)', (call) => {
    const { input, output, count, each } = sumsOf(call);
    const ratio = f32(scaleOf(input) / scaleOf(output));
    const offset = f32(f32(f32(-input.zeroPoint) * ratio) * f32(count));
    const code = codeOf(output, RANGE(output));
    return each((sum) => code(roundHalfAway(f32(f32(f32(sum) * ratio) + offset))));
  }),
  codes: BYTES_AND_INT16,
  departure: 'multiplier-precision',
};

/**
 * The reference resolver of every release runs the uint8 kernel on int8: bytes are read as uint8, results clamp to 0..255 and are
 * stored as bytes.
 */
export const sumReference: TensorSteps = {
  ...tensorSteps(`${sumMicro.equation}, on bytes read as uint8`, (call) => {
    const input = quantized(call.inputs[0]);
    if (input.dtype === 'uint8') return sumMicro.run(call);
    const sums = sumsOf(call, (code) => code & 255);
    const steps = byMultiplier(ratioOf(sums));
    const { zeroPoint } = sums.output;
    return sums.each((sum) => {
      const byte = clamp(steps(wrapInt32(sum - input.zeroPoint * sums.count)) + zeroPoint, 0, 255);
      return wrapInt8(byte);
    });
  }),
  codes: BYTES,
  departure: 'kernel-defect',
};
