/** Two model files beside each other. */
import type { ModelDifference, Report } from '../nouns/report.js';
import { counted, nineDigits, printable } from '../text.js';
import { grouped } from './grouped.js';
import type { ReportOptions } from './reporter.js';
import { labelled, prose } from './words/prose.js';

interface Viewed {
  readonly report: Report;
  readonly options: ReportOptions;
}

/** For a terminal. */
export function modelLines(view: Viewed): string[] {
  const said = modelsSaid(view.report);
  if (!said) return [];
  return [
    ...prose(view, said.title),
    ...said.fields.flatMap(([field, text]) => labelled(view, `  ${field.padEnd(18)} `, text)),
  ];
}

interface Said {
  readonly title: string;
  /** What differs, and in how many layers, the first of them. */
  readonly fields: readonly (readonly [field: string, text: string])[];
}

/** What the two model files say differently: said before any value. Null: there is one file. */
export function modelsSaid({ candidate_model: path, model_differences: differences }: Report): Said | null {
  if (path === undefined || !differences) return null;
  if (differences.length === 0) return { title: `the model files say the same: ${printable(path)}`, fields: [] };
  const fields = [...grouped(differences, ({ field }) => field)].map(
    ([field, all]) => [field, fieldText(all)] as const,
  );
  const ranAlone = differences.every(({ field }) => field === 'arithmetic');
  const title = ranAlone
    ? `the model files say the same, and ${printable(path)} ran otherwise`
    : `the model files differ: ${printable(path)} has other numbers`;
  return { title, fields };
}

function fieldText(all: readonly ModelDifference[]): string {
  const [{ layer, channel, expected, actual, rounded, rounded_here: isHere }] = all;
  const codes = `int32 codes at s_x * s_w, rounded ${rounded}`;
  const how = rounded ? (isHere ? `; here ${codes}` : `: ${codes}`) : '';
  const layers = counted(new Set(all.map((one) => one.layer)).size, 'layer');
  const place = channel === null ? printable(layer) : `${printable(layer)} channel ${channel}`;
  return `${layers}; ${place}: ${numberText(expected)} here, ${numberText(actual)} there${how}`;
}

function numberText(value: unknown): string {
  const text = typeof value === 'number' ? nineDigits(value) : JSON.stringify(value);
  return printable(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
