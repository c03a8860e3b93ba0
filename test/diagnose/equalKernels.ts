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
    .filter(({ name, sums }) => sums === 'exact' && !name.endsWith('-arm'))
    .map(({ name }) => name),
  'pt2e-reference',
];

/**
 * What is named, by the kernels under which it is, and whether that is one.
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
  const listed = new Map<string, Set<string>>();
  for (const name of spread(equal, most)) {
    const report = await compareLayer(world, declared, captured, { candidate, producer: {}, kernel: name });
    const [found = 'nothing', ...others] = explanationsOf(report);
    said.set(found, [...(said.get(found) ?? []), name]);
    listed.set(found, new Set([...(listed.get(found) ?? []), ...others]));
  }
  return { equal, said, isOne: areOne(listed) };
}

/**
 * Whether what is named is the same but for what a kernel hides or adds: a mistake makes other sums, which may be ties or wrap where the
 * right ones are not, and a bound of sums of floats holds small changes. Then it is unexplained, one of two causes is enough, or
 * one listed as explaining alike comes first.
 */
function areOne(listed: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const isPart = (some: string, of: string) => some.split('+').every((cause) => of.split('+').includes(cause));
  const named = [...listed].filter(([found]) => found !== 'unexplained');
  return named.every(([a, alike], i) =>
    named.slice(i + 1).every(([b, like]) => alike.has(b) || like.has(a) || isPart(a, b) || isPart(b, a)),
  );
}

function spread(names: readonly string[], most: number): string[] {
  if (names.length <= most) return [...names];
  return Array.from({ length: most }, (_, i) => names[Math.round((i * (names.length - 1)) / (most - 1))]);
}
