import type { FixedPointStep } from '../../kernels/steps/multiplier.js';
import { offsetClampRound64, roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { decomposed } from '../../kernels/steps/quantize.js';
import {
  halfAway,
  halfDown,
  halfEven,
  halfThenDownward,
  halfThenTowardZero,
  halfTowardZero,
  halfUp,
  towardZero,
} from '../../kernels/steps/round.js';
import type { HybridQuantizeStep } from '../../kernels/steps/tflite/hybrid.js';
import type {
  DynamicStep,
  ElementwiseSteps,
  FloatPath,
  ProductSteps,
  RoundStep,
  TensorSteps,
} from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { otherConversions, scriptedQuantize } from '../alternatives/conversions.js';
import {
  addsZeroPointFirst,
  HALF_ADDED,
  HALF_TAKEN,
  isFixedPoint,
  isPowerOf2,
  kernelSteps,
  ROUNDING_CAUSES,
  roundingCause,
  tiesOfHls,
  UP,
} from '../alternatives/departures.js';
import { valuesShifted } from '../alternatives/fixedPointValues.js';
import { isOneAway, movesNegatives } from '../alternatives/halves.js';
import {
  ALONE,
  CUTTING,
  hasNegativeCodes,
  type ScriptedRounding,
  scriptsOf,
  WAYS,
} from '../alternatives/scriptedRounding.js';
import {
  formOf,
  isToNearest,
  leavesTiesOpen,
  otherKernels,
  scriptsRounding,
  scriptsToNearest,
  stepsChange,
} from '../alternatives/tensorSteps.js';
import type { Cause, Found } from '../cause.js';
import type { RoundingEvidence } from '../finding/evidence.js';
import {
  type Change,
  FREEDOM,
  type ProductChange,
  type ProductSetup,
  type TensorChange,
  type TensorSetup,
  withSteps,
} from '../setup.js';
import {
  isElementwiseStudy,
  isProductStudy,
  isTensorStudy,
  type ProductStudy,
  type Study,
  type TensorStudy,
} from '../study/study.js';
import { ruleCode } from '../words/code.js';
import { stepFix, stepLines } from '../words/fixes.js';
import { tieSentence, ties } from '../words/parts.js';
import { explanationOfRounding, titleOfRounding } from '../words/roundings.js';
import { decidingValue } from './deciding.js';
import { isRelu } from './relu.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'rounding-half-away': RoundingEvidence;
    'rounding-half-up': RoundingEvidence;
    'rounding-truncate': RoundingEvidence;
    'rounding-floor': RoundingEvidence;
    'rounding-ceil': RoundingEvidence;
  }
}

type RoundingCode =
  | 'rounding-half-away'
  | 'rounding-half-up'
  | 'rounding-truncate'
  | 'rounding-floor'
  | 'rounding-ceil';

/** Rounding other than the declared kernel's; one cause a rule. `title` and `does` say what it does, `fix` what a candidate does instead. */
function rounding(
  code: RoundingCode,
  { title, does, fix }: Record<'title' | 'does' | 'fix', string>,
): Cause<RoundingCode> {
  return {
    code,
    kinds: ['product', 'elementwise', 'tensor'],
    whose: 'kernel',

    changes: (study) => {
      const changes = changesOf(study, code);
      // beside another cause it is rounded down, by one more
      return code === 'rounding-ceil'
        ? changes.filter((own) => study.agreesOnSubset(own.apply(study.declared)))
        : changes;
    },

    shows: (found) => {
      const { study, setup, change } = found;
      const { half_added: added, half_taken: taken } = (change.found ?? {}) as RoundingEvidence;
      if ((added || taken) && isOneAway(found, added ? 1 : -1)) return false;
      if (isTensorStudy(study)) return study.declared.steps.cutsOff || !isToNearest(study, setup as TensorSetup);
      if (setup.kind !== 'product' || !isProductStudy(study)) return true;
      // where nothing is below zero it is half up, which is what one rounding in fixed point is
      if (added && study.sameOnSubset(withSteps(setup, { round: halfUp }), setup)) return false;
      return isRuleNeeded(study, setup) && (!OF_TIES.includes(code) || isOfTie(found));
    },

    evidence: (found) => ({ deciding: decidingValue(found) }),

    words: {
      title: (e) => titleOfRounding(e, title),
      explanation: (e) => explanationOfRounding(e, does),
      evidence: (e, context) => [tieSentence(e.deciding, context), ties(e.ties)],
      fix: (e, context) =>
        e.to_nearest ? stepFix('cut the fraction off: a cast to integer does')(e, context) : stepFix(fix)(e, context),
      code: (e, context) => (e.to_nearest ? [] : stepLines(ruleCode('halfEven'))!(e, context)),
    },
  };
}

