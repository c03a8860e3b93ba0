import type { Cause } from '../cause.js';
import { combine } from '../search/ranking.js';
import type { Change } from '../setup.js';
import type { Study } from '../study/study.js';

const LOSSES: readonly string[] = ['output-wraps', 'accumulator-wraps', 'product-rounded'];

/** Beside bits that are lost no number can be estimated: those that people write by mistake are tried as they are. */
export function besideLosses(
  study: Study,
  causes: readonly Cause[],
  enumerated: readonly Change[],
  isRefuted: (change: Change, beside: readonly Change[]) => boolean,
): Change[][] {
  const forms = causes.flatMap((cause) => (cause.code === 'k-order' ? [] : (cause.forms?.(study) ?? [])));
  const isLoss = ({ cause }: Change) => LOSSES.includes(cause);
  const losses = [...enumerated, ...forms].filter(isLoss);
  return forms
    .filter((form) => !isLoss(form))
    .flatMap((form) => losses.filter((loss) => combine(form, loss)).map((loss) => [form, loss]))
    .filter(([form, loss]) => !isRefuted(loss, [form]) && !isRefuted(form, [loss]));
}
