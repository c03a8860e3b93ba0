import { Command, CommanderError, Help } from 'commander';
import type { Action } from './commands/command.js';
import { givenOnce } from './commands/givenOnce.js';
import { instead } from './commands/guessedOption.js';
import { refusedOption } from './commands/refusedOption.js';
import { type CommandRow, commands, MAIN_COMMAND } from './commands/registry.js';
import { columnsOf } from './commands/width.js';
import { isOutOfFiles, unreadable, withNearestName } from './load/refuse.js';
import type { Io } from './nouns/io.js';
import { InputError, type Problem } from './nouns/problem.js';
import { problemLines } from './report/problems.js';
import { shellCommand } from './report/words/next.js';
import { fitted, harmlessInLog, nearest, printable } from './text.js';
import { version } from './version.js';

const REPORT_TO = 'https://github.com/qdiff/qdiff/issues';

/** Words of a usage line, as a newcomer asks for them. */
const FILES: readonly (readonly [word: string, what: string])[] = [
  ['MODEL', 'model.json (of qdiff exporter), .onnx, .tflite'],
  [
    'CAPTURE',
    'npz: what each layer gave when the model ran (of\n           qdiff run, or the Python file of qdiff exporter)',
  ],
  ['INPUTS', 'what the model reads: npz; npy of one input'],
];

function filesOf(usage: string): string {
  const named = FILES.filter(([word]) => new RegExp(`\\b${word}\\b`).test(usage));
  return named.length === 0
    ? ''
    : `\nFiles:\n${named.map(([word, what]) => `  ${word.padEnd(7)}  ${what}\n`).join('')}`;
}

const USAGE = 'MODEL CAPTURE [options]\n       qdiff COMMAND [arguments] [options]';

/** What one wants to know first; every option stands in the help of its command. */
const AFTER_HELP = `${filesOf(USAGE)}
Example:
  qdiff model.json capture.npz --candidate mine.npz

Options of a comparison (all: qdiff diff --help):
  --candidate NPZ|DIR    your own implementation's values
  --kernel NAME          what is replayed (qdiff kernels)
  --mode propagated      layers on the replay's outputs
  --reporter NAME[=FILE] table, json, junit, markdown, html
  --baseline FILE        accept what was recorded
  -v, -q                 everything; only the verdict

Exit codes:
  0  every compared value is equal, or accepted
  1  a layer differs; lint: a finding; diff-reports: worse
  2  could not run: a line a problem on standard error
`;

/** Runs one command in-process; returns the exit code of CLI's table (0, 1, 2, 70). */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const run = async (action: Action) => {
    exitCode = await action({ ...io, commands: commands.map(({ name }) => name) });
  };
  const program = new Command('qdiff')
    .usage(USAGE)
    .description('Compares quantized inference integer by integer, and says why it differs.')
    .addHelpText('after', AFTER_HELP)
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(usageError(text, argv, optionsOf(program, argv))),
      getOutHelpWidth: () => columnsOf(io),
      getErrHelpWidth: () => columnsOf(io),
    })
    .configureHelp({ minWidthToWrap: 20, formatItem: itemOfHelp }) // of 80 columns the longest command leaves 38
    .showHelpAfterError('(qdiff --help lists commands and options)');
  const unknown = unknownHelp(argv);
  if (unknown !== null) {
    io.stderr.write(`${fitted(`qdiff: ${unknown}`)}\n`);
    return 2;
  }
  for (const row of commands) {
    if (!isCalled(row.name, argv)) continue;
    (await row.load()).register(program, run);
    const command = program.commands.at(-1)!;
    givenOnce(command);
    command
      .addHelpText('after', `${filesOf(command.usage())}${helpAfter(row)}`)
      .showHelpAfterError(`(qdiff ${row.name} --help lists its options)`);
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return await exitCodeOf(isOutOfFiles(error) ? unreadable(error.path ?? 'files', error) : error, argv, io);
  }
}

