/** Layers that a document leaves out: those of one reason in one note. */
import { listed } from '../../text.js';
import type { ReportOptions } from '../reporter.js';
import { prose } from './prose.js';

interface Skipped {
  readonly layer: string;
  readonly why: string;
}

export function skippedNotes(skipped: readonly Skipped[], options: ReportOptions): string[] {
  const layersOf = new Map<string, string[]>();
  for (const { layer, why } of skipped) {
    const layers = layersOf.get(why);
    if (layers) layers.push(layer);
    else layersOf.set(why, [layer]);
  }
  const most = options.verbosity === 'verbose' ? skipped.length : 3;
  return [...layersOf].flatMap(([why, layers]) =>
    prose({ options }, `note: ${listed(layers, most)} ${layers.length === 1 ? 'is' : 'are'} not in it: ${why}`),
  );
}
