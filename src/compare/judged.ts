/** What of a report is judged, and what fails it. */
import type { LayerReport, Report } from '../nouns/report.js';

/** What verdict and exit code are about. */
export function judged(report: Report): readonly LayerReport[] {
  return report.candidate_layers ?? report.layers;
}

/** Whether a layer differs beyond what is accepted. */
export function differs({ status, accepted }: LayerReport): boolean {
  return status === 'mismatch' && accepted === null;
}

/** Its outputs are equal, or were not there; its accumulators are not. */
export function accumulatorsDiffer({ status, accepted, accumulator }: LayerReport): boolean {
  return status !== 'mismatch' && accepted === null && accumulator !== undefined && accumulator.mismatched > 0;
}
