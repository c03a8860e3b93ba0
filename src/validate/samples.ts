import type { ArraySource, NumericArray, StoredDtype } from '../nouns/array.js';
import type { CapturedValue } from '../nouns/capture.js';
import type { Shape } from '../nouns/value.js';
import { sizeOf } from '../tensor/shape.js';

/** An array as [samples, ...dims], in the order its numbers have anyway. */
export interface Arrangement {
  readonly samples: number;
  readonly dims: readonly number[];
}

/**
 * The trailing axes that make up `features`; those before them are samples: [N, T, C] is N*T samples, a 1-d array one.
 * null if no trailing axes do. Without `features` the last axis is meant.
 */
export function layoutOfFeatures(shape: readonly number[], features = shape.at(-1) ?? 1): Arrangement | null {
  for (let axis = Math.max(0, shape.length - 1); axis >= 0; axis--) {
    if (sizeOf(shape.slice(axis)) === features) return { samples: sizeOf(shape.slice(0, axis)), dims: [features] };
  }
  return null;
}

/** The leading axes that make up `samples`; the rest are its shape: [N, C, H, W] of a layer that is not replayed. */
export function layoutOfSamples(shape: readonly number[], samples: number): Arrangement | null {
  for (let axis = Math.max(0, shape.length - 1); axis >= 0; axis--) {
    if (sizeOf(shape.slice(0, axis)) === samples) return { samples, dims: shape.slice(axis) };
  }
  return null;
}

/** Samples of an array, a few rows at a time. */
export class SampleReader implements CapturedValue {
  readonly samples: number;
  readonly features: number;
  readonly shape: Shape;
  readonly dtype: StoredDtype;
  /** Of one row of the array; 0 where the array is one sample, or a sample has several rows. */
  private readonly samplesOfRow: number;
  /** Of one sample, where it has several. */
  private readonly rowsOfSample: number;

  constructor(
    private readonly source: ArraySource,
    { samples, shape }: { readonly samples: number; readonly shape: Shape },
  ) {
    this.samples = samples;
    this.shape = shape;
    this.features = sizeOf(shape.dims);
    // Wider or narrower floats stand for float32, which holds them: validation has looked.
    this.dtype = source.dtype.startsWith('float') ? 'float32' : source.dtype;
    this.samplesOfRow = samples === 1 ? 0 : Math.floor(samples / source.shape[0]);
    this.rowsOfSample = samples === 1 ? 0 : source.shape[0] / samples;
  }

  async read(fromSample: number, toSample: number): Promise<NumericArray> {
    const numbers = await this.readRows(fromSample, toSample);
    return this.dtype === 'float32' && numbers instanceof Float64Array ? Float32Array.from(numbers) : numbers;
  }

  private async readRows(fromSample: number, toSample: number): Promise<NumericArray> {
    const { features, samplesOfRow, rowsOfSample } = this;
    if (rowsOfSample > 1) return this.source.read(fromSample * rowsOfSample, toSample * rowsOfSample);
    if (samplesOfRow === 0) return (await this.source.read()).subarray(fromSample * features, toSample * features);
    const firstRow = Math.floor(fromSample / samplesOfRow);
    const rows = await this.source.read(firstRow, Math.ceil(toSample / samplesOfRow));
    const start = firstRow * samplesOfRow;
    return rows.subarray((fromSample - start) * features, (toSample - start) * features);
  }
}

/** The first number that float32 does not hold, or null. Reads the whole array, a few rows at a time. */
export async function firstBeyondFloat32(source: ArraySource): Promise<number | null> {
  const [rows = 1, ...row] = source.shape;
  const rowsAtOnce = Math.max(1, Math.floor((1 << 20) / Math.max(1, sizeOf(row))));
  for (let from = 0; from < rows; from += rowsAtOnce) {
    const numbers = await source.read(from, Math.min(rows, from + rowsAtOnce));
    for (const number of numbers) if (!Object.is(Math.fround(number), number)) return number;
  }
  return null;
}
