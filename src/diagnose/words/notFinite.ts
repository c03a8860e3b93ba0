/** Values that are no numbers. In a file of its own: a verdict says it too, and loads no cause's words for it. */
import { counted, printable } from '../../text.js';
import type { NotFiniteValue } from '../finding/evidence.js';
import { place } from './place.js';

/** "holds NaN (1 value: sample 3, channel 4) and inf (2 values, first at sample 5, channel 1)". */
export function holdingSentence(values: readonly NotFiniteValue[]): string {
  const kind = (name: string, found: NotFiniteValue['nan']) => {
    if (!found) return [];
    const at = found.at ? `, at ${found.at.join(',')}` : '';
    const several = found.values > 1 ? `${counted(found.values, 'value')}, first at ` : '1 value: ';
    return `${name} (${several}${place(found)}${at})`;
  };
  const sides = values.map(({ value, of, nan, inf }) => {
    const what = [kind('NaN', nan), kind('inf', inf)].flat().join(' and ');
    return of === 'input' ? `its input (${printable(value)}) holds ${what}` : `holds ${what}`;
  });
  return sides.join('; ');
}
