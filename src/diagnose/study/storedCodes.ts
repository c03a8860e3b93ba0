/** Codes of a scope's rows, as a setup reads them. */

import type { Codes } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { type CodeMap, mapCodes, type ProductSetup } from '../setup.js';
import type { Scope } from './data.js';

/** Patches of a scope can be some 100 MB. */
const MOST_READINGS = 2;

/** Of what is stored: estimators ask for the codes of each channel by itself. */
const mapped = new WeakMap<Codes['data'], Map<CodeMap, Codes>>();

function readAs(stored: Codes, map: CodeMap | null): Codes {
  if (!map) return stored;
  const known = mapped.get(stored.data) ?? new Map<CodeMap, Codes>();
  mapped.set(stored.data, known);
  const codes = known.get(map) ?? mapCodes(stored, map);
  if (!known.has(map) && known.size >= MOST_READINGS) known.delete(known.keys().next().value!);
  known.set(map, codes);
  return codes;
}

/** Activation codes as a setup reads what is stored of them. */
export function storedCodes(setup: ProductSetup, scope: Scope, stored: Codes): Codes {
  return placed(setup, scope, readAs(stored, setup.reads[0]));
}

/** Patches with holes are summed by where they stand. */
export function placed({ params }: ProductSetup, { samples }: Scope, codes: Codes): Codes {
  const { taps } = params.patch ?? {};
  return taps?.hasHoles ? { ...codes, positions: int32s(samples, (row) => row % taps.positions) } : codes;
}
