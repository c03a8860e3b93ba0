import type { Layer, Model } from '../nouns/model.js';

/** Pairs of layers that are looked at: all of a network of 600 layers, and of larger ones those nearest to each other. */
const MOST_PAIRS = 4e5;

/** Whose values may stand in a layer's memory. */
export function layersAfter({ layers }: Model, layer: Layer): readonly Layer[] {
  const first = layers.indexOf(layer) + 1;
  return layers.slice(first, first + Math.floor(MOST_PAIRS / layers.length));
}
