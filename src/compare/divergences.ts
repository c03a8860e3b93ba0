/** Where two sides part in a graph: on each branch first, and where they come together again. */
import type { DivergenceReport, LayerReport } from '../nouns/report.js';
import { differs } from './judged.js';

/** Each costs a walk through the layers. */
const MOST_DIVERGENCES = 256;

/**
 * The layers that differ though nothing they read does, in the graph's order. `chained`: each side computed its layers one from the
 * other, so that equal values after different ones say that the difference is gone; of layers compared each on the captured input
 * they say nothing, and what reads a layer that differs is behind it.
 */
export function divergencesIn(layers: readonly LayerReport[], chained: boolean): DivergenceReport[] {
  const behind = new Set<string>();
  const firsts: number[] = [];
  for (const [index, layer] of layers.entries()) {
    const reads = readsOneOf(behind, layer);
    if (differs(layer) && !reads) firsts.push(index);
    if (differs(layer) || (reads && !(chained && layer.status === 'match'))) behind.add(layer.name);
  }
  return firsts.slice(0, MOST_DIVERGENCES).map((first) => ({
    layer: layers[first].name,
    ...(chained ? followed(layers, first) : { equal_again: null, reaches: null }),
  }));
}

/** Where what begins at a layer ends: at layers that are equal again, and at those that nothing reads. */
function followed(layers: readonly LayerReport[], first: number): Omit<DivergenceReport, 'layer'> {
  const behind = new Set([layers[first].name]);
  const equal: string[] = [];
  for (const layer of layers.slice(first + 1)) {
    if (!readsOneOf(behind, layer)) continue;
    if (layer.status === 'match') equal.push(layer.name);
    else behind.add(layer.name);
  }
  const read = new Set(layers.flatMap(({ inputs }) => inputs ?? []));
  return { equal_again: equal, reaches: [...behind].filter((name) => !read.has(name)) };
}

function readsOneOf(names: ReadonlySet<string>, { inputs }: LayerReport): boolean {
  return (inputs ?? []).some((name) => names.has(name));
}
