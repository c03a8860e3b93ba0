import { normalize } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Io, OutputStream } from '../nouns/io.js';
import { InputError } from '../nouns/problem.js';
import type { Report } from '../nouns/report.js';
import { jsonText, writeJson } from '../report/json.js';
import { reporters } from '../report/registry.js';
import type { Format, Formats, ReportOptions, Run } from '../report/reporter.js';
import { NO_INK } from '../report/terminal/ink.js';
import { harmlessInLog, printable } from '../text.js';
import type { CommandIo } from './command.js';
import { usage } from './open.js';
import { collect, parseChannels } from './options.js';
import { unwritable } from './unwritable.js';
import { columnsOf } from './width.js';

/** `json`: to standard output; `json=report.json`: to a file. */
export interface ReporterTarget {
  readonly name: string;
  readonly file: string | null;
}

/** What of the options concerns the look of a report. */
export interface OutputOptions {
  readonly reporter?: readonly ReporterTarget[];
  readonly channels?: number;
  readonly sort?: 'graph' | 'worst';
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

const parseReporter = reporterAmong(reporters);

/** Text for people, and the document itself as JSON: what every command but the main one offers. */
export function formatsOf<D extends object>(text: (document: D, options: ReportOptions) => string): Formats<D> {
  return new Map<string, Format<D>>([
    ['table', { load: async () => text }],
    ['json', { load: async () => (document) => jsonText(document), write: writeJson, forMachines: true }],
  ]);
}

/** The options that every command has. */
export function declareOutput(command: Command): Command {
  const parse = reporterAmong(formatsOf(() => ''));
  return command
    .option('--reporter <name[=file]>', 'table (default), json (repeatable)', (name, before: ReporterTarget[] = []) => [
      ...before,
      parse(name),
    ])
    .option('--no-color', 'no colour, also on a terminal')
    .option('-v, --verbose', 'everything, and the stack of a defect');
}

/** How reports of comparisons are shown. */
export function declareReports(command: Command): Command {
  return command
    .option(
      '--reporter <name[=file]>',
      `${[...reporters.keys()].join(', ')} (repeatable; default table)`,
      collect(parseReporter),
    )
    .option('--channels <n|all>', 'differing channels listed for a layer, worst first', parseChannels)
    .addOption(new Option('--sort <order>', 'order of the layers').choices(['graph', 'worst']).default('graph'))
    .option('--no-color', 'no colour, also on a terminal')
    .option('-q, --quiet', 'verdict and problems only')
    .option('-v, --verbose', "every layer's channels, the time, resolved settings");
}

function reporterAmong(formats: Formats<never>): (text: string) => ReporterTarget {
  return (text) => parseTarget(text, formats);
}

function parseTarget(text: string, formats: Formats<never>): ReporterTarget {
  const split = text.indexOf('=');
  const name = split < 0 ? text : text.slice(0, split);
  const file = split < 0 ? null : text.slice(split + 1);
  if (!formats.has(name)) {
    throw new InvalidArgumentError(`Expected one of ${[...formats.keys()].join(', ')}, got ${printable(name)}.`);
  }
  if (file === '') throw new InvalidArgumentError(`Expected a file name after ${name}=.`);
  return { name, file };
}

/** A hundred kilobytes that nobody reads on a screen. */
const FOR_FILES: ReadonlyMap<string, string> = new Map([
  ['html', 'qdiff.html'],
  ['blob', 'qdiff.blob'],
]);

/** Only one report may go to standard output or to a file, and to none that is read. Checked before work starts. */
export function checkTargets(
  targets: readonly ReporterTarget[] = [],
  inputs: readonly string[] = [],
  isTerminal = false,
): void {
  const read = new Set(inputs.map(normalize));
  const overwritten = targets.find(({ file }) => file !== null && read.has(normalize(file)))?.file;
  if (overwritten) {
    throw usage(`expected a file to write, got ${printable(overwritten)}, which is read; name another`, '--reporter');
  }
  const files = targets.flatMap(({ file }) => (file === null ? [] : [normalize(file)]));
  const doubled = files.find((file, i) => files.indexOf(file) < i);
  if (doubled !== undefined) {
    throw usage(`expected a file of its own for each report, got ${printable(doubled)} twice`, '--reporter');
  }
  const toStdout = targets.filter(({ file }) => file === null).map(({ name }) => name);
  const forFiles = toStdout.find((name) => FOR_FILES.has(name));
  if (isTerminal && forFiles) {
    const message = `expected a file for ${forFiles}, got a terminal; e.g. --reporter ${forFiles}=${FOR_FILES.get(forFiles)}`;
    throw usage(message, '--reporter');
  }
  if (toStdout.length < 2) return;
  const message = `expected one reporter for standard output, got ${toStdout.join(', ')}; give the others a file, e.g. ${toStdout[1]}=report.txt`;
  throw usage(message, '--reporter');
}

/** Replaces a file as a whole; what the operating system says becomes an InputError. */
export function writeOutput(io: Io, path: string, text: string): Promise<void> {
  return written(path, io.writeFile(path, text));
}

/** What the operating system says becomes an InputError. */
export async function written(path: string, writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const message = unwritable('a file that can be written', code, 'check that its folder may be written to');
    throw new InputError([{ kind: 'unwritable', where: printable(path), message }]);
  }
}

