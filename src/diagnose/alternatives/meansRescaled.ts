/** Means rounded twice, where what brings the first rounding to the output's scale is cut off, or has few bits. */
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import { downward, halfAway, halfEven, halfUp, towardZero } from '../../kernels/steps/round.js';
import type { RoundStep, TensorSteps } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { floor, roundHalfAway } from '../../numeric/round.js';
import type { TensorStudy } from '../study/study.js';
import { casesOf } from './cases.js';
import { HALF_COUNT_ADDED, type MeanRule, meanOfCodes } from './meanRules.js';
import { countsPadding } from './pools.js';
import { floatsOf } from './tensorSteps.js';

/** Of a thousand pairs of roundings one gives a dozen codes by chance. */
const FEWEST = 24;
const FIRST: readonly MeanRule[] = [halfEven, halfAway, halfUp, downward, towardZero, HALF_COUNT_ADDED];
/** Rules to which it matters where zero is. */
const AROUND_ZERO: readonly MeanRule[] = [towardZero, halfAway, halfEven, HALF_COUNT_ADDED];
const CUTTING: readonly RoundStep[] = [downward, towardZero];
const ROUNDS: readonly RoundStep[] = [...CUTTING, halfUp];
const [LEAST_BITS, MOST_BITS] = [4, 24];

/** What multiplies a mean in steps of the input. */
interface Factor {
  readonly equation: string;
  /** Behind its point; absent: it is the real number. */
  readonly bits?: number;
  readonly rounds: readonly RoundStep[];
  apply(mean: number): number;
}

export interface MeanRescaled {
  readonly rule: string;
  readonly raw: boolean;
  readonly then: string;
  readonly steps: TensorSteps;
}

interface Pair {
  readonly first: MeanRule;
  readonly raw: boolean;
  readonly factor: Factor;
  readonly last: RoundStep;
  /** Of several numbers. */
  readonly isOneOf: boolean;
}

/** Those that give what is observed, where neither rounding to nearest with the real number does. */
export function meansRescaled(study: TensorStudy): MeanRescaled[] {
  const { input, output, integers } = meanOfCodes(study) ?? {};
  if (!integers || input!.scale === output!.scale || casesOf(study) < FEWEST) return [];
  const factors = factorsOf(input!.scale / output!.scale);
  const raws = countsPadding(study) ? [false] : [false, true];
  const { observed } = study.sketch;
  const [lo, hi] = clampOfCodes(study.declared.params.activation, output!, quantizeTwoRoundings);
  return FIRST.flatMap((first) =>
    raws
      .filter((raw) => !raw || AROUND_ZERO.includes(first))
      .flatMap((raw) => {
        const means = floatsOf(study, (call) => integers(call, first, raw ? 0 : undefined), study.sketch);
        const off = raw ? input!.zeroPoint : 0;
        const fits = ({ apply }: Factor, last: RoundStep) => {
          for (let i = 0; i < means.length; i++)
            if (clamp(last.apply(apply(means[i] - off)) + output!.zeroPoint, lo, hi) !== observed[i]) return false;
          return true;
        };
        return ROUNDS.flatMap((last) => {
          const [factor, ...others] = factors.filter((own) => own.rounds.includes(last) && fits(own, last));
          return factor ? [rescaled({ first, raw, factor, last, isOneOf: others.length > 0 }, integers)] : [];
        });
      }),
  );
}

function rescaled(
  { first, raw, factor, last, isOneOf }: Pair,
  integers: NonNullable<ReturnType<typeof meanOfCodes>>['integers'],
): MeanRescaled {
  const then = `${last.equation}, v = ${factor.equation}${isOneOf && factor.bits ? ' or as near' : ''}`;
  const steps: TensorSteps = {
    kind: 'tensor',
    equation: `m = ${first.equation} of the mean${raw ? ' of raw codes' : ''}; ${then}, + zp`,
    run(call) {
      const [{ zeroPoint }, to] = [quantized(call.inputs[0]), quantized(call.output)];
      const mean = integers(call, first, raw ? 0 : undefined);
      const off = raw ? zeroPoint : 0;
      const [lo, hi] = clampOfCodes(call.activation, to, quantizeTwoRoundings);
      return fill(call, (i) => clamp(last.apply(factor.apply(mean(i) - off)) + to.zeroPoint, lo, hi));
    },
  };
  return { rule: first.equation, raw, then, steps };
}

/** The real number, then those of few bits behind the point; each once. */
function factorsOf(real: number): Factor[] {
  const reals: Factor[] = [
    { equation: 'm * (sx / sy)', rounds: CUTTING, apply: (mean) => mean * real },
    { equation: 'f32(m * f32(sx / sy))', rounds: CUTTING, apply: (mean) => f32(mean * f32(real)) },
  ];
  const met = new Set<number>();
  for (let bits = LEAST_BITS; bits <= MOST_BITS; bits++) {
    for (const k of [roundHalfAway(real * 2 ** bits), floor(real * 2 ** bits)]) {
      const number = k / 2 ** bits;
      if (k === 0 || met.has(number)) continue;
      met.add(number);
      const equation = `m * ${k} / 2^${bits}`;
      reals.push({ equation, bits, rounds: [downward, halfUp], apply: (mean) => mean * number });
    }
  }
  return reals;
}
