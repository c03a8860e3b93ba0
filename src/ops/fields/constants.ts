/** Constants of a layer by names of their own, of a width that its runtime reads them in. */
import type { NamedArrays, NumericArray } from '../../nouns/array.js';
import { sizeOf } from '../../tensor/shape.js';
import type { RawLayer } from '../op.js';
import { codesRule, FLOAT32, loadNumbers, type NumberRule, numberField } from './numbers.js';

const STORED = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
} as const;
export type ConstantDtype = keyof typeof STORED;

interface Constant {
  readonly count: number;
  read(): Promise<NumericArray>;
}

/** Collected while a layer is read; numbers that are stored as they are needed are read when its turn comes. */
export class Constants {
  private readonly known = new Map<string, Constant>();

  constructor(private readonly layer: RawLayer) {}

  /** How many there are; null where `raw` is none, undefined after a problem. */
  async add(
    name: string,
    raw: unknown,
    dtype: ConstantDtype,
    path: readonly string[],
    rule: NumberRule = dtype === 'float32' ? FLOAT32 : codesRule(dtype),
  ): Promise<number | null | undefined> {
    if (raw === undefined || raw === null) return null;
    const { place, checks, arrays } = this.layer;
    const field = numberField(raw, [...place, ...path], checks, arrays);
    if (!field) return undefined;
    if (field.dtype === dtype && dtype !== 'float32')
      return this.keep(name, { count: sizeOf(field.shape), read: () => field.load() });
    const numbers = await loadNumbers(field, rule, checks);
    if (!numbers) return undefined;
    const own = STORED[dtype].from(numbers);
    return this.keep(name, { count: own.length, read: async () => own });
  }

  async read(): Promise<NamedArrays> {
    const all: Record<string, NumericArray> = {};
    for (const [name, constant] of this.known) all[name] = await constant.read();
    return all;
  }

  private keep(name: string, constant: Constant): number {
    this.known.set(name, constant);
    return constant.count;
  }
}
