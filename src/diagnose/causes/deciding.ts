import { isQuantized } from '../../nouns/value.js';
import { stepsBeforeRounding } from '../../replay/product.js';
import type { Found } from '../cause.js';
import type { DecidingValue } from '../evidence.js';
import type { Setup } from '../setup.js';

/** The first value that the hypothesis gets right and its counterpart without this cause does not. */
export function decidingValue({ study, setup, without }: Found): DecidingValue | undefined {
  const declared = study.replay(without);
  const found = study.replay(setup);
  const { observed, samples } = study.subset;
  const i = observed.findIndex((value, at) => declared[at] !== value && found[at] === value);
  if (i < 0) return undefined;
  const channel = i % study.channels;
  const value = {
    sample: samples[Math.floor(i / study.channels)],
    channel,
    declared: declared[i],
    observed: observed[i],
    ...(isQuantized(setup.linear.output) ? { zero_point: setup.linear.output.zeroPoint } : {}),
  };
  if (setup.steps.float || study.data.dynamic || !isQuantized(setup.linear.output)) return value;
  const steps = (s: Setup) => stepsBeforeRounding(s.steps, s.linear)(study.accumulator(s)[i], channel);
  const before = steps(without);
  const after = steps(setup);
  return { ...value, before_rounding: before, ...(after === before ? {} : { before_rounding_found: after }) };
}
