/** What a side does after its sums, step by step, with the numbers of one channel: data, that `words/` tells. */

import { insideMultiplier } from '../../kernels/steps/round.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { BiasStep, MultiplierStep, Product } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { addsZeroPointFirst } from '../alternatives/departures.js';
import { takesSumsForCodes } from '../alternatives/rawSums.js';
import type { BiasBehind, Short, ShortMultiplierStep } from '../alternatives/short/shortMultiplier.js';
import type { Setup } from '../setup.js';
import type { Formula } from './evidence.js';

/** Null where integer sums are not requantized: a float path, float outputs, a conversion, sums taken for codes. */
export function formulaOf(setup: Setup, channel: number): Formula | null {
  if (setup.kind !== 'product') return null;
  const { steps, params } = setup;
  const { output } = params;
  if (steps.float || steps.dynamic || !isQuantized(output) || takesSumsForCodes(setup)) return null;
  const { accumulate, bias, multiplier, round, offsetAndClamp } = steps;
  // what rounds whole sums in its place is told by its cause
  const hasBias = (params.bias !== null || params.biasInt32 !== null) && !('sum' in bias);
  return {
    channel,
    sums: { step: accumulate.name, equation: accumulate.equation },
    bias: hasBias ? biasOf(bias) : null,
    multiplier: multiplierOf(multiplier, params, output, channel),
    rounding: round === insideMultiplier ? null : { step: round.name, equation: round.equation },
    zero_point: output.zeroPoint === 0 ? null : addsZeroPointFirst(offsetAndClamp) ? 'before' : 'after',
  };
}

function biasOf(bias: BiasStep): NonNullable<Formula['bias']> {
  const { name, equation, arithmetic } = bias;
  const behind = (bias as Partial<BiasBehind>).behind;
  return { step: name, equation, rounded: arithmetic === 'int32', ...(behind && { behind }) };
}

/** So that a half is still added before the one shift. */
const MOST_LEFT = 30;

function multiplierOf(step: MultiplierStep, product: Product, output: QuantParams, channel: number) {
  const { name, equation, arithmetic, fixedPoint } = step;
  const real = (product.input.scale * weightScaleOf(product, channel)) / output.scale;
  const short = numberOfChannel(step, channel);
  if (short) {
    const { k, n } = short;
    return { step: name, equation: `acc * ${k} * 2^-${n}`, arithmetic, value: k * 2 ** -n, short };
  }
  const form = { step: name, equation, arithmetic, value: real };
  if (!fixedPoint) return form;
  const numbersOf = (n: number) => fixedPoint.multiplierOf(product, output, n);
  const { multiplier, exponent } = numbersOf(channel);
  const rounding = 'rounding' in step ? (step.rounding as string) : undefined;
  const all = rounding ? Array.from({ length: product.outFeatures }, (_, n) => numbersOf(n)) : [];
  const isSame = all.every((own) => own.multiplier === multiplier && own.exponent === exponent);
  // one shift to the right takes one to the left into it; of two it would be a third
  const most = rounding === 'single' ? MOST_LEFT : 0;
  const byChannel = !isSame && all.every((own) => own.exponent <= most);
  return {
    ...form,
    int32: multiplier,
    shift: exponent,
    ...(rounding ? { rounding } : {}),
    ...(isSame && all.length > 1 ? { in_all: true as const } : {}),
    ...(byChannel ? { by_channel: true as const } : {}),
  };
}

/** Of a multiplier of few bits; null: no such. */
function numberOfChannel(step: Partial<ShortMultiplierStep>, channel: number): Short | null {
  return step.numbers?.[channel] ?? null;
}
