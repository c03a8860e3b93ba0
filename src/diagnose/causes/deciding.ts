import type { FixedPointStep } from '../../kernels/steps/multiplier.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { MultiplierStep, ProductSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { stepsBeforeRounding } from '../../replay/product.js';
import { isFixedPoint } from '../alternatives/departures.js';
import type { Found } from '../cause.js';
import type { DecidingValue } from '../finding/evidence.js';
import type { ProductSetup } from '../setup.js';
import { isProductStudy } from '../study/study.js';
import { placeAt } from './placeAt.js';

/** The first value that the hypothesis gets right and its counterpart without this cause does not. */
export function decidingValue({ study, setup, without }: Found): DecidingValue | undefined {
  const declared = study.values(without);
  const found = study.values(setup);
  const { observed } = study.subset;
  const i = observed.findIndex((value, at) => declared[at] !== value && found[at] === value);
  if (i < 0) return undefined;
  const value = { ...placeAt(study, i), declared: declared[i], observed: observed[i] };
  if (!isProductStudy(study) || setup.kind !== 'product' || without.kind !== 'product') return value;
  const { output } = setup.params;
  if (!isQuantized(output)) return value;
  const coded = { ...value, zero_point: output.zeroPoint };
  if (setup.steps.float || study.data.dynamic) return coded;
  const steps = (s: ProductSetup) =>
    stepsBeforeRounding(unrounded(s.steps), study.engine.inCall(s.params, value.sample))(
      study.engine.accumulator(s, study.subset)[i],
      value.channel,
      i,
      study.engine.addend(s, study.subset)?.[i],
    );
  const before = steps(without);
  const after = steps(setup);
  const toEven = without.steps.round === halfEven && Math.abs(before % 1) === 0.5 && { to_even: true as const };
  return {
    ...coded,
    ...toEven,
    before_rounding: before,
    ...(after === before ? {} : { before_rounding_found: after }),
  };
}

/** A fixed-point multiplier rounds inside: its product with the fraction that it had. */
function unrounded(steps: ProductSteps): ProductSteps {
  const { multiplierOf } = steps.multiplier as Partial<FixedPointStep>;
  if (!isFixedPoint(steps.multiplier) || !multiplierOf) return steps;
  const toSteps: MultiplierStep['toSteps'] = (product, output) => {
    const factors = Array.from({ length: product.outFeatures }, (_, n) => {
      const { multiplier, exponent } = multiplierOf(product, output, n);
      return multiplier * 2 ** (exponent - 31);
    });
    return (acc, channel, bias) => acc * factors[channel] + bias / output.scale;
  };
  return { ...steps, multiplier: { ...steps.multiplier, toSteps } };
}
