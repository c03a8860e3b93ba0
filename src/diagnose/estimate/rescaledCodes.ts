/** Codes that a clamp leaves as they are, and a candidate brings to a scale or a zero point of its own: a ReLU6 that is converted as well. */
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import type { Change, CodeMap } from '../setup.js';
import { isElementwiseStudy, type Study } from '../study/study.js';
import { everything, type Interval, isEmpty, narrow } from './interval.js';

/** Codes that have to differ: of fewer any scale is as good. */
const FEWEST = 8;

/** Where the factor lies by which codes, less their zero point, are taken; null: it is none, or this is no clamp of a candidate. */
export function factorOfCodes(study: Study): Interval | null {
  const codes = codesOf(study);
  if (!codes) return null;
  const { declared, observed, output } = codes;
  const factor = everything();
  const differing = new Set<number>();
  for (let i = 0; i < observed.length; i++) {
    const [d, o] = [declared[i], observed[i]].map((code) => code - output.zeroPoint);
    if (d !== o) differing.add(d);
    if (d === 0 && o !== 0) return null;
    const lo = observed[i] === output.quantMin ? Number.NEGATIVE_INFINITY : o - 0.5;
    const hi = observed[i] === output.quantMax ? Number.POSITIVE_INFINITY : o + 0.5;
    narrow(factor, d, lo, hi);
  }
  const isOne = differing.size >= FEWEST && !isEmpty(factor) && factor.lo > 0 && Number.isFinite(factor.hi);
  return isOne ? factor : null;
}

/** By how many codes all are moved; null: by none, or not by one number. */
export function shiftOfCodes(study: Study): number | null {
  const codes = codesOf(study);
  if (!codes) return null;
  const { declared, observed, output } = codes;
  const isInside = (code: number) => code > output.quantMin && code < output.quantMax;
  let shift: number | null = null;
  const differing = new Set<number>();
  for (let i = 0; i < observed.length; i++) {
    if (declared[i] !== observed[i]) differing.add(declared[i]);
    if (!isInside(observed[i]) || !isInside(declared[i])) continue;
    shift ??= observed[i] - declared[i];
    if (observed[i] - declared[i] !== shift) return null;
  }
  return shift && differing.size >= FEWEST ? shift : null;
}

function codesOf(study: Study) {
  const { free, declared, subset } = study;
  const { output } = declared.params;
  if (!free || !isElementwiseStudy(study) || !isQuantized(output)) return null;
  return { declared: study.values(study.declared), observed: subset.observed, output };
}

/** Its codes as they are stored. */
function storing(output: QuantParams, name: string, of: (code: number) => number): Change['apply'] {
  const stores: CodeMap = { name, apply: (code) => clamp(of(code), output.quantMin, output.quantMax) };
  return (setup) => ({ ...setup, stores });
}

export function byFactor(output: QuantParams, factor: number): Change['apply'] {
  const { zeroPoint } = output;
  return storing(output, `by ${factor}`, (code) => roundHalfEven((code - zeroPoint) * factor) + zeroPoint);
}

export function byShift(output: QuantParams, shift: number): Change['apply'] {
  return storing(output, `moved by ${shift}`, (code) => code + shift);
}