function changesOf(study: Study, code: RoundingCode): Change[] {
  if (isProductStudy(study)) return ofProduct(study, code) as Change[];
  if (isTensorStudy(study)) return ofTensor(study, code) as Change[];
  if (!isElementwiseStudy(study)) return [];
  // what converts by another rule has another arithmetic as well: where that alone explains, it is believed
  const conversions = otherConversions(study, code).map((steps): ScriptedRounding => ({ steps }));
  return [...conversions, ...scriptsOf(study, code)].map(({ steps, found }) => ({
    ...change(code, steps),
    rare: true,
    ...(found && { found }),
  }));
}

const OF_TIES: readonly RoundingCode[] = ['rounding-half-away', 'rounding-half-up'];
/** In steps: what float32 makes a tie of. */
const NEAR_HALF = 1e-4;

/** A multiplier that rounds twice takes 2.4993 past a half: that is no rule of ties, where it is what the rule was found on. */
function isOfTie(found: Found): boolean {
  const { study, without } = found;
  const steps = decidingValue(found)?.before_rounding;
  if (steps === undefined || !study.sameOnSubset(without, study.declared)) return true;
  return Math.abs(Math.abs(steps - Math.trunc(steps)) - 0.5) < NEAR_HALF * Math.max(1, Math.abs(steps) / 128);
}

/** With the zero point added where it is now, the declared rule gives other values: else its place is what differs. */
function isRuleNeeded(study: ProductStudy, setup: ProductSetup): boolean {
  const { round } = study.declared.steps;
  if ([setup, study.declared].some(({ steps }) => steps.float || steps.dynamic || isFixedPoint(steps.multiplier)))
    return true;
  return !study.sameOnSubset({ ...setup, steps: { ...setup.steps, round } }, setup);
}

function change(code: RoundingCode, steps: Partial<ProductSteps> | Partial<ElementwiseSteps>): Change {
  const { round, offsetAndClamp } = steps as Partial<ProductSteps>;
  const ofCode = offsetAndClamp === offsetClampRound64 && { zero_point_added: true as const };
  return {
    cause: code,
    coordinate: 'round',
    freedom: FREEDOM.none,
    label: labelOf(steps),
    ...(round === halfDown && { found: { ties_go: 'down' as const } }),
    ...(round === halfTowardZero && { found: { ties_go: 'towards zero' as const } }),
    ...(ofCode && { found: ofCode }),
    ...(round && isOfHalves(round) && { found: { ...halfOf(round), ...ofCode } }),
    apply: (setup) => withSteps(setup, steps),
  };
}

const isOfHalves = (round: RoundStep) => round === halfThenTowardZero || round === halfThenDownward;

function halfOf(round: RoundStep): Pick<RoundingEvidence, 'half_added' | 'half_taken'> {
  return round === halfThenDownward ? { half_taken: true } : { half_added: true };
}

function labelOf(steps: Partial<ProductSteps> | Partial<ElementwiseSteps>): string {
  return Object.values(steps)
    .map((step) => (step as { name: string } | null)?.name)
    .join(', ');
}

function rulesOf(study: ProductStudy) {
  return [
    ...ROUNDING_CAUSES,
    UP,
    ...tiesOfHls(study.declared),
    ...(halvesCut(study.declared).length > 0 ? [HALF_ADDED] : []),
    ...(movesNegatives(study, -1) ? [HALF_TAKEN] : []),
  ];
}

/** (int)(v + 0.5) and (int)(v + zp + 0.5), where that may be negative: elsewhere either is half up. */
function halvesCut(declared: ProductSetup): Partial<ProductSteps>[] {
  const { output } = declared.params;
  const seesNegatives = !isQuantized(output) || (!isRelu(declared) && output.zeroPoint > output.quantMin);
  const ofCode = isQuantized(output) && output.quantMin < 0 && output.zeroPoint !== 0;
  return [
    ...(seesNegatives ? [{ round: halfThenTowardZero, offsetAndClamp: roundThenOffset }] : []),
    ...(ofCode ? [{ round: halfThenTowardZero, offsetAndClamp: offsetClampRound64 }] : []),
  ];
}

function ofProduct(study: ProductStudy, code: RoundingCode): ProductChange[] {
  const { steps: declared } = study.declared;
  if (declared.dynamic && !declared.dynamic.onInputGrid) return study.free ? ofCalls(code, declared.dynamic) : [];
  if (isFixedPoint(declared.multiplier)) return study.free ? onFixedPoint(study, code) : [];
  const rules = study.free ? [halfEven, ...rulesOf(study).map(([step]) => step)] : kernelSteps(study, 'round');
  return rules
    .filter((round) => round !== declared.round && roundingCause(declared.round, round) === code)
    .flatMap((round) => {
      if (declared.float) return [onFloatPath(code, declared.float, round)];
      return ordersOf(study.declared, round).map((steps) => onAnyBase(code, round, steps));
    });
}

