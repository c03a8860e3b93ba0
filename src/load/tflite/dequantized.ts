import type { ArraySource, NumericArray } from '../../nouns/array.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';

/** Of a tensor, or one a channel of an axis. */
export interface StoredScales {
  readonly scale: number | ArraySource;
  readonly zeroPoint: number | ArraySource;
  /** Of the codes' own shape. */
  readonly axis: number;
}

/** Codes of a .tflite as the reals that DEQUANTIZE makes of them: f32(scale * (code - zero_point)). */
export class DequantizedArray implements ArraySource {
  readonly key: string;
  readonly dtype = 'float32';
  readonly shape: readonly number[];

  constructor(
    private readonly codes: ArraySource,
    private readonly scales: StoredScales,
  ) {
    this.key = codes.key;
    this.shape = codes.shape;
  }

  async read(fromRow = 0, toRow = this.shape[0] ?? 1): Promise<NumericArray> {
    const { axis } = this.scales;
    const [scale, zeroPoint] = [await numbersOf(this.scales.scale), await numbersOf(this.scales.zeroPoint)];
    const codes = await this.codes.read(fromRow, toRow);
    const first = fromRow * sizeOf(this.shape.slice(1));
    const [channels, places] = [this.shape[axis] ?? 1, sizeOf(this.shape.slice(axis + 1))];
    return float32s(codes, (code, i) => {
      const channel = floor((first + i) / places) % channels;
      return f32(scale(channel) * (code - zeroPoint(channel)));
    });
  }
}

async function numbersOf(numbers: number | ArraySource): Promise<(channel: number) => number> {
  if (typeof numbers === 'number') return () => numbers;
  const each = await numbers.read();
  return (channel) => each[channel];
}
