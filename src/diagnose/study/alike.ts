import type { ProductSetup, Setup } from '../setup.js';
import type { Scope } from './data.js';
import type { Engine } from './engine.js';
import { ProductEngine } from './productEngine.js';

/**
 * Whether two setups that differ in their sums' step alone have the same sums of a scope (no sum leaves the width, no pair
 * saturates): then what follows is the same, and is not computed again. False: nothing is known.
 */
export function sameBySums(engine: Engine, a: Setup, b: Setup, scope: Scope): boolean {
  if (!(engine instanceof ProductEngine) || engine.wholeScopes || a.kind !== 'product' || b.kind !== 'product')
    return false;
  if (a.steps.float || !differInSumsAlone(a, b)) return false;
  const [one, other] = [engine.accumulator(a, scope), engine.accumulator(b, scope)];
  return one.every((sum: number, i: number) => sum === other[i]);
}

function differInSumsAlone({ steps, ...a }: ProductSetup, { steps: other, ...b }: ProductSetup): boolean {
  const { accumulate: _, ...one } = steps;
  const { accumulate: __, ...two } = other;
  return areSame(a, b) && areSame(one, two);
}

function areSame<T extends object>(a: T, b: T): boolean {
  return (Object.keys({ ...a, ...b }) as (keyof T)[]).every((key) => a[key] === b[key]);
}
