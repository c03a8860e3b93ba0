/** Whether a hypothesis misses only values that lie so near to a border between codes that another base may give them. */

import { float64Product } from '../../kernels/steps/multiplier.js';
import { halfUp, insideMultiplier } from '../../kernels/steps/round.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import { isQuantized } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { stepsBeforeRounding, stepsToCode } from '../../replay/product.js';
import { isFixedPoint } from '../alternatives/departures.js';
import { type ProductSetup, withSteps } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';

/** Float32 rounds a number of steps four times at most. */
const RELATIVE = 2 ** -21;
/** Codes between which a wrapped one is sought. */
const MOST_CODES = 16;

/** @returns whether observed value i of the scope may be what a setup gives on another base */
export function reachOf(study: ProductStudy, setup: ProductSetup, scope: Scope): (i: number) => boolean {
  const sums = study.engine.accumulator(setup, scope);
  const params = study.engine.restrict(setup.params, scope);
  const { output, input } = params;
  if (!isQuantized(output)) return () => false;
  const steps = inDouble(setup).steps;
  const before = stepsBeforeRounding(steps, params);
  const code = stepsToCode(steps, params);
  const channels = params.outFeatures;
  const added = study.engine.addend(setup, scope);
  // a rounded bias moves a value by half a multiplier, the first of two roundings in fixed point by a whole one at most
  const units = float64s({ length: channels }, (_, n) => (input.scale * weightScaleOf(params, n)) / output.scale);
  const store = setup.stores?.apply ?? ((own: number) => own);
  return (i) => {
    const channel = i % channels;
    const v = before(sums[i], channel, i, added?.[i]);
    const slack = Math.abs(units[channel]) * 1.5 * (1 + RELATIVE) + Math.abs(v) * RELATIVE;
    const [least, most] = [code(v - slack), code(v + slack)];
    // counted: beyond 2^53, where zero points that are no codes may lie, c + 1 is c
    for (let n = 0; n <= MOST_CODES && least + n <= most; n++) if (store(least + n) === scope.observed[i]) return true;
    return most > least + MOST_CODES;
  };
}

/** Its multiplier in double precision, where it is one of the layer's numbers: fixed point keeps no fraction. */
function inDouble(setup: ProductSetup): ProductSetup {
  const { multiplier, round } = setup.steps;
  const own = round === insideMultiplier ? halfUp : round;
  return isFixedPoint(multiplier) ? withSteps(setup, { multiplier: float64Product, round: own }) : setup;
}
