import type { LintNotChecked } from '../../documents/lint.js';
import type { Layer } from '../../nouns/model.js';
import { NO_RULE, NOT_REPLAYED } from './words.js';

/** Not replayed either, but they only move values: no rule could have anything to say. */
const MOVES_VALUES: ReadonlySet<string> = new Set([
  'flatten',
  'unflatten',
  'reshape',
  'view',
  'squeeze',
  'unsqueeze',
  'permute',
  'transpose',
]);

/** Layers that could lose something and that no rule looks at: silence would read as a clean bill. */
export function notChecked(layers: readonly Layer[]): LintNotChecked[] {
  return layers
    .filter(({ form, op }) => (form === null && !MOVES_VALUES.has(op)) || form?.kind === 'tensor')
    .map(({ name, op, form }) => ({ name, op, why: form === null ? NOT_REPLAYED : NO_RULE }));
}
