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
  for (const [what, names] of [
    ['array', others],
    ['file', file.ignored ?? []],
  ] as const) {
    if (names.length === 0) continue;
    checks.warn(
      'unknown-array',
      [],
      `${counted(names.length, what)} of no value of the model ignored: ${listed(names)}${mapped(names, wanted) || (names.length > known ? foreign : '')}`,
    );
  }
}

/** Of names that can be typed as they are, those nearest to what is missing. */
function mapped(names: readonly string[], wanted: readonly string[]): string {
  const typed = (name: string) => /^[\w.:@-]+$/.test(name);
  const left = wanted.filter(typed);
  const maps = names.filter(typed).flatMap((mine) => {
    const near = nearest(mine, left);
    if (near === null) return [];
    left.splice(left.indexOf(near), 1);
    return [`--map ${mine}=${near}`];
  });
  return maps.length === 0 ? '' : `; did you mean ${maps.slice(0, MOST_MAPS).join(' ')}?`;
}

const MOST_MAPS = 3;
