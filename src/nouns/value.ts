/**
 * How numbers stand for values. Spaces and units used in names: *code* is a stored integer (uint8, int8); *real* is the value
 * it stands for, `scale * (code - zero_point)`; *steps* (LSB) are units of the output's scale; *accumulator units* are
 * `x_scale * w_scale`.
 */

export type IntegerDtype = 'uint8' | 'int8' | 'int16' | 'uint16' | 'int32';

/** How codes stand for real values. scale is the double of the file; a kernel rounds it where it does. */
export interface QuantParams {
  readonly dtype: IntegerDtype;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly quantMin: number;
  readonly quantMax: number;
  /** Steps a real unit, where a runtime does not take 1 / scale. */
  readonly perUnit?: number;
}

/** The codes that a dtype has. */
export const CODE_RANGES: Readonly<Record<IntegerDtype, readonly [min: number, max: number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** Of numbers that stand for themselves: accumulators, places along an axis; a capture may hold the latter as int64. */
export const INTEGERS: QuantParams = {
  dtype: 'int32',
  scale: 1,
  zeroPoint: 0,
  quantMin: -(2 ** 31),
  quantMax: 2 ** 31 - 1,
};

export interface FloatParams {
  readonly dtype: 'float32';
}

export type ValueParams = QuantParams | FloatParams;

/**
 * Of one sample, whose values lie in C order: a feature is an index into them, a place is channel and position. A capture's array
 * has the samples first.
 */
export interface Shape {
  readonly dims: readonly number[];
  readonly channelAxis: number;
}

/** Of one sample of what a layer reads and computes. */
export interface LayerShapes {
  readonly inputs: readonly Shape[];
  readonly output: Shape;
}

/** Where images have their channels: in front of their places, or behind. */
export type Layout = 'NCHW' | 'NHWC';

export function isQuantized(params: ValueParams): params is QuantParams {
  return params.dtype !== 'float32';
}

/** Of a value that a kernel reads or gives as codes: validation lets no other come so far. */
export function quantizedParams(params: ValueParams | null): QuantParams {
  if (!params || !isQuantized(params)) throw new Error('expected quantized values');
  return params;
}
