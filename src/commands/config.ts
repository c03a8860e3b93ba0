import { Command, CommanderError } from 'commander';
import { type ConfigPair, validateConfig } from '../documents/config.js';
import { readJson } from '../load/json.js';
import { refuse } from '../load/refuse.js';
import type { Io } from '../nouns/io.js';
import type { InputError } from '../nouns/problem.js';
import { exists } from './open.js';
import { refusedOption } from './refusedOption.js';

/** What plain `qdiff` reads, in the folder where it is called. */
export const CONFIG_FILE = 'qdiff.config.json';

/** A model of the configuration: its files, and its options as the command line would have them. */
export interface ConfiguredPair<O> {
  readonly name: string;
  readonly model: string;
  readonly capture: string | undefined;
  readonly options: O;
}

/**
 * The pairs of qdiff.config.json, or null where there is none. `declare` puts the options on a command, so that the
 * file's are parsed as the command line's are. Throws InputError with every problem.
 */
export async function configuredPairs<O extends object>(
  io: Io,
  declare: (command: Command) => Command,
): Promise<ConfiguredPair<O>[] | null> {
  if (!(await exists(io, CONFIG_FILE))) return null;
  const { models, ...top } = validateConfig(await readJson(io.fs, CONFIG_FILE), CONFIG_FILE);
  return models.map((pair, i) => {
    const options = parsed<O>({ ...top, ...pair }, declare, `${CONFIG_FILE} models[${i}]`);
    return { name: pair.name, model: pair.model, capture: pair.capture, options };
  });
}

/** Fields that are no options. */
const NOT_OPTIONS = new Set(['$schema', 'format', 'version', 'name', 'model', 'capture']);

function parsed<O>(fields: Partial<ConfigPair>, declare: (command: Command) => Command, where: string): O {
  const argv = Object.entries(fields).flatMap(([field, value]) => (NOT_OPTIONS.has(field) ? [] : words(field, value)));
  const silent = { writeOut: () => {}, writeErr: () => {} };
  const command = declare(new Command()).exitOverride().configureOutput(silent);
  try {
    return command.parse(argv, { from: 'user' }).opts() as O;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw refusal(error.message, where);
  }
}

/** Commander's sentence about an option as ours about the field. */
function refusal(message: string, where: string): InputError {
  const refused = refusedOption(message);
  if (!refused) return refuse('config', where, `expected other options, got ${message.replace(/^error: /, '')}`);
  return refuse('config', `${where}.${refused.flag.slice(2).replaceAll('-', '_')}`, refused.message);
}

/** `tol_lsb: [1, "fc1=2"]` is `--tol-lsb=1 --tol-lsb=fc1=2`; `diagnose: false` is `--no-diagnose`. */
function words(field: string, value: unknown): string[] {
  const flag = field.replaceAll('_', '-');
  if (value === true) return field === 'diagnose' ? [] : [`--${flag}`];
  if (value === false) return field === 'diagnose' ? ['--no-diagnose'] : [];
  const values = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return values.map((one) => `--${flag}=${one}`);
}
