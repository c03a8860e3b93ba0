import type { LayerReport } from '../nouns/report.js';
import { largest, largestInUnits, mean } from './words/differences.js';
import { decibels, percent } from './words/numbers.js';
import { differingChannels } from './words/verdict.js';

/** What markdown and pages show of a layer: values, mismatched, channels, max |diff|, mean diff, SQNR; "-" where not compared. */
export function layerNumbers(layer: LayerReport): string[] {
  if (layer.values === null) return ['-', '-', '-', '-', '-', '-'];
  return [
    String(layer.values),
    `${layer.mismatched} (${percent(layer.mismatched!, layer.values)})`,
    `${differingChannels(layer)}/${layer.out_features}`,
    layer.mismatched! > 0 ? largestInUnits(layer) : largest(layer),
    mean(layer),
    decibels(layer.sqnr_db),
  ];
}
