import type { Command } from 'commander';
import { kernels } from '../kernels/registry.js';
import type { Io } from '../nouns/io.js';
import type { CliCommand, CommandIo } from './command.js';
import { declareComparison, type Options } from './compareOptions.js';
import { comparePairs, type Pair } from './comparePairs.js';
import { usage } from './open.js';

/** The main job: `qdiff MODEL CAPTURE`, `qdiff CAPTURE` for the hook dictionary. */
export const compareCommand: CliCommand = {
  register(program, run) {
    const command = program.command('diff [model] [capture]', { isDefault: true });
    command
      .usage('MODEL CAPTURE [options]')
      .description('compare a capture with the replay of its model (the main job; also `qdiff MODEL CAPTURE`)');
    declareComparison(command).action(
      (model: string | undefined, capture: string | undefined, options: Options, command: Command) =>
        run((io) => compareAction(io, model, capture, options, givenOf(options, command))),
    );
  },
};

async function compareAction(
  io: CommandIo,
  model: string | undefined,
  capture: string | undefined,
  options: Options,
  given: Partial<Options>,
): Promise<number> {
  if (options.kernel === 'list') {
    io.stdout.write(kernels.map(({ name, runsOn }) => `${name.padEnd(22)} ${runsOn}\n`).join(''));
    return 0;
  }
  const pairs =
    model === undefined ? await pairsOfConfig(io, given) : [{ name: model, model, capture, options: { ...options } }];
  return comparePairs(io, pairs);
}

/** What the command line says, without its defaults: it wins over the file. */
function givenOf(options: Options, command: Command): Partial<Options> {
  const given = Object.entries(options).filter(([name]) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given);
}

async function pairsOfConfig(io: Io, given: Partial<Options>): Promise<Pair[]> {
  const { CONFIG_FILE, configuredPairs } = await import('./config.js');
  const pairs = await configuredPairs<Options>(io, declareComparison);
  if (pairs) return pairs.map((pair) => ({ ...pair, options: { ...pair.options, ...given } }));
  throw usage(
    `expected MODEL and CAPTURE, got nothing, and there is no ${CONFIG_FILE}; e.g. qdiff model.json capture.npz`,
  );
}