/** Of what a layer quantizes by itself, as its kernel does, and as scripts do; of a sum that is never negative trunc is floor, and half away half up. */
function ofCalls(code: RoundingCode, { quantize: own }: DynamicStep): ProductChange[] {
  return ALONE.filter(([, cause]) => cause === code).flatMap(([round]) => {
    const orders = round === towardZero || round === halfAway ? [false] : [false, true];
    const scripts = orders.flatMap((zeroPointFirst) =>
      WAYS.filter(({ by }) => by !== 'fused' || zeroPointFirst).map((way) =>
        scriptedQuantize({ round, zeroPointFirst, ...way }),
      ),
    );
    const otherwise = (own as Partial<HybridQuantizeStep>).roundedBy?.(round);
    return [...(otherwise ? [otherwise] : []), ...scripts].map(
      (quantize): ProductChange => ({
        ...(change(code, { round }) as ProductChange),
        label: quantize.name,
        rare: true,
        apply: (setup) => withSteps(setup, { dynamic: { ...setup.steps.dynamic!, quantize } }),
      }),
    );
  });
}

/** Of v, and where the zero point comes first of v + zp. Of a sum that is never negative trunc is floor, and half away half up. */
function ordersOf(declared: ProductSetup, round: RoundStep): Partial<ProductSteps>[] {
  if (round === halfThenTowardZero) return halvesCut(declared);
  const { steps, params } = declared;
  const ofCode =
    round === towardZero && hasNegativeCodes(declared) ? [{ round, offsetAndClamp: offsetClampRound64 }] : [];
  if (!addsZeroPointFirst(steps.offsetAndClamp)) return [{ round }, ...ofCode];
  const ofValue = { round, offsetAndClamp: roundThenOffset };
  const isUnsigned = isQuantized(params.output) && params.output.quantMin >= 0;
  return isUnsigned && [towardZero, halfAway].includes(round) ? [ofValue] : [ofValue, { round }];
}

/** On a base in fixed point the rule takes the place of its last rounding. */
function onAnyBase(code: RoundingCode, round: RoundStep, steps: Partial<ProductSteps>): ProductChange {
  const own = change(code, steps) as ProductChange;
  const inForm = (form: number): ProductChange => ({ ...own, apply: (setup) => roundedIn(setup, form, round, steps) });
  return { ...inForm(0), forms: [inForm(1), inForm(2)] };
}

/** A border is cut off from any form of the product; how ties go is asked of the declared form, which has a rule for them already. */
function onFixedPoint(study: ProductStudy, code: RoundingCode): ProductChange[] {
  const { multiplier } = study.declared.steps;
  const { unrounded = [], rounding: declared } = multiplier as Partial<FixedPointStep>;
  const [own, halves] = declared === 'double' ? [halfAway, 'rounding-half-away'] : [halfUp, 'rounding-half-up'];
  const ties = declared === 'single' ? [[halfAway, 'rounding-half-away'] as const] : [];
  const cut = rulesOf(study).filter(([round]) => CUTTING.includes(round));
  const rules = [...cut, ...ties, ...tiesOfHls(study.declared), [halfEven, halves] as const];
  return rules
    .filter(([round, cause]) => cause === code && round !== own)
    .flatMap(([round]) => {
      const forms = CUTTING.includes(round) ? unrounded : unrounded.slice(0, 1);
      const orders =
        round === halfThenTowardZero
          ? halvesCut(study.declared)
          : [
              roundThenOffset,
              ...(round === towardZero && hasNegativeCodes(study.declared) ? [offsetClampRound64] : []),
            ].map((offsetAndClamp) => ({ round, offsetAndClamp }));
      return orders.flatMap((steps) =>
        forms.map(
          ({ name }, form): ProductChange => ({
            ...(change(code, steps) as ProductChange),
            ...(round === halfEven && { found: { to_even: true as const } }),
            label: `${labelOf(steps)}, ${name}`,
            rare: round === halfEven && !isPowerOf2(study.declared),
            apply: (setup) => roundedIn(setup, form, round, steps),
          }),
        ),
      );
    });
}

/** By a rule, from a form of the multiplier without its own last rounding; a float one has none. */
function roundedIn(setup: ProductSetup, form: number, round: RoundStep, steps: Partial<ProductSteps>): ProductSetup {
  const { multiplier } = setup.steps;
  if (!isFixedPoint(multiplier)) return withSteps(setup, steps);
  const unrounded = (multiplier as Partial<FixedPointStep>).unrounded?.[form];
  return unrounded
    ? withSteps(setup, { offsetAndClamp: roundThenOffset, ...steps, multiplier: unrounded, round })
    : setup;
}

