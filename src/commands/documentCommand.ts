import type { Command } from 'commander';
import type { Action, CommandIo } from './command.js';
import { type Open, withOpened } from './open.js';
import { checkTargets, declareOutput, type OutputOptions } from './output.js';

/** What a command that ends in one document was given. */
export interface Given<O extends OutputOptions> {
  readonly io: CommandIo;
  readonly modelPath: string;
  readonly capturePath: string | undefined;
  readonly options: O;
  /** What it opens is closed, whatever happens. */
  readonly open: Open;
}

/** Adds the options of the output, and runs the action on a file or two. */
export function documentCommand<O extends OutputOptions>(
  command: Command,
  run: (action: Action) => Promise<void>,
  action: (given: Given<O>) => Promise<number>,
): void {
  declareOutput(command).action((...args: unknown[]) => {
    const [modelPath, capturePath] = args.slice(0, -2) as [string, string?];
    const options = args.at(-2) as O;
    return run((io) =>
      withOpened((open) => {
        checkTargets(options.reporter);
        return action({ io, modelPath, capturePath, options, open });
      }),
    );
  });
}
