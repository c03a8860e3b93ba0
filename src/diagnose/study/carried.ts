import type { SumData } from '../../nouns/kernel.js';
import { wrapInt32 } from '../../numeric/integer.js';
import type { Carried } from '../setup.js';
import type { Scope } from './data.js';

/** Sums of a scope, [rows, channels], and what each holds beside its own. */
export function withCarried(sums: SumData, { of }: Carried, { samples, channels }: Scope): SumData {
  const width = sums.length / samples.length;
  const held = (i: number) => sums[i] + of(samples[Math.floor(i / width)], channels?.[i % width] ?? i % width);
  return sums instanceof Int32Array ? sums.map((_, i) => wrapInt32(held(i))) : sums.map((_, i) => held(i));
}
