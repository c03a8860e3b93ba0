/** Small layers for tests: everything has a default, so that a test writes only what it is about. */
import fc from 'fast-check';
import type { Codes, Product } from '../../src/nouns/kernel.js';
import type { QuantParams } from '../../src/nouns/value.js';

const RANGES = { uint8: [0, 255], int8: [-128, 127] } as const;

export function params(dtype: 'uint8' | 'int8', scale: number, zeroPoint: number): QuantParams {
  const [quantMin, quantMax] = RANGES[dtype];
  return { dtype, scale, zeroPoint, quantMin, quantMax };
}

export interface LinearOptions extends Partial<Omit<Product, 'weight' | 'weightScale' | 'weightZeroPoint' | 'bias'>> {
  readonly weight: readonly (readonly number[])[];
  readonly weightScale?: readonly number[];
  readonly weightZeroPoint?: readonly number[];
  readonly bias?: readonly number[] | null;
}

export function linearOf({ weight, weightScale, weightZeroPoint, bias, ...rest }: LinearOptions): Product {
  return {
    outFeatures: weight.length,
    inFeatures: weight[0].length,
    weight: Int8Array.from(weight.flat()),
    perChannel: (weightScale?.length ?? 1) > 1,
    weightScale: Float64Array.from(weightScale ?? [1]),
    weightZeroPoint: Int32Array.from(weightZeroPoint ?? [0]),
    bias: bias ? Float32Array.from(bias) : null,
    biasInt32: null,
    activation: 'none',
    input: params('uint8', 1, 0),
    output: params('uint8', 1, 0),
    ...rest,
  };
}

export function codesOf(linear: Product, rows: readonly (readonly number[])[]): Codes {
  const data = linear.input.dtype === 'int8' ? Int8Array.from(rows.flat()) : Uint8Array.from(rows.flat());
  return { rows: rows.length, cols: linear.inFeatures, data };
}

export interface LayerCase {
  readonly linear: Product;
  readonly x: Codes;
}

/** Bytes that tests need more often than chance gives them. */
const extremes = { uint8: [0, 1, 127, 128, 254, 255], int8: [-128, -127, -1, 0, 126, 127] };

function byte(dtype: 'uint8' | 'int8', extreme: boolean) {
  const [min, max] = RANGES[dtype];
  return extreme ? fc.constantFrom(...extremes[dtype]) : fc.integer({ min, max });
}

export interface CaseOptions {
  readonly dtype?: 'uint8' | 'int8';
  readonly maxInFeatures?: number;
  readonly weightZeroPoints?: boolean;
}

/** Random layers and inputs: ordinary and extreme codes, both granularities, with and without bias and ReLU. */
export function layerCases(options: CaseOptions = {}): fc.Arbitrary<LayerCase> {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 6 }),
    outFeatures: fc.integer({ min: 1, max: 11 }),
    inFeatures: fc.integer({ min: 1, max: options.maxInFeatures ?? 40 }),
    extreme: fc.boolean(),
    perChannel: fc.boolean(),
    dtype: options.dtype ? fc.constant(options.dtype) : fc.constantFrom<'uint8' | 'int8'>('uint8', 'int8'),
  });
  return shape.chain(({ rows, outFeatures, inFeatures, extreme, perChannel, dtype }) => {
    const [min, max] = RANGES[dtype];
    const scale = fc.double({ min: 1e-3, max: 0.1, noNaN: true });
    const channels = perChannel ? outFeatures : 1;
    const array = <T>(arbitrary: fc.Arbitrary<T>, length: number) =>
      fc.array(arbitrary, { minLength: length, maxLength: length });
    return fc
      .record({
        x: array(byte(dtype, extreme), rows * inFeatures),
        weight: array(byte('int8', extreme), outFeatures * inFeatures),
        weightScale: array(scale, channels),
        weightZeroPoint: options.weightZeroPoints
          ? array(fc.integer({ min: -128, max: 127 }), channels)
          : fc.constant(new Array<number>(channels).fill(0)),
        bias: fc.option(array(fc.double({ min: -20, max: 20, noNaN: true }), outFeatures)),
        xScale: scale,
        xZeroPoint: fc.oneof(fc.constantFrom(min, 0, max), fc.integer({ min, max })),
        yScale: fc.double({ min: 0.01, max: 3, noNaN: true }),
        yZeroPoint: fc.integer({ min, max }),
        activation: fc.constantFrom<'none' | 'relu'>('none', 'relu'),
      })
      .map((v) => {
        const linear: Product = {
          outFeatures,
          inFeatures,
          perChannel,
          weight: Int8Array.from(v.weight),
          weightScale: Float64Array.from(v.weightScale),
          weightZeroPoint: Int32Array.from(v.weightZeroPoint),
          bias: v.bias && Float32Array.from(v.bias),
          biasInt32: null,
          activation: v.activation,
          input: params(dtype, v.xScale, v.xZeroPoint),
          output: params(dtype, v.yScale, v.yZeroPoint),
        };
        const data = dtype === 'int8' ? Int8Array.from(v.x) : Uint8Array.from(v.x);
        return { linear, x: { rows, cols: inFeatures, data } };
      });
  });
}
