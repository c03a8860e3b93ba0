/** What numbers are looked for beside: forms of changes, and orders. */
import type { Cause } from '../cause.js';
import { type Change, FREEDOM, type ProductChange, type ProductSetup } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { formsOf } from './arrangeable.js';
import { halving } from './atOnce.js';
import { followed } from './followed.js';

/**
 * Orders that the observed values follow, the others one by one; and whether it leaves so few channels that any number may stand beside it.
 * @param alone orders that need no number
 */
export function* formsBeside(
  study: ProductStudy,
  causes: readonly Cause[],
  alone: readonly ProductChange[],
  setupOf: (change: ProductChange) => ProductSetup,
): Generator<readonly [ProductChange, leavesFew: boolean]> {
  const forms = formsOf(study, causes) as readonly ProductChange[];
  const isOrder = ({ cause }: ProductChange) => cause === 'k-order';
  const orders = [...alone.filter((change) => !isOrder(change)), ...forms.filter(isOrder)];
  for (const change of followed(study, orders, setupOf)) yield [change, true];
  const leavesFew = halving(study);
  // a factor is estimated on every base
  for (const change of forms.filter((form) => !isOrder(form) && form.cause !== 'bias-factor'))
    yield [change, leavesFew(setupOf(change))];
}

/** Orders of weights and places that need no number. */
export function ordersAlone(causes: readonly Cause[], estimate: (cause: Cause) => readonly Change[]): ProductChange[] {
  const estimated = causes.filter((cause) => cause.parameterFree).flatMap(estimate) as readonly ProductChange[];
  return estimated.filter(({ freedom }) => freedom === FREEDOM.none);
}
