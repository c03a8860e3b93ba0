/** Means of codes as scripts compute them: by rules that make an integer of a sum and its count. */

import type { RealValue } from '../../kernels/realForm.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import { downward, halfAway, halfEven, halfUp } from '../../kernels/steps/round.js';
import type { AveragePoolAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import { truncate } from '../../numeric/round.js';
import { positionDims } from '../../tensor/shape.js';
import type { TensorStudy } from '../study/study.js';
import { windowedOf } from './pools.js';
import { formOf, inSteps } from './tensorSteps.js';

/** A rule that makes an integer of a mean, v; n: what its sum was divided by. */
export interface MeanRule {
  readonly equation: string;
  apply(mean: number, count: number): number;
}

/** As C divides integers. */
export const HALF_COUNT_ADDED: MeanRule = {
  equation: 'trunc((sum + n / 2) / n)',
  apply: (mean, count) => truncate((halfUp.apply(mean * count) + Math.floor(count / 2)) / count),
};

/** By a multiplication with 1 / n in so many bits, to nearest or cut off; halves up or all down. */
export function reciprocalOf(bits: number, of: typeof halfEven, last: typeof halfUp | typeof downward): MeanRule {
  const product = of === halfEven ? `sum * rint(2^${bits} / n)` : `sum * floor(2^${bits} / n)`;
  return {
    equation: `${last === halfUp ? `(${product} + 2^${bits - 1})` : `(${product})`} >> ${bits}`,
    apply: (mean, count) => last.apply((halfUp.apply(mean * count) * of.apply(2 ** bits / count)) / 2 ** bits),
  };
}

/** Of a mean of codes: its input's and output's parameters, and what a rule makes of it, raw or less the zero point. Null: no such mean. */
export function meanOfCodes(study: TensorStudy) {
  const { is, value, count } = formOf(study) ?? {};
  const { inputs, output } = study.declared.params;
  const [input] = inputs;
  if (!study.free || is !== 'mean' || !value || !count || !isQuantized(input) || !isQuantized(output)) return null;
  const integers = (call: TensorCall, rule: MeanRule, zeroPoint?: number): RealValue => {
    const [mean, n] = [value(inSteps(call, zeroPoint)), count(call)];
    return (i) => rule.apply(mean(i), n(i));
  };
  return { input, output, integers };
}

/** Scripts that round a mean of codes, raw or less the zero point, to steps of its input, and what comes of that, at the output's scale, to nearest. */
export function scriptsRoundingMean(study: TensorStudy, rule: MeanRule, raw: boolean): TensorSteps[] {
  const { input, output, integers } = meanOfCodes(study) ?? {};
  if (!integers || input!.scale === output!.scale) return [];
  return [halfEven, halfUp].map((last) => ({
    kind: 'tensor',
    equation: `${last.equation} of ${rule.equation} of the mean${raw ? ' of raw codes' : ''}, at sx / sy in float64, then + zp`,
    run(call) {
      const [from, to] = [quantized(call.inputs[0]), quantized(call.output)];
      const mean = integers(call, rule, raw ? 0 : undefined);
      const subtracted = raw ? from.zeroPoint : 0;
      const [lo, hi] = clampOfCodes(call.activation, to, quantizeTwoRoundings);
      const steps = (i: number) => ((mean(i) - subtracted) * from.scale) / to.scale;
      return fill(call, (i) => clamp(last.apply(steps(i)) + to.zeroPoint, lo, hi));
    },
  }));
}

/** Scripts that take a mean, in steps of the input, for one in steps of the output. */
export function scriptsWithoutScale(study: TensorStudy): TensorSteps[] {
  const { input, output, integers } = meanOfCodes(study) ?? {};
  if (!integers || input!.scale === output!.scale) return [];
  return [halfEven, halfAway, halfUp, downward, HALF_COUNT_ADDED].map((rule) => ({
    kind: 'tensor',
    equation: `${rule.equation} of the mean, in steps of the input, then + zp`,
    run(call) {
      const to = quantized(call.output);
      const mean = integers(call, rule);
      const [lo, hi] = clampOfCodes(call.activation, to, quantizeTwoRoundings);
      return fill(call, (i) => clamp(mean(i) + to.zeroPoint, lo, hi));
    },
  }));
}

/** Scripts that divide the sum of a window's codes, raw or less the zero point, where out come codes of the same parameters. */
export function scriptsDividingCodes(study: TensorStudy, rule: MeanRule, raw: boolean): TensorSteps[] {
  const { input, output, integers } = meanOfCodes(study) ?? {};
  if (!integers || input!.scale !== output!.scale || input!.zeroPoint !== output!.zeroPoint) return [];
  return [
    {
      kind: 'tensor',
      equation: `${rule.equation} of the mean of ${raw ? 'raw codes' : 'codes, then + zp'}`,
      run(call) {
        const { zeroPoint } = output!;
        const mean = integers(call, rule, raw ? 0 : zeroPoint);
        const [lo, hi] = clampOfCodes(call.activation, quantized(call.output), quantizeTwoRoundings);
        return fill(call, (i) => clamp(mean(i) + (raw ? 0 : zeroPoint), lo, hi));
      },
    },
  ];
}

/**
 * Whether windows have several cells along both of two axes, along one a mean is one pass; and are divided by how many they have:
 * of padding that counts no script's lines are known.
 */
function hasLines(study: TensorStudy): boolean {
  const { inputs, output } = study.data.whole!.ready.shapes;
  const [from, to] = [inputs[0], output].map(({ dims }) => positionDims({ dims, channelAxis: output.channelAxis }));
  const cells = windowedOf(study)?.window.kernel ?? from.map((size, axis) => size / to[axis]);
  const { divisor, countIncludePad, window } = (study.declared.params.attributes ??
    {}) as Partial<AveragePoolAttributes>;
  const isPadded = window?.padding.some((ends) => ends.some((own) => own > 0)) ?? false;
  if (typeof divisor === 'number' || (countIncludePad && isPadded)) return false;
  return cells.length === 2 && cells.every((own) => own > 1);
}

/** Each row or column of a window rounded, then their mean; raw, or less a zero point that moves which codes are even. */
export function scriptsInTwoPasses(
  study: TensorStudy,
): readonly (readonly [rule: string, raw: boolean, TensorSteps])[] {
  const { lines } = formOf(study) ?? {};
  const { input, output } = meanOfCodes(study) ?? {};
  if (!lines || !hasLines(study) || !input || input.scale !== output!.scale || input.zeroPoint !== output!.zeroPoint)
    return [];
  const { zeroPoint } = input;
  const isMoved = zeroPoint % 2 !== 0;
  const rules = [
    ...[halfEven, halfUp, downward].map((round) => [round, 0] as const),
    ...(isMoved ? [[halfEven, zeroPoint] as const] : []),
  ];
  return (['rows', 'columns'] as const).flatMap((first) =>
    rules.map(([round, off]) => {
      const rule = `${round.equation} of each ${first.slice(0, -1)}, then of those`;
      const run: TensorSteps['run'] = (call) => {
        const mean = lines(inSteps(call, off), first, round.apply);
        const [lo, hi] = clampOfCodes(call.activation, quantized(call.output), quantizeTwoRoundings);
        return fill(call, (i) => clamp(mean(i) + off, lo, hi));
      };
      const raw = off === 0;
      return [
        rule,
        raw,
        { kind: 'tensor', equation: `${rule}, of ${raw ? 'raw codes' : 'codes, then + zp'}`, run },
      ] as const;
    }),
  );
}
