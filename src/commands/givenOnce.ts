import type { Command } from 'commander';
import { InputError } from '../nouns/problem.js';
import { given } from '../text.js';

/** Of an option with one value the last one would count, silently: two that differ are a mistake, such as two candidates. */
export function givenOnce(command: Command): void {
  for (const option of command.options) {
    if (!option.required || option.description.includes('(repeatable')) continue;
    let before: string | undefined;
    command.on(`option:${option.name()}`, (value: string) => {
      if (before !== undefined && before !== value) {
        const message = `expected one value, got ${given(before)} and ${given(value)}`;
        throw new InputError([{ kind: 'usage', where: option.long ?? option.flags, message }]);
      }
      before = value;
    });
  }
}
