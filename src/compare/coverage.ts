import type { Capture } from '../nouns/capture.js';
import type { Layer } from '../nouns/model.js';
import type { Part } from '../nouns/part.js';
import { InputError } from '../nouns/problem.js';
import type { Coverage, LayerReport, Report } from '../nouns/report.js';
import { printable } from '../text.js';

/** Values or accumulators of the layer were set beside others. */
export function isCompared({ values, accumulator }: LayerReport): boolean {
  return values !== null || accumulator !== undefined;
}

/** What of the layers that were to be compared was; of a shard, of its own. After --fail-fast the rest was not. */
export function coverageOf(parts: readonly [Part, ...Part[]], judged: readonly LayerReport[]): Coverage {
  const [{ run }] = parts;
  const layers = parts.reduce((sum, { own }) => sum + own, 0);
  const names = layers === run.selected.length ? run.selected : judged.map(({ name }) => name);
  const compared = new Set(judged.filter(isCompared).map(({ name }) => name));
  return { compared: compared.size, layers, not_compared: names.filter((name) => !compared.has(name)) };
}

/** A run of which nothing is left cannot be judged. Throws InputError that says why for the first layers. */
export function refuseNothing({ coverage, verdict, model, warnings }: Report): void {
  if (coverage.compared > 0 || verdict === 'mismatch') return;
  const reasons = warnings
    .filter(({ code }) => code === 'not-replayed' || code === 'not-captured')
    .slice(0, MOST_REASONS)
    .map(({ where, message }) => `${printable(where)}: ${printable(message)}`);
  const message = `expected a layer that can be compared, got none${reasons.map((reason) => `; ${reason}`).join('')}`;
  throw new InputError([{ kind: 'nothing-to-compare', where: printable(model), message }]);
}

const MOST_REASONS = 3;

/** What is captured of a layer that is not replayed is compared with nothing, unless another capture is there. */
export function alternativeFor({ name }: Layer, { values }: Capture, candidate: Capture | null | undefined): string {
  return candidate || !values.has(name) ? '' : '; another capture of it is compared with --candidate';
}
