/** Layers that no kernel replays, said where nothing else on a screen would. */
import { listed, printable } from '../../text.js';
import { grouped } from '../grouped.js';
import type { ReportOptions } from '../reporter.js';
import { labelled } from './prose.js';

interface Unknown {
  readonly name: string;
  readonly why: string;
}

/** "note: lstm1, lstm2: op lstm is not replayed", a reason each; then: what follows from it. */
export function unknownLines(layers: readonly Unknown[], options: ReportOptions, then = ''): string[] {
  return [...grouped(layers, ({ why }) => why)].flatMap(([why, all]) =>
    labelled({ options }, 'note: ', `${listed(all.map(({ name }) => name))}: ${printable(why)}${then}`),
  );
}