/** An example, and what the exit codes mean. */
function helpAfter({ name, example, ends }: CommandRow): string {
  const codes = [
    ...ends.map((what, code) => `  ${code}  ${what}`),
    '  2  could not run: on standard error a line a problem',
  ];
  const command = name === MAIN_COMMAND ? 'qdiff' : `qdiff ${name}`;
  return `\nExample:\n  ${command} ${example}\n\nExit codes:\n${codes.join('\n')}\n`;
}

/** On a narrow terminal what an option does stands below it. */
function itemOfHelp(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? 80;
  if (description === '' || width - termWidth - 4 >= 24) {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  const lines = helper.boxWrap(description, Math.max(width - 6, 20)).split('\n');
  return [`  ${term}`, ...lines.map((line) => `      ${line}`)].join('\n');
}

/** Commander answers help about what is no command with help about all, as an error. */
function unknownHelp([word, about]: readonly string[]): string | null {
  const names = commands.map(({ name }) => name);
  if (word !== 'help' || about === undefined || /^-./.test(about) || [...names, 'help'].includes(about)) return null;
  return `expected a command after help (${names.join(', ')}), got ${printable(about)}`;
}

/** Whether a command can be meant: help is about all of them. */
function isCalled(name: string, argv: readonly string[]): boolean {
  return name === MAIN_COMMAND || argv.some((word) => word === name || HELP.has(word));
}

const HELP = new Set(['help', '--help', '-h']);

/** Where what is in a file is not what was expected, the command that shows it; what cannot be read at all shows nothing. */
function nextAfter(problems: readonly Problem[], argv: readonly string[]): string | null {
  const inFile =
    (file: string) =>
    ({ kind, where }: Problem) =>
      MISFITS.has(kind) && where.startsWith(printable(file));
  const file = argv.find((word) => !word.startsWith('-') && !word.endsWith('.json') && problems.some(inFile(word)));
  return file === undefined || argv[0] === 'inspect' ? null : shellCommand(['qdiff', 'inspect', file]);
}

/** Kinds of problems of arrays that can be read. */
const MISFITS = new Set(['nothing-to-compare', 'channels', 'samples', 'dtype', 'map', 'empty', 'batch-sizes', 'range']);

/** Commander's words, which hold what was typed, and its suggestion on a line of its own. */
function usageError(text: string, argv: readonly string[], options: readonly string[]): string {
  const [, message, hint = ''] = /^error: (.*?)(\n\(Did you mean [^\n]*\))?\n?$/s.exec(text) ?? ['', text];
  const misspelt = misspeltCommand(argv);
  if (misspelt) return `${fitted(`qdiff: ${misspelt}`)}\n`;
  const guess = guessed(message, argv, options);
  if (guess) return `${fitted(`qdiff: ${guess}`)}\n`;
  return `${fitted(`qdiff: ${inOurWords(printable(message))}`)}${hint}\n`;
}

/** Of the command that is called, `--` and a name. */
function optionsOf(program: Command, [name]: readonly string[]): string[] {
  const called = (own: string) => program.commands.find((command) => command.name() === own);
  const command = (name !== undefined && called(name)) || called(MAIN_COMMAND);
  return (command?.options ?? []).flatMap(({ long }) => long ?? []);
}

/** Of an option as other tools have it, what is meant: better than the name that looks most like it, but not than one that begins alike. */
function guessed(
  message: string,
  [command = '', ...rest]: readonly string[],
  options: readonly string[],
): string | null {
  const [, got] = /^unknown option '(.*)'$/s.exec(message) ?? [];
  if (got === undefined) return null;
  const expected = 'expected an option of this command, got';
  const similar = got.length < 5 ? undefined : options.find((own) => own.startsWith(got) || got.startsWith(own));
  if (similar !== undefined) return `${expected} '${printable(got)}'; did you mean ${similar}?`;
  // of -json commander takes the -j away
  const typed = [command, ...rest].find(
    (word) => word === got || (/^-[a-z]{2}/.test(word) && word.endsWith(got.slice(1))),
  );
  const fix = typed === undefined ? null : instead(typed, options);
  return fix && `${expected} '${printable(typed!)}'; ${fix}`;
}

/** Commander's messages in the form of all others: what was expected, what was got. */
const OUR_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^unknown option (.*)$/, 'expected an option of this command, got $1'],
  [/^unknown command (.*)$/, 'expected a command, got $1'],
  [/^missing required argument (.*)$/, 'expected argument $1, got none'],
  [/^required option (.*) not specified$/, 'expected option $1, got none; e.g. -o golden'],
  [/^option (.*) argument missing$/, 'expected a value after $1, got none'],
  [
    /^too many arguments for 'diff'\. Expected 2 arguments but got (\d+)\.$/,
    'expected MODEL and CAPTURE, got $1 files; your own values go after --candidate',
  ],
  [/^too many arguments for '(.*)'\. Expected 1 argument but got (\d+)\.$/, 'expected one argument after $1, got $2'],
  [
    /^too many arguments for '(.*)'\. Expected (\d+) arguments but got (\d+)\.$/,
    'expected at most $2 arguments after $1, got $3',
  ],
];

