/** What counts as a fault of one run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Case } from './cases.js';
import { checkHtml, checkJunit, checkMarkdown } from './documents.js';
import { type Result, root } from './io.js';

export interface Fault {
  readonly kind: string;
  readonly detail: string;
}

export type Report = (kind: string, detail: unknown) => void;

/** What may steer a terminal, turn the direction of text, or is no character. */
export const CONTROL =
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ue000-\uf8ff]|\p{Cs}|[\u{e0000}-\u{e0fff}]|[\u{f0000}-\u{10ffff}]/u;

/** A message is a line for people. */
const LONGEST_LINE = 300;

export function around(text: string, at: number): string {
  return JSON.stringify(text.slice(Math.max(0, at - 80), at + 80));
}

export function faultsOf(one: Case, result: Result): Fault[] {
  const faults: Fault[] = [];
  const report: Report = (kind, detail) => void faults.push({ kind, detail: String(detail).slice(0, 600) });
  const { code, stderr, open } = result;
  if (code === 70) report('exit-70', stderr);
  else if (![0, 1, 2].includes(code)) report('exit-code', `${code}: ${stderr}`);
  if (open > 0) report('file-left-open', `${open} files`);
  const control = CONTROL.exec(plain(one, stderr));
  if (control) report('control-in-stderr', around(stderr, stderr.indexOf(control[0])));
  if (code === 2) checkRefusal(one, result, report);
  if (code === 0 || code === 1) checkOutput(one, result, report);
  return faults;
}

