/** One scene under every declared kernel that its capture cannot tell from the others: what is said of it. */
import { rivalKernels } from '../../src/kernels/registry.js';
import type { Product } from '../../src/nouns/kernel.js';
import type { Mistake } from './mistakes.js';
import { compareLayer, explanationsOf, type Kind, kernel, outputsOf, randomFrom, worldOf } from './world.js';

/**
 * Those that sum exactly, as what is declared always does; ARM's int16 pairs do so for codes in their own range only. Last the one that
 * sums floats, which gives the same codes but next to ties.
 */
const NAMES = [
  ...rivalKernels(null)
    .filter(({ sums, arch }) => sums === 'exact' && arch !== 'arm64')
    .map(({ name }) => name),
  'pt2e-reference',
];

/**
 * What is named, by the kernels under which it is.
 * @param most kernels that are declared: the first and the last of those that agree, and some between
 */
export async function namesByKernel(mistake: Mistake, kind: Kind, seed: number, most = NAMES.length) {
  const random = randomFrom(seed * 7919);
  const world = worldOf(kind, random);
  const { declared, captured, candidate } = mistake.make(world, random);
  // of a wrong file the capture follows the truth: kernels are equal where they are on both
  const agrees = (name: string, linear: Product) => {
    const right = outputsOf(world, undefined, linear);
    return outputsOf(world, kernel(name), linear).every((v, i) => v === right[i]);
  };
  const equal = NAMES.filter((name) => agrees(name, declared) && agrees(name, world.linear));
  const said = new Map<string, string[]>();
  for (const name of spread(equal, most)) {
    const report = await compareLayer(world, declared, captured, { candidate, producer: {}, kernel: name });
    const [found = 'nothing'] = explanationsOf(report);
    said.set(found, [...(said.get(found) ?? []), name]);
  }
  return { equal, said };
}

function spread(names: readonly string[], most: number): string[] {
  if (names.length <= most) return [...names];
  return Array.from({ length: most }, (_, i) => names[Math.round((i * (names.length - 1)) / (most - 1))]);
}
