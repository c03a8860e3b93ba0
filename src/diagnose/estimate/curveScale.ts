/** The scale of what a curve reads: of a function of one value, which rises above 0, and of softmax, whose logarithms differ by it. */
import type { AxisAttributes } from '../../nouns/attributes.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { linesAlong } from '../../tensor/axes.js';
import { tellsNumber } from '../alternatives/cases.js';
import { formOf } from '../alternatives/tensorSteps.js';
import { inputOf, type TensorSetup, withInput } from '../setup.js';
import type { TensorStudy } from '../study/study.js';
import { everything, type Interval, isBounded, isEmpty, narrow } from './interval.js';
import { viewOf } from './view.js';

/** Of the declared scale, how much larger or smaller. */
const MOST = 2 ** 8;
const HALVINGS = 40;
const REFINED = 3;
/** In steps. */
const LEAST = 1e-4;

/** Null: nothing bounds it, or no scale gives what is observed. */
export function scaleOfCurve(study: TensorStudy, base: TensorSetup): Interval | null {
  const input = inputOf(base);
  if (!isQuantized(input) || !isQuantized(base.params.output) || base.reads.length !== 1) return null;
  if (base.steps !== study.declared.steps) return null; // bounds are those of rounding to nearest
  if (!tellsNumber(study)) return null;
  const scale = formOf(study)?.is === 'table' ? ofFunction(study, base, input) : null;
  const interval = scale ?? (study.data.op === 'softmax' ? refined(study, base, ofSoftmax(study, base)) : null);
  return interval && !isEmpty(interval) && isBounded(interval) && interval.lo > 0 ? interval : null;
}

function ofFunction(study: TensorStudy, base: TensorSetup, { scale, zeroPoint }: QuantParams): Interval {
  const scope = study.sketch;
  const codes = scope.inputs[0].data;
  const above = Array.from(codes, (_, i) => i).filter((i) => codes[i] > zeroPoint);
  const { lo, hi } = viewOf(study, base, scope);
  // the least scale under which `every` value is as large as it has to be, or the largest under which none is larger
  const border = (isLarge: (steps: number, i: number) => boolean, all: boolean) => {
    let [small, large] = [scale / MOST, scale * MOST];
    for (let n = 0; n < HALVINGS; n++) {
      const middle = Math.sqrt(small * large);
      const view = viewOf(study, withInput(base, { scale: middle }), scope);
      const own = (i: number) => isLarge(view.acc[i] * view.stepsPerUnit[0], i);
      if (all ? above.every(own) : above.some(own)) large = middle;
      else small = middle;
    }
    return all ? large : small;
  };
  return { lo: border((steps, i) => steps >= lo[i], true), hi: border((steps, i) => steps > hi[i], false) };
}

/** Within an interval so short that what is computed lies on lines, those of all values that it is the ratio of two of. */
function refined(study: TensorStudy, base: TensorSetup, loose: Interval): Interval | null {
  let interval = loose;
  for (let n = 0; n < REFINED; n++) {
    const { lo, hi } = interval;
    if (isEmpty(interval) || !isBounded(interval) || lo <= 0 || lo === hi) return interval;
    const [low, high] = [lo, hi].map((scale) => viewOf(study, withInput(base, { scale })));
    const own = everything();
    for (let i = 0; i < low.acc.length; i++) {
      const [from, to] = [low.acc[i] * low.stepsPerUnit[0], high.acc[i] * high.stepsPerUnit[0]];
      // less than that is float32
      if (Math.abs(to - from) < LEAST) continue;
      narrow(own, (to - from) / (hi - lo), low.lo[i] - from, low.hi[i] - from);
    }
    if (isEmpty(own) || !isBounded(own)) return interval;
    interval = { lo: Math.max(lo, lo + own.lo), hi: Math.min(hi, lo + own.hi) };
  }
  return interval;
}

function ofSoftmax(study: TensorStudy, { params }: TensorSetup): Interval {
  const { dim } = params.attributes as AxisAttributes;
  const shape = study.data.whole!.ready.shapes.inputs[0];
  const { count, step } = linesAlong(dim, shape);
  const { data } = study.subset.inputs[0];
  const { observed } = study.subset;
  const output = params.output as QuantParams;
  const interval = everything();
  for (let i = 0; i < observed.length; i++) {
    const k = Math.floor(i / step) % count;
    const next = i + step * (((k + 1) % count) - k);
    const [large, small] = [observed[i], observed[next]].map((code) => code - output.zeroPoint);
    const isWithin = large > small && small > 0 && observed[i] < output.quantMax;
    if (!isWithin) continue;
    narrow(
      interval,
      data[i] - data[next],
      Math.log((large - 0.5) / (small + 0.5)),
      Math.log((large + 0.5) / (small - 0.5)),
    );
  }
  return interval;
}
