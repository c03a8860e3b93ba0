/** Biases in another order, another zero point of the output, and another step: three things, of which what each channel moves by shows two. */
import { isQuantized } from '../../nouns/value.js';
import { biasesIn, biasIntervals } from '../causes/biasShifted.js';
import { outputZeroPoint } from '../causes/outputZeroPointWrong.js';
import { reorderedIn } from '../estimate/biasOrder.js';
import { mostAreEmpty } from '../estimate/perChannel.js';
import { orderOf } from '../estimate/permutation.js';
import { viewOf } from '../estimate/view.js';
import { isProductStudy } from '../study/study.js';
import type { Search } from './phases.js';

/** Of fewer any other biases are an order of the declared ones. */
const FEWEST_CHANNELS = 5;
/** Another step leaves a zero point open by as many codes. */
const NEAR = [0, -1, 1];

export function orderedBiases(run: Search): void {
  const { study } = run;
  if (!isProductStudy(study) || !study.free || study.channels < FEWEST_CHANNELS) return;
  const { bias, biasInt32, output } = study.declared.params;
  if ((!bias && !biasInt32) || !isQuantized(output)) return;
  if (mostAreEmpty(biasIntervals(viewOf(study, study.declared, study.sketch)))) return;
  const view = viewOf(study, study.declared);
  const found = reorderedIn(study, view, biasIntervals(view));
  if (found?.constant === undefined) return;
  const { order, constant } = found;
  const roundings = run.offBase.filter(({ coordinate }) => coordinate === 'round');
  for (const own of biasesIn(study.declared, orderOf(order)))
    for (const more of NEAR) {
      const moved = outputZeroPoint(output.zeroPoint, output.zeroPoint + constant + more);
      for (const rounding of [[], ...roundings.map((change) => [change])]) run.explains([own, moved, ...rounding]);
    }
  run.onOtherBases();
}
