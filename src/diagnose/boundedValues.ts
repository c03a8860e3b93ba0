/** A few values that an order or an operand is tried on before it is replayed. */
import { viewOf } from './estimate/view.js';
import type { ProductSetup } from './setup.js';
import type { Scope } from './study/data.js';
import type { ProductStudy } from './study/study.js';

export const TRIED = 24;
/** Half a step of rounding, one of another rule. */
export const REACH = 1.01;

/** Some values that are bounded on both sides: of the probe, where it has as many. */
export function boundedIn(study: ProductStudy, base: ProductSetup) {
  const of = (scope: Scope) => {
    const view = viewOf(study, base, scope);
    const all = [...view.acc.keys()].filter((i) => Number.isFinite(view.lo[i]) && Number.isFinite(view.hi[i]));
    const stride = Math.max(1, Math.floor(all.length / TRIED));
    return { view, scope, tried: all.filter((_, i) => i % stride === 0) };
  };
  const probed = of(study.probe);
  return probed.tried.length < TRIED ? of(study.sketch) : probed;
}
