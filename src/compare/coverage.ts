import type { Part } from '../nouns/part.js';
import type { Coverage, LayerReport } from '../nouns/report.js';

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
