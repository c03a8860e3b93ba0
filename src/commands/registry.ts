import type { CliCommand } from './command.js';
import { compareCommand } from './compare.js';

/** The commands, in the order of the help. */
export const commands: readonly CliCommand[] = [compareCommand];
