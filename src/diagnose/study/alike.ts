import type { ProductSetup, Setup } from '../setup.js';
import type { Outputs, Scope } from './data.js';
import type { Engine } from './engine.js';
import { ProductEngine } from './productEngine.js';

/**
 * Whether two setups give the same codes of a scope, by less than all that both compute: they differ in their sums' step alone and have
 * the same sums (no sum leaves the width, no pair saturates), or in what follows them. Null: nothing is known.
 * @param ofB what b gives, where that has been computed
 */
export function areAlike(engine: Engine, a: Setup, b: Setup, scope: Scope, ofB?: Outputs): boolean | null {
  const products = ofProducts(engine, a, b);
  if (!products) return null;
  return differInSumsAlone(products) ? haveEqualSums(products, scope) || null : haveSameCodes(products, scope, ofB);
}

/** Leaves of some setups those that give every value of a scope: by each sum once where there are few, and of equal sums one. */
export function dropRefuted(engine: Engine, open: Set<Setup>, scope: Scope, agrees: (setup: Setup) => boolean): void {
  const judged: Setup[] = [];
  for (const setup of open) {
    const known = engine.agrees?.(setup, scope) ?? null;
    const alike = known === null && judged.find((other) => haveSameSums(engine, setup, other, scope));
    if (!(known ?? (alike ? open.has(alike) : agrees(setup)))) open.delete(setup);
    judged.push(setup);
  }
}

/** Whether all that two setups differ in is the step of their sums, and the sums are the same. */
function haveSameSums(engine: Engine, a: Setup, b: Setup, scope: Scope): boolean {
  const products = ofProducts(engine, a, b);
  return products !== null && differInSumsAlone(products) && haveEqualSums(products, scope);
}

/** Two setups of a product, any part of which can be looked at. */
interface Products {
  readonly engine: ProductEngine;
  readonly a: ProductSetup;
  readonly b: ProductSetup;
}

function ofProducts(engine: Engine, a: Setup, b: Setup): Products | null {
  const isProduct = engine instanceof ProductEngine && a.kind === 'product' && b.kind === 'product';
  return isProduct && !engine.wholeScopes ? { engine, a, b } : null;
}

function haveEqualSums({ engine, a, b }: Products, scope: Scope): boolean {
  const [one, other] = [engine.accumulator(a, scope), engine.accumulator(b, scope)];
  return one.every((sum: number, i: number) => sum === other[i]);
}

const FIRST_ROWS = 4;

/** Looked at by ever larger pieces of what follows the sums: most setups part in some hundred values. */
function haveSameCodes({ engine, a, b }: Products, scope: Scope, ofB?: Outputs): boolean | null {
  const isPlain = ({ steps, params }: ProductSetup) => !steps.multiplier.ofCall && !params.addend;
  if (!isPlain(a) || !isPlain(b) || !engine.sameSums(a, b)) return null;
  const [one, other] = [a, b].map(({ params }) => engine.inCall(engine.restrict(params, scope), scope.samples[0]));
  const sums = engine.accumulator(a, scope);
  for (let from = 0, to = FIRST_ROWS * one.outFeatures; from < sums.length; from = to, to *= 4) {
    const part = sums.subarray(from, to);
    const codes = ofB?.data.subarray(from, to) ?? engine.finish(b.steps, other, part);
    if (engine.finish(a.steps, one, part).some((code, i) => code !== codes[i])) return false;
  }
  return true;
}

/** Of integers, so that the sums are all that the step gives. */
function differInSumsAlone({ a, b }: Products): boolean {
  const [{ steps: ofA, ...ownA }, { steps: ofB, ...ownB }] = [a, b];
  const [{ accumulate: _, ...restA }, { accumulate: __, ...restB }] = [ofA, ofB];
  return !ofA.float && areSame(ownA, ownB) && areSame(restA, restB);
}

function areSame<T extends object>(a: T, b: T): boolean {
  return (Object.keys({ ...a, ...b }) as (keyof T)[]).every((key) => a[key] === b[key]);
}
