import type { Capture } from '../nouns/capture.js';
import { isProduct, type Layer, type Model } from '../nouns/model.js';
import type { Shard } from '../nouns/part.js';
import type { CompareOptions } from './options.js';

/** Those that a run compares, and of them what falls to this process. */
export function selectedLayers(
  { layers }: Model,
  capture: Capture,
  { selects, shard }: Pick<CompareOptions, 'selects' | 'shard'>,
): { readonly selected: readonly Layer[]; readonly own: ReadonlySet<Layer> } {
  const selected = layers.filter((layer) => selects?.(layer) ?? true);
  return { selected, own: shard ? layersOf(shard, selected, capture) : new Set(selected) };
}

/**
 * The layers of one shard: whole ones, even in work. The largest layer that is left goes to the shard with the least, so all
 * processes arrive at the same split without talking.
 */
function layersOf({ index, count }: Shard, layers: readonly Layer[], capture: Capture): ReadonlySet<Layer> {
  const work = new Map(layers.map((layer) => [layer, workOf(layer, capture)]));
  const byWork = [...layers].sort((a, b) => work.get(b)! - work.get(a)!);
  // of more shards than layers the last have none
  const loads = new Array<number>(Math.min(count, layers.length)).fill(0);
  const own = new Set<Layer>();
  for (const layer of byWork) {
    const shard = loads.reduce((least, load, i) => (load < loads[least] ? i : least), 0);
    loads[shard] += work.get(layer)!;
    if (shard === index - 1) own.add(layer);
  }
  return own;
}

/** Multiply-adds of a sample, and what it takes to read and compare its values. */
function workOf(layer: Layer, capture: Capture): number {
  const features = capture.values.get(layer.name)?.features ?? 1;
  if (!isProduct(layer)) return features;
  return multiplyAddsOf(layer, capture) + layer.form.weight.inFeatures + features;
}

/** Of a sample: at each of its places, as many as the capture says. */
export function multiplyAddsOf(layer: Layer, capture: Capture): number {
  if (!isProduct(layer)) return 0;
  const { inFeatures, outFeatures } = layer.form.weight;
  return inFeatures * Math.max(outFeatures, capture.values.get(layer.name)?.features ?? 0);
}

/**
 * Diagnoses go in the order of the layers, since later ones share what earlier ones find, and may take what those leave. A shard
 * that has something to diagnose first compares and diagnoses what came before; layers of its own are done by then.
 */
export class CatchUp {
  private next = 0;

  /** pass: of every layer in order, with its index where it is to be compared here too. */
  constructor(
    private readonly selected: readonly Layer[],
    private readonly own: ReadonlySet<Layer>,
    private readonly pass: (layer: Layer, index: number | null) => Promise<void> | void,
  ) {}

  async before(end: number): Promise<void> {
    while (this.next < end) {
      const index = this.next++;
      const layer = this.selected[index];
      await this.pass(layer, this.own.has(layer) ? null : index);
    }
  }
}
