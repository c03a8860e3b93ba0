/** The scale of what a curve reads: of a function of one value, which rises above 0, and of softmax, whose logarithms differ by it. */
import { halfEven } from '../../kernels/steps/round.js';
import type { AxisAttributes } from '../../nouns/attributes.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { linesAlong } from '../../tensor/axes.js';
import { tellsNumber } from '../alternatives/cases.js';
import { formOf } from '../alternatives/tensorSteps.js';
import { inputOf, type TensorSetup, withInput } from '../setup.js';
import type { TensorStudy } from '../study/study.js';
import { type Bounds, roundingReach } from './bounds.js';
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
  const { rounds } = base.steps;
  if (base.steps !== study.declared.steps && !rounds) return null; // nothing says what its values bound
  if (!tellsNumber(study)) return null;
  const isTable = formOf(study)?.is === 'table';
  const scale = isTable ? ofFunction(study, base, input, viewOf(study, base, study.sketch)) : null;
  const isSoftmax = study.data.op === 'softmax';
  const interval = scale ?? (isSoftmax ? refined(study, base, ofSoftmax(study, base)) : null);
  return interval && !isEmpty(interval) && isBounded(interval) && interval.lo > 0 ? interval : null;
}

function ofFunction(
  study: TensorStudy,
  { params, reads: [read] }: TensorSetup,
  { scale, zeroPoint }: QuantParams,
  { lo, hi }: Bounds,
): Interval | null {
  const of = formOf(study)?.of?.(params.attributes);
  if (!of) return null;
  const codes = study.sketch.inputs[0].data;
  /** What is observed bounds of each code. */
  const above = new Map<number, Interval>();
  for (let i = 0; i < codes.length; i++) {
    const code = (read ? read.apply(codes[i]) : codes[i]) - zeroPoint;
    if (code <= 0) continue;
    const own = above.get(code) ?? everything();
    above.set(code, { lo: Math.max(own.lo, lo[i]), hi: Math.min(own.hi, hi[i]) });
  }
  const all = [...above];
  const unit = (params.output as QuantParams).scale;
  // the least scale under which every value is as large as it has to be, or the largest under which none is larger
  const border = (isLarge: (scale: number) => boolean, ofLeast: boolean) => {
    let [small, large] = [scale / MOST, scale * MOST];
    for (let n = 0; n < HALVINGS; n++) {
      const middle = Math.sqrt(small * large);
      if (isLarge(middle)) large = middle;
      else small = middle;
    }
    return ofLeast ? large : small;
  };
  return {
    lo: border((own) => all.every(([code, { lo: least }]) => of(own * code) / unit >= least), true),
    hi: border((own) => all.some(([code, { hi: most }]) => of(own * code) / unit > most), false),
  };
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

function ofSoftmax(study: TensorStudy, { params, steps }: TensorSetup): Interval {
  const { dim } = params.attributes as AxisAttributes;
  const shape = study.data.whole!.ready.shapes.inputs[0];
  const { count, step } = linesAlong(dim, shape);
  const { data } = study.subset.inputs[0];
  const { observed } = study.subset;
  const output = params.output as QuantParams;
  const interval = everything();
  const [below, above] = roundingReach(steps.rounds?.rule ?? halfEven.name, 1);
  for (let i = 0; i < observed.length; i++) {
    const k = Math.floor(i / step) % count;
    const next = i + step * (((k + 1) % count) - k);
    const [large, small] = [observed[i], observed[next]].map((code) => code - output.zeroPoint);
    const isWithin = large > small && small > 0 && observed[i] < output.quantMax;
    if (!isWithin) continue;
    narrow(
      interval,
      data[i] - data[next],
      Math.log((large - below) / (small + above)),
      Math.log((large + above) / (small - below)), // of 0 nothing bounds it
    );
  }
  return interval;
}
