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
export function modelsSaid({ model, candidate_model: path, model_differences: differences }: Report): Said | null {
  if (path === undefined || !differences) return null;
  const isOne = path === model;
  if (differences.length === 0) {
    const title = isOne
      ? 'another session, which runs the same layers'
      : `the model files say the same: ${printable(path)}`;
    return { title, fields: [] };
  }
  const fields = [...grouped(differences, ({ field }) => field)].map(
    ([field, all]) => [field, fieldText(all)] as const,
  );
  const ranAlone = differences.every(({ field }) => field === 'arithmetic');
  return { title: isOne ? ANOTHER_SESSION : titleOf(printable(path), ranAlone), fields };
}

const ANOTHER_SESSION = "the candidate's session made other layers of the same file";

function titleOf(path: string, ranAlone: boolean): string {
  return ranAlone
    ? `the model files say the same, and ${path} ran otherwise`
    : `the model files differ: ${path} has other numbers`;
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
