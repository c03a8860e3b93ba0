/** The nine bins of a channel's differences as nine characters: what is too low left of the bar, too high right of it. */

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const ASCII = ' .:-=+*#@';

export function histogramHead(unicode: boolean): string {
  return `-   ${unicode ? '│' : '|'}   +`;
}

export function histogramLegend(unicode: boolean): string {
  return `bars: <=-17, -16..-5, -4..-2, -1 ${unicode ? '│' : '|'} +1, +2..+4, +5..+16, >=+17`;
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
