import type { Shape } from '../../nouns/value.js';
import { dimsText } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { RawLayer } from '../op.js';

/** What the first input has to be; fix: what to do where it is not; also: what only some kernels take. */
export function expectInput(
  { inputs: [input], place, checks }: RawLayer,
  dtypes: readonly string[],
  fix: string,
  also: readonly string[] = [],
): void {
  if (!input?.params || [...dtypes, ...also].includes(input.params.dtype)) return;
  const got = `got ${printable(input.name)}, which is ${input.params.dtype}; ${fix}`;
  checks.problem('input-dtype', [...place, 'input'], `expected a ${dtypes.join(' or ')} value, ${got}`);
}

/** "fc1 [2, 16]", of what a layer reads. */
export function shapedText({ name, shape }: { readonly name: string; readonly shape: Shape }): string {
  return `${printable(name)} ${dimsText(shape.dims)}`;
}
