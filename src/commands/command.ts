import type { Command } from 'commander';
import type { Io } from '../nouns/io.js';

/** What a command does with its parsed arguments; returns the exit code. */
export type Action = (io: Io) => Promise<number>;

/** One CLI command: declares arguments and options on commander, and hands its action back. */
export interface CliCommand {
  register(program: Command, run: (action: Action) => Promise<void>): void;
}