/** The float path rounds where it quantizes, unless another change has left it; `round` tells estimators how far a code reaches. */
function onFloatPath(code: RoundingCode, { product }: FloatPath, round: RoundStep): ProductChange {
  const steps = { float: { product, quantize: decomposed(round.name, round.apply) }, round };
  return {
    ...(change(code, steps) as ProductChange),
    apply: (setup) => (setup.steps.float ? withSteps(setup, steps) : roundedIn(setup, 0, round, { round })),
  };
}

/** A mean has a cause of its own. */
function ofTensor(study: TensorStudy, code: RoundingCode): TensorChange[] {
  if (formOf(study)?.is === 'mean') return [];
  const { cutsOff } = study.declared.steps;
  const ofTies = OF_TIES.includes(code);
  if (cutsOff && ofTies) return []; // it has none
  const kernels = otherKernels(study, code).map(({ steps }) => steps);
  const scripts = cutsOff && code === 'rounding-truncate' ? toNearest(study) : [];
  const others = [...kernels, ...scripts].map((steps) =>
    stepsChange(code, 'round', steps, cutsOff ? { to_nearest: true } : {}),
  );
  const cut = ALONE.filter(([, cause]) => cause === code && !(ofTies && leavesTiesOpen(study))).flatMap(([round]) =>
    (round === towardZero && hasNegativeCodes(study.declared) ? [false, true] : [false]).flatMap((first) =>
      scriptsRounding(study, round, first).map((steps) =>
        stepsChange(code, 'round', steps, first ? { zero_point_added: true } : {}),
      ),
    ),
  );
  const shifted = code === 'rounding-floor' ? valuesShifted(study) : [];
  cut.push(...shifted.map((steps) => stepsChange(code, 'round', steps)));
  return [...others, ...cut, ...halvesOf(study).filter(({ cause }) => cause === code)];
}

/** (int)(v + 0.5), and of codes that may be negative with the zero point first; a half taken off what is negative, where it looks so. */
function halvesOf(study: TensorStudy): TensorChange[] {
  if (leavesTiesOpen(study)) return [];
  const orders = hasNegativeCodes(study.declared) ? [false, true] : [false];
  const rules = [
    ...orders.map((first) => [HALF_ADDED, first] as const),
    ...(movesNegatives(study, -1) ? [[HALF_TAKEN, false] as const] : []),
  ];
  return rules
    .flatMap(([[round, cause], first]) =>
      scriptsRounding(study, round, first).map((steps) =>
        stepsChange(cause, 'round', steps, { ...halfOf(round), ...(first && { zero_point_added: true as const }) }),
      ),
    )
    .filter((own) => study.agreesOnSubset(own.apply(study.declared)));
}

/** What cuts codes off has no rule of ties. */
function toNearest(study: TensorStudy): TensorSteps[] {
  const even = [true, false].flatMap((zeroPointFirst) => scriptsToNearest(study, zeroPointFirst));
  return [...even, ...[halfUp, halfAway].flatMap((round) => scriptsRounding(study, round))];
}

export const roundingHalfAway = rounding('rounding-half-away', {
  title: 'ties rounded away from zero',
  does: 'Exact halves go away from zero, where the reference takes the even neighbour.',
  fix: 'round ties to even: rint() or nearbyint() in C, np.rint in numpy; round() and lround() go away from zero',
});
export const roundingHalfUp = rounding('rounding-half-up', {
  title: 'ties rounded up',
  does: 'Exact halves go up, where the reference takes the even neighbour.',
  fix: 'round ties to even: rint() or nearbyint() in C, np.rint in numpy; floor(v + 0.5) and an added half before a shift go up',
});
export const roundingTruncate = rounding('rounding-truncate', {
  title: 'rounded towards zero',
  does: 'The fraction is cut off, where the reference rounds to the nearest.',
  fix: 'round before the conversion to integer: rint() in C, np.rint in numpy; a cast cuts off',
});
export const roundingFloor = rounding('rounding-floor', {
  title: 'rounded down',
  does: 'The fraction is floored, where the reference rounds to the nearest.',
  fix: 'round before the conversion to integer: rint() in C, np.rint in numpy; an arithmetic shift to the right floors',
});
export const roundingCeil = rounding('rounding-ceil', {
  title: 'rounded up',
  does: 'Every fraction goes up, where the reference rounds to the nearest.',
  fix: 'round before the conversion to integer: rint() in C, np.rint in numpy; ceil() goes up',
});
