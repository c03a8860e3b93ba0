/** One scene under every declared kernel that its capture cannot tell from the others: what is said of it. */
import { rivalKernels } from '../../src/kernels/registry.js';
import type { Mistake } from './mistakes.js';
import { compareLayer, explanationsOf, type Kind, kernel, outputsOf, randomFrom, worldOf } from './world.js';

const NAMES = rivalKernels(null)
  .filter(({ sums }) => sums !== 'float')
  .map(({ name }) => name);

/**
 * What is named, by the kernels under which it is.
 * @param most kernels that are declared: the first and the last of those that agree, and some between
 */
export async function namesByKernel(mistake: Mistake, kind: Kind, seed: number, most = NAMES.length) {
  const random = randomFrom(seed * 7919);
  const world = worldOf(kind, random);
  const { declared, captured, candidate } = mistake.make(world, random);
  // where the file is wrong the capture follows the truth: kernels are equal where their replays of the file are
  const right = candidate ? captured : outputsOf(world, undefined, declared);
  const equal = NAMES.filter((name) => outputsOf(world, kernel(name), declared).every((v, i) => v === right[i]));
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
