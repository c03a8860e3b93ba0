import type { Codes } from '../../nouns/kernel.js';
import type { PatchReading } from '../setup.js';
import type { Scope } from './data.js';
import { patchesOf } from './images.js';
import { mostOf } from './restricted.js';

/** Patches of a scope can be some 100 MB. */
const MOST = 2;

/** Patches that are taken otherwise than declared; the same arrays as long as the same scope asks. */
export class Readings {
  private readonly known = new WeakMap<Scope, Map<string, Codes>>();

  constructor(private readonly ofFloats: boolean) {}

  of(reading: PatchReading, scope: Scope): Codes {
    const known = this.known.get(scope) ?? new Map<string, Codes>();
    this.known.set(scope, known);
    let codes = known.get(reading.name);
    if (!codes) {
      const { channels, taps } = reading;
      // of floats real 0; a code there is told by NaN, as no number is
      const fill = this.ofFloats ? (reading.fill === null ? 0 : Number.NaN) : reading.fill!;
      const data = patchesOf(scope.images!, scope.samples, reading, fill) as Codes['data'];
      codes = { rows: scope.samples.length, cols: taps.taps * channels.length, data };
      if (known.size >= mostOf(MOST, data.length)) known.delete(known.keys().next().value!);
      known.set(reading.name, codes);
    }
    return codes;
  }
}
