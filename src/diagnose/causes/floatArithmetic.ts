import { anyOrderFloat32 } from '../../kernels/steps/floatLinear.js';
import { quantizeDecomposed } from '../../kernels/steps/quantize.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { Cause } from '../cause.js';
import { hasBase } from '../facts.js';
import { FREEDOM, withSteps } from '../setup.js';
import type { ProductStudy } from '../study/study.js';

/** So unlikely that values differ within the bound by chance. */
const CHANCE = 1e-6;

/** Computed in float32 on dequantized values where the reference is integer; inside the error that float32 allows. */
export const floatArithmetic: Cause<'float-arithmetic', 'product'> = {
  code: 'float-arithmetic',
  kinds: ['product'],
  needs: [hasBase],
  whose: 'kernel',

  estimate: (study, base) => {
    if (base !== study.declared || !isNoChance(study)) return [];
    return [
      {
        cause: 'float-arithmetic',
        coordinate: 'multiplier',
        freedom: FREEDOM.numberPerChannel,
        tiny: true,
        label: 'float32',
        apply: (setup) => withSteps(setup, { float: FLOAT, round: halfEven }),
      },
    ];
  },

  evidence: ({ study, setup, without }) => {
    const { low, high } = study.outputs(setup, study.subset);
    const integer = study.values(without);
    let [steps, open] = [0, 0];
    study.subset.observed.forEach((value: number, i: number) => {
      steps = Math.max(steps, Math.abs(value - integer[i]));
      if (low && high && low[i] < high[i]) open++;
    });
    return { steps, within_bound: open, of: integer.length };
  },
};

const FLOAT = { product: anyOrderFloat32, quantize: quantizeDecomposed };

/** The bound leaves few values open, and those that differ are among them. Looked at by parts, until the rest cannot change it. */
function isNoChance(study: ProductStudy): boolean {
  const setup = withSteps(study.declared, { float: FLOAT, round: halfEven });
  const differing = study.differing.reduce((sum, d) => sum + d, 0);
  if (differing < 3) return false;
  const { length } = study.subset.observed;
  const isFew = (open: number) => (open / length) ** differing < CHANCE;
  let [open, seen] = [0, 0];
  study.eachChunk(study.subset, (part) => {
    const { low, high } = study.outputs(setup, part);
    if (!low || !high) open = Number.POSITIVE_INFINITY;
    else for (let i = 0; i < low.length; i++) if (low[i] < high[i]) open++;
    seen += part.observed.length;
    return isFew(open) && !isFew(open + length - seen);
  });
  return isFew(open);
}
