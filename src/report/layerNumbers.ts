import type { LayerReport } from '../nouns/report.js';
import { decibels, percent, signedMean, size } from './numbers.js';
import { differingChannels } from './verdict.js';

/** What markdown and pages show of a layer: values, mismatched, channels, max |diff|, mean diff, SQNR; "-" where not compared. */
export function layerNumbers(layer: LayerReport): string[] {
  if (layer.values === null) return ['-', '-', '-', '-', '-', '-'];
  return [
    String(layer.values),
    `${layer.mismatched} (${percent(layer.mismatched!, layer.values)})`,
    `${differingChannels(layer)}/${layer.out_features}`,
    `${size(layer.max_abs_diff!)}${layer.mismatched! > 0 ? ` ${layer.unit}` : ''}`,
    signedMean(layer.mean_diff!),
    decibels(layer.sqnr_db),
  ];
}
