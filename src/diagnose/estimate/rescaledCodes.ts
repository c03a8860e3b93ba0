/** Codes that a clamp leaves as they are, and a candidate brings to a scale or a zero point of its own: a ReLU6 that is converted as well. */
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import type { Change, CodeMap } from '../setup.js';
import { isElementwiseStudy, isProductStudy, type Study } from '../study/study.js';
import { everything, type Interval, isEmpty, narrow } from './interval.js';

/** Codes that have to differ: of fewer any scale is as good. */
const FEWEST = 8;

/** Where the factor lies by which codes, less their zero point, are taken; null: it is none, or this is no clamp of a candidate. */
export function factorOfCodes(study: Study): Interval | null {
  const codes = isElementwiseStudy(study) ? codesOf(study) : null;
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

/** How all codes are moved: by how many, and whether what leaves the range wraps. */
interface Shift {
  readonly by: number;
  readonly wraps: boolean;
}

/** Null: by none, or not by one number. */
export function shiftOfCodes(study: Study): Shift | null {
  const codes = codesOf(study);
  if (!codes) return null;
  const { declared, observed } = codes;
  const differing = new Set<number>();
  for (let i = 0; i < observed.length && differing.size < FEWEST; i++)
    if (declared[i] !== observed[i]) differing.add(declared[i]);
  return differing.size < FEWEST ? null : (clampedShift(codes) ?? wrappedShift(codes));
}

type Codes = NonNullable<ReturnType<typeof codesOf>>;

function clampedShift({ declared, observed, output: { quantMin, quantMax } }: Codes): Shift | null {
  const isInside = (code: number) => code > quantMin && code < quantMax;
  const at = observed.findIndex((code: number, i: number) => isInside(code) && isInside(declared[i]));
  const by = at < 0 ? 0 : observed[at] - declared[at];
  const isMoved = (code: number, i: number) => code === clamp(declared[i] + by, quantMin, quantMax);
  return by !== 0 && observed.every(isMoved) ? { by, wraps: false } : null;
}

/** In 8 bits; of two numbers that give the same, the one that makes a zero point of 8 bits. */
function wrappedShift({ declared, observed, output: { quantMin, quantMax, zeroPoint } }: Codes): Shift | null {
  const bits = (code: number) => code & 255;
  const moved = bits(observed[0] - declared[0]);
  if (quantMax - quantMin !== 255 || moved === 0 || moved === 128) return null; // another sign
  for (let i = 0; i < observed.length; i++) if (bits(observed[i] - declared[i]) !== moved) return null;
  return { by: zeroPoint + moved > quantMax ? moved - 256 : moved, wraps: true };
}

function codesOf(study: Study) {
  const { free, declared, subset } = study;
  const { output } = declared.params;
  if (!free || isProductStudy(study) || !isQuantized(output)) return null;
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

export function byShift(output: QuantParams, { by, wraps }: Shift): Change['apply'] {
  const { quantMin } = output;
  const wrapped = (code: number) => ((code + by - quantMin) & 255) + quantMin;
  return storing(output, `moved by ${by}${wraps ? ', wrapped' : ''}`, wraps ? wrapped : (code) => code + by);
}
