/** Layers that no kernel replays, said where nothing else on a screen would. */
import { listed, printable } from '../text.js';
import { labelled } from './prose.js';
import type { ReportOptions } from './reporter.js';

interface Unknown {
  readonly name: string;
  readonly why: string;
}

/** "note: lstm1, lstm2: op lstm is not replayed", a reason each; then: what follows from it. */
export function unknownLines(layers: readonly Unknown[], options: ReportOptions, then = ''): string[] {
  const byReason = new Map<string, string[]>();
  for (const { name, why } of layers) byReason.set(why, [...(byReason.get(why) ?? []), name]);
  return [...byReason].flatMap(([why, names]) =>
    labelled({ options }, 'note: ', `${listed(names)}: ${printable(why)}${then}`),
  );
}
