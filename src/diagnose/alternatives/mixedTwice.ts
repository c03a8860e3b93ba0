/** Resizes that scripts compute in two passes of whole codes: each row is mixed and rounded, then those, or each column. */
import type { Line } from '../../kernels/realForm.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import { downward, halfAway, halfEven, halfUp, towardZero } from '../../kernels/steps/round.js';
import type { ResampleAttributes } from '../../nouns/attributes.js';
import type { RoundStep, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import type { Fact } from '../cause.js';
import { isTensorStudy, type TensorStudy } from '../study/study.js';
import { formOf, inSteps, scriptsOfMixes } from './tensorSteps.js';

export interface MixedTwice {
  readonly first: Line;
  readonly round: RoundStep;
  /** How neighbours are weighed, where not by real numbers. */
  readonly weights: string | null;
  /** Of the fields that weigh them so. */
  readonly attributes: unknown;
  readonly steps: TensorSteps;
}

/** Codes of an image that come out between each other, of rows and columns. */
export const mixesRowsAndColumns: Fact = (study) => {
  if (!isTensorStudy(study) || !study.free) return false;
  const { is, value, lines } = formOf(study) ?? {};
  const { output } = study.declared.params;
  const { dims } = study.data.whole!.ready.shapes.output;
  return is === 'mix' && value !== undefined && lines !== undefined && isQuantized(output) && dims.length === 3;
};

/** Those of which one rounding by the same rule would not be the same. */
export function mixesTwice(study: TensorStudy): MixedTwice[] {
  const { declared, data } = study;
  const { attributes } = declared.params;
  const inBits = (formOf(study)?.gridsInBits?.(attributes, data.whole!.ready.shapes) ?? []).filter((variant) =>
    isOwnGrid(variant.attributes as ResampleAttributes, attributes as ResampleAttributes),
  );
  const real = rulesOf(study).map(([round, off]) => ({ round, off, weights: null, attributes }));
  const shifted = inBits.flatMap(({ rule, attributes: own }) =>
    [halfUp, downward].map((round) => ({ round, off: 0, weights: rule, attributes: own })),
  );
  return [...real, ...shifted].flatMap(({ round, off, weights, attributes: own }) => {
    const fits = (steps: TensorSteps) =>
      study.agreesOnSubset({ ...declared, steps, params: { ...declared.params, attributes: own } });
    const found = (['rows', 'columns'] as const)
      .map((first) => ({ first, round, weights, attributes: own, steps: inPasses(study, first, round, off) }))
      .filter(({ steps }) => fits(steps));
    return found.length > 0 && scriptsOfMixes(study, [round]).some(fits) ? [] : found;
  });
}

function isOwnGrid(of: ResampleAttributes, own: ResampleAttributes): boolean {
  const fields = ['mode', 'alignCorners', 'asymmetric', 'halfPixelCenters'] as const;
  return fields.every((field) => (of[field] ?? false) === (own[field] ?? false));
}

/** Raw, or less a zero point that moves which codes are even, and where zero is. */
function rulesOf({ declared }: TensorStudy): readonly (readonly [RoundStep, off: number])[] {
  const { zeroPoint, quantMin } = declared.params.output as QuantParams;
  const aroundZero = [halfAway, towardZero];
  return [
    ...[halfEven, halfUp, downward, ...(quantMin < 0 ? aroundZero : [])].map((round) => [round, 0] as const),
    ...(zeroPoint === 0 ? [] : aroundZero).map((round) => [round, zeroPoint] as const),
    ...(zeroPoint % 2 === 0 ? [] : [[halfEven, zeroPoint] as const]),
  ];
}

function inPasses(study: TensorStudy, first: Line, round: RoundStep, off: number): TensorSteps {
  const { lines } = formOf(study)!;
  return {
    kind: 'tensor',
    equation: `${round.equation} of each ${first.slice(0, -1)} mixed, then of those${off === 0 ? '' : ', then + zp'}`,
    run(call) {
      const mix = lines!(inSteps(call, off), first, round.apply);
      const [lo, hi] = clampOfCodes(call.activation, quantized(call.output), quantizeTwoRoundings);
      return fill(call, (i) => clamp(mix(i) + off, lo, hi));
    },
  };
}