/** Writes the comparison of one model or several in every format that is asked for; in GitHub Actions, there too. */
export async function writeReports(
  io: CommandIo,
  runs: readonly Run[],
  options: OutputOptions,
  settings: ReportOptions['settings'],
): Promise<void> {
  const resolved = { settings, repeated: repeatedIn(runs), again: runs[0].again };
  await writeDocument(io, runs, reporters, options, resolved);
  if (inGitHubActions(io)) await writeToGitHub(io, runs, options, resolved);
}

/** Formats show copies of a report: it is known by its files. */
function repeatedIn(runs: readonly Run[]): (report: Report) => readonly string[] {
  const key = ({ model, capture, candidate }: Report) => JSON.stringify([model, capture, candidate]);
  const words = new Map(runs.map(({ report, repeated = [] }) => [key(report), repeated]));
  return (report) => words.get(key(report)) ?? [];
}

function inGitHubActions({ env }: Io): boolean {
  return env.GITHUB_ACTIONS === 'true';
}

/** The step summary, after what is in it; annotations on standard error, unless they were asked for elsewhere. */
async function writeToGitHub(
  io: CommandIo,
  runs: readonly Run[],
  options: OutputOptions,
  resolved: Resolved,
): Promise<void> {
  const { githubActions, stepSummary } = await import('../report/githubActions.js');
  const look = { ...(await lookOf(options, null, io)), ...resolved };
  if (!options.reporter?.some(({ name }) => name === 'github-actions')) io.stderr.write(githubActions(runs, look));
  const path = io.env.GITHUB_STEP_SUMMARY;
  if (!path) return;
  const before = await sizeOf(io, path);
  await written(path, io.appendFile(path, stepSummary(runs, look, before)));
}

async function sizeOf(io: Io, path: string): Promise<number> {
  const file = await io.fs.open(path).catch(() => null); // appending says what is wrong with it
  await file?.close();
  return file?.size ?? 0;
}

/** What the command knows besides what was asked for. */
type Resolved = Pick<ReportOptions, 'settings' | 'repeated' | 'again'>;

/** Every format to its file or to standard output; the table where nothing is asked for. */
export async function writeDocument<D>(
  io: CommandIo,
  document: D,
  formats: Formats<D>,
  options: OutputOptions,
  resolved: Resolved = {},
): Promise<void> {
  const targets = options.reporter ?? [{ name: 'table', file: null }];
  for (const { name, file } of targets.filter((target) => target.file !== null)) {
    const format = formats.get(name)!;
    const look = { ...(await lookOf(options, null, io)), ...resolved, ...(await pageOf(io, format)) };
    await writeOutput(io, file!, (await format.load(document))(document, look));
  }
  for (const { name } of targets.filter((target) => target.file === null)) {
    const format = formats.get(name)!;
    if (format.write) {
      format.write(document, (piece) => io.stdout.write(piece));
      continue;
    }
    const look = { ...(await lookOf(options, io.stdout, io)), ...resolved, ...(await pageOf(io, format)) };
    const text = (await format.load(document))(document, look);
    io.stdout.write(inGitHubActions(io) && !format.forMachines ? harmlessInLog(text) : text);
  }
}

/** The page that a format fills. */
async function pageOf(io: Io, { page }: Format<never>): Promise<Pick<ReportOptions, 'page'>> {
  return page === undefined ? {} : { page: await io.readAsset(page) };
}

async function lookOf(options: OutputOptions, stream: OutputStream | null, io: CommandIo): Promise<ReportOptions> {
  const level = stream && options.color ? colorLevel(stream, io) : 0;
  return {
    ...(options.channels === undefined ? {} : { channels: options.channels }),
    sort: options.sort ?? 'graph',
    verbosity: options.quiet ? 'quiet' : options.verbose ? 'verbose' : 'normal',
    ink: level === 0 ? NO_INK : (await import('../report/terminal/colours.js')).coloursOf(level),
    width: columnsOf(io, stream),
    unicode: hasUnicode(io),
    commands: io.commands,
  };
}

/** 0: none. NO_COLOR, CLICOLOR=0 and FORCE_COLOR as their conventions say; otherwise colour only on a terminal. */
function colorLevel(stream: OutputStream, { env }: Io): 0 | 1 | 2 | 3 {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== '') {
    if (forced === '0' || forced === 'false') return 0;
    return forced === '2' ? 2 : forced === '3' ? 3 : 1;
  }
  if ((env.NO_COLOR !== undefined && env.NO_COLOR !== '') || env.CLICOLOR === '0') return 0;
  if (!stream.isTTY || env.TERM === 'dumb') return 0;
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 3;
  return env.TERM?.includes('256') ? 2 : 1;
}

/** A UTF-8 locale, as terminals and CI logs have; LANG=C means ASCII. */
export function hasUnicode({ env }: Io): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
}
