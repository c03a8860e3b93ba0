/** The nine bins of a channel's differences as nine characters: what is too low left of the bar, too high right of it. */

import type { LayerReport } from '../../nouns/report.js';

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const ASCII = ' .:-=+*#@';

export function histogramHead(unicode: boolean): string {
  return `-   ${unicode ? '│' : '|'}   +`;
}

/** A line, if a layer has one. */
export function histogramLegend(layers: readonly LayerReport[], unicode: boolean): string[] {
  const drawn = layers.filter(hasHistogram);
  if (drawn.length === 0) return [];
  const floats = drawn.some(({ unit }) => unit === 'ulp') ? ' (of floats: in ulp)' : '';
  return [`bars${floats}: <=-17, -16..-5, -4..-2, -1 ${unicode ? '│' : '|'} +1, +2..+4, +5..+16, >=+17`];
}

/** Floats that are all off by more than bins tell are too low or too high, no more: their mean says it. */
export function hasHistogram({ unit, channels }: Pick<LayerReport, 'unit' | 'channels'>): boolean {
  if (unit !== 'ulp') return true;
  return (channels ?? []).some(({ histogram }) => {
    const centre = (histogram.length - 1) / 2;
    return histogram.some((count, i) => count > 0 && i !== centre && i > 0 && i < histogram.length - 1);
  });
}

/** Heights are relative to the fullest bin; a bin that is not empty is never blank. Equal values are not drawn. */
export function histogramBars(bins: readonly number[], unicode: boolean): string {
  const levels = unicode ? BLOCKS : ASCII;
  const centre = (bins.length - 1) / 2;
  const fullest = Math.max(1, ...bins.filter((_, i) => i !== centre));
  return bins
    .map((count, i) => (i === centre ? histogramHead(unicode)[4] : levels[Math.ceil((8 * count) / fullest)]))
    .join('');
}
