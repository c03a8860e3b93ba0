import type { Command } from 'commander';
import type { Io } from '../nouns/io.js';

/** Everything outside, and the names of all commands: a report ends with the one to type next. */
export interface CommandIo extends Io {
  readonly commands: readonly string[];
}

/** What a command does with its parsed arguments; returns the exit code. */
export type Action = (io: CommandIo) => Promise<number>;

/** One CLI command: declares arguments and options on commander, and hands its action back. */
export interface CliCommand {
  register(program: Command, run: (action: Action) => Promise<void>): void;
}
