/** Other scales in the multipliers of a product alone: its biases stay those of the declared scales, in units of sums. */

import { type ProductChange, type ProductSetup, withInput, withOutput, withParams } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { biasInUnits, withBiasInUnits } from './biases/biasUnits.js';

interface Scales {
  readonly input?: number;
  readonly weights?: number;
  readonly output?: number;
}

type OtherScales = Omit<ProductChange, 'apply' | 'forms'>;

/** What people leave out or exchange; a candidate's, which has all numbers. Beside another cause an estimate finds it. */
export function byOtherScales(study: ProductStudy, scales: Scales, change: OtherScales): ProductChange[] {
  if (!study.free || study.data.dynamic || !study.mayFollow(study.declared, true)) return [];
  const forms: ProductChange[] = [
    { ...change, apply: (setup) => scaled(setup, scales) },
    { ...change, label: `${change.label}, biases as they are`, apply: (setup) => inMultipliers(setup, scales) },
  ];
  const some = biasInUnits(study.declared) ? forms : forms.slice(0, 1);
  return some.filter(({ apply }) => study.agreesOnSubset(apply(study.declared)));
}

function scaled(setup: ProductSetup, { input, weights, output }: Scales): ProductSetup {
  const read = input === undefined ? setup : withInput(setup, { scale: input });
  const written = output === undefined ? read : withOutput(read, { scale: output });
  return weights === undefined
    ? written
    : withParams(written, { weightScale: written.params.weightScale.map(() => weights) });
}

function inMultipliers(setup: ProductSetup, scales: Scales): ProductSetup {
  const units = biasInUnits(setup);
  const own = scaled(setup, scales);
  return units ? withBiasInUnits(own, units) : own;
}
