/** What one layer's values leave open and another layer's tell: who rounds halves up there rounds them so in the whole network. */
import type { LayerReport } from '../../nouns/report.js';

/** Values of its own that a layer has to differ in, to speak for others. */
const FEWEST_OF_WITNESS = 8;

interface Told {
  readonly name: string;
  readonly causes: string;
  /** What explains it as well, in the report's order. */
  readonly open: readonly { readonly key: string; readonly causes: readonly string[] }[];
  readonly isWitness: boolean;
}

/** By layer: the causes that another one tells from those it has now. */
export function settledByOthers(layers: readonly LayerReport[]): Map<string, readonly string[]> {
  const all = layers.flatMap(toldOf);
  const settled = new Map<string, readonly string[]>();
  for (const own of all) {
    const others = all.filter((other) => other !== own && other.isWitness);
    const needed = own.open.filter(({ key }) => tells(others, key, own.causes) && !tells(others, own.causes, key));
    if (needed.length === 1) settled.set(own.name, needed[0].causes);
  }
  return settled;
}

/** Whether one of them has these causes, and could not have the others. */
function tells(layers: readonly Told[], causes: string, others: string): boolean {
  return layers.some((layer) => layer.causes === causes && !layer.open.some(({ key }) => key === others));
}

function toldOf({ name, diagnosis, mismatched, on_own_input: own }: LayerReport): Told[] {
  if (diagnosis?.subject !== 'candidate') return [];
  const causes = keyOf(diagnosis.causes);
  if (causes === '' || causes === 'unexplained') return [];
  const open = diagnosis.indistinguishable.map((one) => ({ key: keyOf(one.causes), causes: one.causes }));
  return [{ name, causes, open, isWitness: (own?.mismatched ?? mismatched ?? 0) >= FEWEST_OF_WITNESS }];
}

/** Said beside what the search names: no hypothesis has it. */
const BESIDE: readonly string[] = ['inherited', 'output-order'];

function keyOf(causes: readonly string[]): string {
  return causes
    .filter((cause) => !BESIDE.includes(cause))
    .sort()
    .join();
}
