import type { LintNotChecked } from '../../documents/lint.js';
import type { Layer } from '../../nouns/model.js';
import { opByName } from '../../ops/named.js';
import { NO_RULE, NOT_REPLAYED } from './words.js';

/** Layers that could lose something and that no rule looks at: silence would read as a clean bill. */
export function notChecked(layers: readonly Layer[]): LintNotChecked[] {
  return layers
    .filter(({ form, op }) => (form === null && !opByName(op)?.movesValues) || form?.kind === 'tensor')
    .map(({ name, op, form }) => ({ name, op, why: form === null ? NOT_REPLAYED : NO_RULE }));
}
