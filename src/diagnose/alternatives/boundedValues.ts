/** A few values that an order or an operand is tried on before it is replayed. */
import { isQuantized } from '../../nouns/value.js';
import { viewOf } from '../estimate/view.js';
import type { ProductSetup } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';

export const TRIED = 24;
/** Half a step of rounding, one of another rule. */
export const REACH = 1.01;

export interface BoundedValue {
  /** Its place in the scope. */
  readonly place: number;
  readonly row: number;
  /** Of the layer. */
  readonly channel: number;
  /** Whether a sum of products gives it, nearly. */
  admits(sum: number): boolean;
}

/** Some values that are bounded on both sides: of the probe, where it has as many. reach: floats are bounded by what float32 leaves open. */
export function boundedIn(
  study: ProductStudy,
  base: ProductSetup,
  reach = isQuantized(base.params.output) ? REACH : 0,
): { readonly scope: Scope; readonly tried: readonly BoundedValue[] } {
  const of = (scope: Scope) => {
    const view = viewOf(study, base, scope);
    const all = [...view.acc.keys()].filter((i) => Number.isFinite(view.lo[i]) && Number.isFinite(view.hi[i]));
    const stride = Math.max(1, Math.floor(all.length / TRIED));
    return { view, scope, tried: all.filter((_, i) => i % stride === 0) };
  };
  const probed = of(study.probe);
  const { view, scope, tried } = probed.tried.length < TRIED ? of(study.sketch) : probed;
  const bounded = (place: number): BoundedValue => {
    const [row, column] = [Math.floor(place / view.channels), place % view.channels];
    const unit = (view.rowUnits?.[row] ?? 1) * view.stepsPerUnit[column];
    const [lo, hi] = [view.lo[place] - reach, view.hi[place] + reach];
    return {
      place,
      row,
      channel: scope.channels?.[column] ?? column,
      admits(sum) {
        const v = sum * unit + view.biasSteps[column];
        return v > lo && v < hi;
      },
    };
  };
  return { scope, tried: tried.map(bounded) };
}
