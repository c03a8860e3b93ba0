/** Two model files beside each other, for a terminal. */
import type { Report } from '../nouns/report.js';
import { counted, nineDigits, printable } from '../text.js';
import { grouped } from './grouped.js';
import type { ReportOptions } from './reporter.js';
import { labelled, prose } from './words/prose.js';

interface Viewed {
  readonly report: Report;
  readonly options: ReportOptions;
}

/** What the two model files say differently, a line a field: said before any value. */
export function modelLines(view: Viewed): string[] {
  const { candidate_model: path, model_differences: differences } = view.report;
  if (path === undefined || !differences) return [];
  if (differences.length === 0) return prose(view, `the model files say the same: ${printable(path)}`);
  const lines = [...grouped(differences, ({ field }) => field)].flatMap(([field, all]) => {
    const [{ layer, channel, expected, actual, rounded, rounded_here: isHere }] = all;
    const codes = `int32 codes at s_x * s_w, rounded ${rounded}`;
    const how = rounded ? (isHere ? `; here ${codes}` : `: ${codes}`) : '';
    const layers = counted(new Set(all.map((one) => one.layer)).size, 'layer');
    const place = channel === null ? printable(layer) : `${printable(layer)} channel ${channel}`;
    return labelled(
      view,
      `  ${field.padEnd(18)} `,
      `${layers}; ${place}: ${numberText(expected)}, ${numberText(actual)} there${how}`,
    );
  });
  const ranAlone = differences.every(({ field }) => field === 'arithmetic');
  const said = ranAlone
    ? `the model files say the same, and ${printable(path)} ran otherwise`
    : `the model files differ: ${printable(path)} has other numbers`;
  return [...prose(view, said), ...lines];
}

function numberText(value: unknown): string {
  const text = typeof value === 'number' ? nineDigits(value) : JSON.stringify(value);
  return printable(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
