import type { Layer } from '../nouns/model.js';

/** A layer and those before it as far as they are not known, in order: a chain of thousands takes no stack of as many. */
export function upTo(
  last: Layer,
  layers: ReadonlyMap<string, Layer>,
  isKnown: (layer: Layer, reader: Layer) => boolean,
): Layer[] {
  const found = new Set([last]);
  for (const reader of found) {
    for (const name of reader.inputs) {
      const producer = layers.get(name);
      if (producer && !isKnown(producer, reader)) found.add(producer);
    }
  }
  return found.size === 1 ? [last] : [...layers.values()].filter((layer) => found.has(layer));
}
