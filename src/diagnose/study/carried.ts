import type { SumData } from '../../nouns/kernel.js';
import type { Carried, CarriedRead } from '../setup.js';
import type { Scope } from './data.js';

/** Sums of a scope, [rows, channels], and what each holds beside its own. */
export function withCarried(sums: SumData, { inChannel }: Carried, scope: Scope, read: CarriedRead): SumData {
  const width = sums.length / scope.samples.length;
  const held = sums.slice();
  for (let n = 0; n < width; n++) {
    const own = inChannel(scope.channels?.[n] ?? n, scope.samples, read);
    for (let row = 0, i = n; i < held.length; row++, i += width) held[i] += own[row];
  }
  return held;
}
