/** One scale for all sums where each channel adds a number of its own: two values of a channel bound it by what lies between them. */
import { isQuantized } from '../../nouns/value.js';
import type { ProductChange } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { contains, everything, type Interval, isBounded, isEmpty, narrow, widened } from './interval.js';
import { inputScale, outputScale, scalesIn } from './scales.js';
import { type View, viewOf } from './view.js';

/** Of each channel: every two are looked at. */
const MOST_ROWS = 200;
const MOST_CHANNELS = 128;

/** The input's or the output's: beside free biases they are the same. */
export function scalesBesideOffsets(study: ProductStudy): ProductChange[] {
  const { declared } = study;
  const { input, output } = declared.params;
  // most layers leave none on a sketch
  const factorOf = (scope: Scope) => widened(factorBesideOffsets(viewOf(study, declared, scope)), 2e-6);
  if (isEmpty(factorOf(study.sketch))) return [];
  const factor = factorOf(study.subset);
  if (!isQuantized(output) || isEmpty(factor) || !isBounded(factor) || factor.lo <= 0 || contains(factor, 1)) return [];
  const [ofInput, ofOutput] = [
    { lo: input.scale * factor.lo, hi: input.scale * factor.hi },
    { lo: output.scale / factor.hi, hi: output.scale / factor.lo },
  ];
  return [
    ...scalesIn(ofInput).map((scale) => inputScale(input.scale, scale, ofInput)),
    ...scalesIn(ofOutput).map((scale) => outputScale(output.scale, scale, ofOutput)),
  ];
}

function factorBesideOffsets(view: View): Interval {
  const factor = everything();
  const stride = Math.max(1, Math.ceil(view.rows / MOST_ROWS)) * view.channels;
  const every = Math.ceil(view.channels / MOST_CHANNELS);
  for (let channel = 0; channel < view.channels && !isEmpty(factor); channel += every) {
    for (let i = channel; i < view.acc.length; i += stride) {
      for (let j = i + stride; j < view.acc.length; j += stride) {
        const between = (view.acc[i] - view.acc[j]) * view.stepsPerUnit[channel];
        narrow(factor, between, view.lo[i] - view.hi[j], view.hi[i] - view.lo[j]);
      }
    }
  }
  return factor;
}
