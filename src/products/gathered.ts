import type { Codes, Gathered } from '../nouns/kernel.js';

export function isGathered(x: Codes | Gathered): x is Gathered {
  return 'base' in x;
}
