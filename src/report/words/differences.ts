/** How far values are off, for people: steps of codes; of floats their own unit, the share of their range, and ULPs beside it. */
import type { ChannelReport, LayerReport } from '../../nouns/report.js';
import { percent, signedMean, size } from './numbers.js';

/** Of a layer: older reports have ULPs alone. */
export function hasReals({ unit, mean_real }: LayerReport): boolean {
  return unit === 'ulp' && mean_real !== undefined;
}

export function largest(layer: LayerReport): string {
  return size(hasReals(layer) ? layer.max_abs_real! : layer.max_abs_diff!);
}

export function mean(layer: LayerReport): string {
  return signedMean(hasReals(layer) ? layer.mean_real! : layer.mean_diff!);
}

export function largestOf({ max_abs_real, max_abs_diff }: ChannelReport): number {
  return max_abs_real ?? max_abs_diff;
}

export function meanOf({ mean_real, mean_diff }: ChannelReport): number {
  return mean_real ?? mean_diff;
}

/** "74 lsb", "0.0123 (0.35% of its range, 2.02e9 ulp)". */
export function largestInUnits(layer: LayerReport): string {
  const inUnit = `${size(layer.max_abs_diff!)} ${layer.unit}`;
  if (!hasReals(layer)) return inUnit;
  const infinite = !Number.isFinite(layer.max_abs_real!);
  return infinite ? largest(layer) : `${largest(layer)} (${[...shareOfRange(layer), inUnit].join(', ')})`;
}

/** "0.0123 (0.35% of its range)": of floats. */
export function largestWithShare(layer: LayerReport): string {
  const share = shareOfRange(layer);
  return share.length > 0 ? `${largest(layer)} (${share})` : largest(layer);
}

function shareOfRange({ range, max_abs_real }: LayerReport): string[] {
  const width = range ? range[1] - range[0] : 0;
  return width > 0 && Number.isFinite(max_abs_real!) ? [`${shareOf(max_abs_real! / width)} of its range`] : [];
}

/** Beyond the range too. */
function shareOf(part: number): string {
  if (part === 0) return '0%';
  return part < 1 ? percent(part, 1) : `${Number((100 * part).toPrecision(3))}%`;
}