/** Without the colours that were asked for. */
function plain({ terminal, env }: Case, text: string): string {
  return terminal !== undefined || env.FORCE_COLOR ? text.replaceAll(/\x1b\[[0-9;]*[mK]|\r/g, '') : text;
}

const HELP = /^(help|--help|-h|--version|-V|list)$/;

function checkRefusal({ argv, env, files }: Case, { stdout, stderr, written }: Result, report: Report): void {
  if (stdout !== '') report('stdout-on-2', stdout);
  if (written.size > 0) report('written-on-2', [...written.keys()]);
  const lines = stderr.trimEnd().split('\n');
  if (lines[0] === '') report('silent-2', argv.join(' '));
  if (lines.length > 120) report('many-lines', lines.length);
  const long = lines.find((line) => line.length > LONGEST_LINE);
  if (long) report('long-line', `${long.slice(0, 120)}... (${long.length} characters)`);
  const isOurs = (line: string) => /^(qdiff: |\(|Did you mean)/.test(line);
  const odd = lines.find((line) => line !== '' && !isOurs(line) && !(env.GITHUB_ACTIONS && line.startsWith('::')));
  if (odd !== undefined) report('odd-line', odd);
  const vague = lines.find(
    (line) => line.startsWith('qdiff: ') && !/expected |cannot be read|more problems of/i.test(line),
  );
  if (vague) report('message-form', vague);
  const words = /\[object|\b(Type|Range|Syntax)Error\b|Cannot read prop|\bundefined\b(?!")/.exec(stderr);
  const isQuoted = [...argv, ...files.values()].some((data) => data.includes('undefined'));
  if (words && !isQuoted) report('message-words', around(stderr, words.index));
}

interface Written {
  readonly format: string;
  readonly text: string;
}

function checkOutput(one: Case, result: Result, report: Report): void {
  const { argv, env } = one;
  if (argv.some((word) => HELP.test(word))) return;
  for (const { format, text } of documentsOf(one, result)) {
    const control = format === 'html' ? null : CONTROL.exec(text);
    if (control) report(`control-in-${format}`, around(text, control.index));
    if (text === '' && !argv.includes('-q') && format !== 'github-actions') report('empty-output', format);
    CHECKS.get(format)?.(text, report, result.code);
    const command = env.GITHUB_ACTIONS && format === 'table' ? /^\s*::|##\[/m.exec(text) : null;
    if (command) report('github-command', around(text, command.index));
  }
}

function documentsOf(one: Case, { stdout, written }: Result): Written[] {
  const targets = one.argv.flatMap((word, i) => (word === '--reporter' ? [String(one.argv[i + 1])] : []));
  const names = targets.filter((target) => !target.includes('='));
  const files = targets.flatMap((target) => {
    const [name, file] = target.split('=');
    return file !== undefined && written.has(file) ? [{ format: name, text: String(written.get(file)) }] : [];
  });
  const others = [...written]
    .filter(([path]) => /^(out|f|repro)\/.*\.json$|^(new|base)\.json$/.test(path))
    .map(([, text]) => ({ format: 'json', text: String(text) }));
  const isCsv = one.argv[one.argv.indexOf('--format') + 1] === 'csv';
  const text = isCsv ? plain(one, stdout).replaceAll('\r\n', '\n') : plain(one, stdout);
  const format = names[0] ?? (text.startsWith('{') ? 'json' : 'table');
  return [...files, ...others, ...(names.length === 1 || targets.length === 0 ? [{ format, text }] : [])];
}

const CHECKS = new Map<string, (text: string, report: Report, code: number) => void>([
  ['json', checkJson],
  ['blob', checkJson],
  ['html', checkHtml],
  ['junit', checkJunit],
  ['markdown', checkMarkdown],
  [
    'github-actions',
    (text, report) => {
      const odd = text.split('\n').find((line) => line !== '' && !/^::(error|notice|warning) /.test(line));
      if (odd !== undefined) report('github-line', odd);
    },
  ],
]);

const validators = new Map<string, (value: unknown) => string | null>();

function validatorOf(format: string): ((value: unknown) => string | null) | undefined {
  if (validators.size === 0) {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, code: { optimize: false } }); // seconds of every process
    for (const file of readdirSync(join(root, 'dist/schemas'))) {
      const validate = ajv.compile(JSON.parse(readFileSync(join(root, 'dist/schemas', file), 'utf8')));
      validators.set(file.replace('.schema.json', ''), (value) =>
        validate(value) ? null : ajv.errorsText(validate.errors),
      );
    }
  }
  return validators.get(format);
}

function checkJson(text: string, report: Report, code: number): void {
  let value: { format?: string; reports?: { report: ReportJson }[] };
  try {
    value = JSON.parse(text);
  } catch (error) {
    report('not-json', `${error}: ${text.slice(0, 200)}`);
    return;
  }
  const wrong = validatorOf(String(value.format))?.(value);
  if (wrong) report('schema', `${value.format}: ${wrong}`);
  if (value.format === 'qdiff-report') checkReport(value as unknown as ReportJson, report, code);
  for (const one of value.reports ?? []) checkReport(one.report, report);
}

interface LayerJson {
  readonly name: string;
  readonly status: string;
  readonly unit: string;
  readonly values: number | null;
  readonly mismatched: number;
  readonly channels: readonly { mismatched: number }[] | null;
  readonly channels_omitted: number;
  readonly diagnosis: { explained: number; of: number } | null;
}

interface ReportJson {
  readonly verdict: string;
  readonly layers: readonly LayerJson[];
  readonly candidate_layers: readonly LayerJson[] | null;
}

/** Sums that have to agree. */
function checkReport({ verdict, layers, candidate_layers }: ReportJson, report: Report, code?: number): void {
  if (code !== undefined && verdict !== (code === 0 ? 'match' : 'mismatch'))
    report('verdict', `exit ${code}, ${verdict}`);
  for (const { name, values, mismatched, status, channels, channels_omitted, diagnosis } of [
    ...layers,
    ...(candidate_layers ?? []),
  ]) {
    if (values === null) continue;
    const broken = (law: string) => report('invariant', `${name}: ${law}`);
    if (mismatched > values) broken(`mismatched ${mismatched} of ${values}`);
    if ((status === 'match') !== (mismatched === 0)) broken(`status ${status}, mismatched ${mismatched}`);
    const inChannels = (channels ?? []).reduce((sum, channel) => sum + channel.mismatched, 0);
    if (channels_omitted === 0 && inChannels !== mismatched) broken(`channels' ${inChannels}, layer's ${mismatched}`);
    if (diagnosis && !(diagnosis.explained >= 0 && diagnosis.explained <= diagnosis.of))
      broken(`explained ${diagnosis.explained} of ${diagnosis.of}`);
  }
}