function inOurWords(message: string): string {
  const refused = refusedOption(message);
  if (refused) return `${refused.flag}: ${refused.message}`;
  for (const [pattern, words] of OUR_WORDS) if (pattern.test(message)) return message.replace(pattern, words);
  return /expected /i.test(message) ? message : `expected other arguments: ${message}`;
}

const ALL_COMMANDS = `(commands: ${commands.map(({ name }) => name).join(', ')})\n`;

/** What other tools call a command of ours. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['compare', 'diff'],
  ['check', 'lint'],
  ['info', 'inspect'],
  ['show', 'inspect'],
  ['why', 'explain'],
]);

/** A word where a command may stand that is no file's name: commander takes it for a model. */
function misspeltCommand([word = '']: readonly string[]): string | null {
  const names = commands.map(({ name }) => name);
  if (!/^[a-z][a-z-]*$/i.test(word) || names.includes(word)) return null;
  const near = OTHER_NAMES.get(word.toLowerCase()) ?? nearest(word, names);
  return near && `expected a command, or MODEL and CAPTURE, got ${word}; did you mean ${near}?`;
}

async function exitCodeOf(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  if (error instanceof CommanderError) {
    // a misspelt command is taken for a model
    if (error.code === 'commander.excessArguments') io.stderr.write(ALL_COMMANDS);
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof InputError) {
    const misspelt = misspeltCommand(argv);
    const isThere = await io.fs.isFile(argv[0] ?? '').then(
      () => true,
      () => false,
    );
    if (misspelt && !isThere) {
      io.stderr.write(`${fitted(`qdiff: ${misspelt}`)}\n${ALL_COMMANDS}`);
      return 2;
    }
    const inActions = io.env.GITHUB_ACTIONS === 'true';
    const problems = await Promise.all(error.problems.map((problem) => withNearestName(problem, argv, io.fs)));
    const lines = problemLines(problems);
    const next = nextAfter(error.problems, argv);
    lines.forEach((line, i) => {
      const whole = next !== null && i === lines.length - 1 ? `${fitted(line, 200)} (next: ${next})` : line;
      const shown = fitted(printable(`qdiff: ${whole}`)); // a reason holds names; what is printable stays as it is
      io.stderr.write(`${inActions ? harmlessInLog(shown) : shown}\n`);
    });
    return 2;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const verbose = argv.includes('-v') || argv.includes('--verbose');
  io.stderr.write(
    `qdiff: a defect of qdiff ${version}: ${fitted(printable(message), 150)}; please report it at ${REPORT_TO}\n`,
  );
  if (verbose) io.stderr.write(`${stack}\n`);
  return 70;
}
