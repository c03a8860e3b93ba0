/** Arrays and files that belong to no value of a model. */
import type { Checks } from '../documents/checks.js';
import type { ArrayFile } from '../nouns/array.js';
import { counted, listed, nearest } from '../text.js';
import { PRODUCER } from './producer.js';
import { BATCH_SIZES } from './values.js';

/** They may be misspelt: one warning names them. wanted: values that --map can give one. */
export function warnOfOthers(
  file: ArrayFile,
  used: ReadonlySet<string>,
  checks: Checks,
  wanted: readonly string[] = [],
): void {
  const others = [...file.arrays.keys()].filter((key) => !used.has(key) && key !== BATCH_SIZES && key !== PRODUCER);
  const known = [...file.arrays.keys()].filter((key) => used.has(key)).length;
  const foreign = "; are they another model's?";
  for (const [what, names, maps] of [
    ['array', others, wanted],
    ['file', file.ignored ?? [], []],
  ] as const) {
    if (names.length === 0) continue;
    checks.warn(
      'unknown-array',
      [],
      `${counted(names.length, what)} of no value of the model ignored: ${listed(names)}${mapped(names, maps) || (names.length > known ? foreign : '')}`,
    );
  }
}

/** Of names that can be typed as they are, those nearest to what is missing. */
function mapped(names: readonly string[], wanted: readonly string[]): string {
  const typed = (name: string) => /^[\w.:@-]+$/.test(name);
  const left = wanted.filter(typed).slice(0, MOST_LOOKED_AT);
  const maps: string[] = [];
  for (const mine of names.filter(typed).slice(0, MOST_LOOKED_AT)) {
    const near = nearest(mine, left);
    if (near === null) continue;
    left.splice(left.indexOf(near), 1);
    maps.push(`--map ${mine}=${near}`);
    if (maps.length === MOST_MAPS) break;
  }
  return maps.length === 0 ? '' : `; did you mean ${maps.join(' ')}?`;
}

const MOST_MAPS = 3;
/** Every name is held to every other, letter by letter: 1,500 of either side would take a minute. */
const MOST_LOOKED_AT = 100;
