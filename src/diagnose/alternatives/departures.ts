import { takes } from '../../kernels/kernel.js';
import { productKernels } from '../../kernels/registry.js';
import { isPaired, isWrapping } from '../../kernels/steps/accumulate.js';
import { quantizationOf, withArithmetic, withRange } from '../../kernels/steps/dynamic.js';
import { offsetsBeforeRounding } from '../../kernels/steps/offsetAndClamp.js';
import {
  downward,
  halfAway,
  halfDown,
  halfEven,
  halfThenDownward,
  halfThenTowardZero,
  halfTowardZero,
  halfUp,
  insideMultiplier,
  towardZero,
  upward,
} from '../../kernels/steps/round.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type {
  AccumulateStep,
  BiasStep,
  DynamicStep,
  Kernel,
  MultiplierStep,
  OffsetAndClampStep,
  ProductSteps,
  RoundStep,
} from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { addsZeroPoint } from '../facts.js';
import type { CauseCode } from '../finding/evidence.js';
import {
  type Change,
  type Coordinate,
  FREEDOM,
  type ProductChange,
  type ProductSetup,
  type Setup,
  withSteps,
} from '../setup.js';
import type { ProductStudy, Study } from '../study/study.js';

export type StepName = 'accumulate' | 'bias' | 'multiplier' | 'round' | 'offsetAndClamp' | 'dynamic';

export const ROUNDING_CAUSES: readonly (readonly [RoundStep, CauseCode])[] = [
  [halfAway, 'rounding-half-away'],
  [halfUp, 'rounding-half-up'],
  [towardZero, 'rounding-truncate'],
  [downward, 'rounding-floor'],
];
/** Of a candidate: no kernel has it. */
export const UP: readonly [RoundStep, CauseCode] = [upward, 'rounding-ceil'];
/** Of a candidate, where something is negative: elsewhere it is half up. */
export const HALF_ADDED: readonly [RoundStep, CauseCode] = [halfThenTowardZero, 'rounding-truncate'];
/** Likewise, with the half taken off what is negative before a shift. */
export const HALF_TAKEN: readonly [RoundStep, CauseCode] = [halfThenDownward, 'rounding-floor'];

const TIES_OF_HLS: readonly (readonly [RoundStep, CauseCode])[] = [
  [halfDown, 'rounding-half-up'],
  [halfTowardZero, 'rounding-half-away'],
];

/** Of a candidate whose multipliers are powers of two: elsewhere nothing is a tie. */
export function tiesOfHls(declared: ProductSetup): typeof TIES_OF_HLS {
  return isPowerOf2(declared) ? TIES_OF_HLS : [];
}

/** Every multiplier is the same number in floats: only ties tell it from one. */
export function isPowerOf2({ params }: ProductSetup): boolean {
  const { output, input } = params;
  if (!isQuantized(output)) return false;
  return params.weightScale.every((_, n) =>
    Number.isInteger(Math.log2((input.scale * weightScaleOf(params, n)) / output.scale)),
  );
}

/** A step's alternatives: those of the declared runtime's other kernels, or of every kernel where all are possible. */
export function kernelSteps<S extends StepName>(study: ProductStudy, step: S): ProductSteps[S][] {
  const declared = study.declared.steps;
  const possible = rivals(study).filter(({ kernel }) => study.mayRun(kernel));
  return [...new Set(possible.map(({ steps }) => steps[step]))].filter((alternative) => alternative !== declared[step]);
}

/** One change for each accumulator. */
export function accumulatorChanges(
  cause: 'int16-saturation' | 'accumulator-wraps',
  steps: readonly AccumulateStep[],
  study: ProductStudy,
): ProductChange[] {
  // where the runtime multiplies floats there are no sums of integers; only if it did not, they may have saturated
  const inFloat = Boolean(study.data.otherArithmetic);
  return steps.map((accumulate) => ({
    cause,
    coordinate: 'accumulator',
    freedom: FREEDOM.none,
    label: accumulate.name,
    apply: (setup) => (inFloat && setup.steps.float ? setup : withSteps(setup, { accumulate })),
  }));
}

/** What each other kernel does otherwise than the declared one, a change a cause. */
export function foreignKernels(study: ProductStudy): ProductChange[][] {
  return departuresTo(study, () => true);
}

/** The same for what runs under the declared engine on other CPUs, of several steps: one of those that compute the same. */
export function* unlikeSiblings(study: ProductStudy, setupOf: (changes: readonly Change[]) => Setup) {
  const { family } = study.data.kernel;
  const bases: ProductChange[][] = [];
  for (const base of departuresTo(study, (kernel) => kernel.family === family)) {
    const isKnown = (other: ProductChange[]) => areAlike(study, setupOf(base), setupOf(other));
    if (base.length < 2 || bases.some(isKnown)) continue;
    bases.push(base);
    yield base;
  }
}

function departuresTo(study: ProductStudy, isWanted: (kernel: Kernel) => boolean): ProductChange[][] {
  const { declared, data } = study;
  if (data.otherArithmetic && declared.steps.float) return [];
  const leadTo = (name: string, steps: ProductSteps) =>
    departures(declared, name, steps, data.dynamic?.reduceRange ?? false);
  return rivals(study)
    .filter(({ kernel }) => kernel !== data.kernel && isWanted(kernel))
    .flatMap(({ kernel: { name }, steps }) => {
      const [own, ...ranged] = overRanges(steps).map((ofRange) => leadTo(name, ofRange));
      // where a kernel does so by itself, none is believed to have run over another range than the file says
      return [own, ...ranged.map((changes) => changes.map((change) => ({ ...change, rare: true as const })))];
    })
    .filter((changes) => changes.length > 0);
}

/** A dynamic kernel may have run over another range than the file says. */
function overRanges(steps: ProductSteps): ProductSteps[] {
  const { dynamic } = steps;
  if (dynamic?.codes !== 'asked') return [steps];
  const ranged = (['7 bits', '8 bits'] as const).map((codes) => withRange(dynamic, { codes }));
  return [steps, ...ranged.map((other) => ({ ...steps, dynamic: other }))];
}

type Rivals = readonly { readonly kernel: Kernel; readonly steps: ProductSteps }[];

/** Asked for each change of each hypothesis. */
const rivalsOf = new WeakMap<ProductStudy['data'], Rivals>();

/** Every kernel that has the op with integer sums; those that the CPU is said not to run come last, and before them other runtimes' of a hybrid layer. */
export function rivals({ data }: ProductStudy): Rivals {
  const all = rivalsOf.get(data) ?? rivalsAmongAll(data);
  rivalsOf.set(data, all);
  return all;
}

function rivalsAmongAll(data: ProductStudy['data']): Rivals {
  const all = productKernels(data.op, data.kernel, data.ofLayer).filter(
    ({ steps }) => !steps.float && takes(steps, data.declared.params),
  );
  const isHybrid = data.declared.steps.dynamic?.over !== undefined;
  const rank = ({ kernel }: (typeof all)[number]) => {
    if (data.lacks?.(kernel)) return 2;
    return isHybrid && !kernel.ofLayer ? 1 : 0; // another runtime's steps give the same codes, as a rule
  };
  return all.sort((a, b) => rank(a) - rank(b));
}

/** Whether a change is a step of kernels only that the judged side cannot have run; one with the same effect is believed before it. */
export function isForeign(study: ProductStudy, { label }: Change): boolean {
  const having = rivals(study).filter(({ kernel, steps }) => [kernel.name, steps.dynamic?.name].includes(label));
  return having.length > 0 && !having.some(({ kernel }) => study.mayRun(kernel));
}

/** The changes, one a cause, that turn the declared kernel into another. */
export function departures(
  setup: ProductSetup,
  name: string,
  kernel: ProductSteps,
  reduceRange: boolean,
): ProductChange[] {
  const declared = setup.steps;
  const steps = new Map<CauseCode, Partial<ProductSteps>>();
  const change = <S extends StepName>(step: S, cause: CauseCode) => {
    if (kernel[step] !== declared[step]) steps.set(cause, { ...steps.get(cause), [step]: kernel[step] });
  };
  const toCodes = isQuantized(setup.params.output); // floats are neither rounded nor multiplied by an integer
  const fixed = toCodes && isFixedPoint(kernel.multiplier) !== isFixedPoint(declared.multiplier);
  const multiplierCause =
    // named by what is found: a float in place of an integer is no fixed point
    toCodes && isFixedPoint(kernel.multiplier) ? 'fixed-point-multiplier' : 'multiplier-precision';
  change('accumulate', accumulatorCause(declared, kernel));
  if (!declared.dynamic || bothOnInputGrid(declared.dynamic, kernel.dynamic)) {
    change('multiplier', multiplierCause);
    // a fixed-point multiplier carries its int32 bias and its own rounding: one cause, not three
    change('bias', fixed ? multiplierCause : biasCause(declared.bias, kernel.bias));
    change(
      'round',
      fixed || !toCodes || kernel.round === insideMultiplier
        ? multiplierCause
        : roundingCause(declared.round, kernel.round),
    );
    const moved =
      addsZeroPoint(setup) && addsZeroPointFirst(declared.offsetAndClamp) !== addsZeroPointFirst(kernel.offsetAndClamp);
    change('offsetAndClamp', moved && !fixed ? 'zero-point-before-rounding' : multiplierCause);
  }
  const changes = [...steps].map(
    ([cause, changed]): ProductChange => ({
      cause,
      coordinate: coordinateOf(cause),
      freedom: FREEDOM.none,
      label: name,
      apply: (setup) => withSteps(setup, changed),
    }),
  );
  const { dynamic } = declared;
  return dynamic && kernel.dynamic ? [...changes, ...dynamicDepartures(dynamic, kernel.dynamic, reduceRange)] : changes;
}

/** Then they have the steps of a layer on codes. */
function bothOnInputGrid(declared: DynamicStep, other: DynamicStep | null): boolean {
  return declared.onInputGrid === true && other?.onInputGrid === true;
}

/** Over what its input is spread, and how all else but the sums is computed. */
function dynamicDepartures(declared: DynamicStep, other: DynamicStep, reduceRange: boolean): ProductChange[] {
  const quantization = (step: DynamicStep) => quantizationOf(step, reduceRange);
  const { grain, codes } = other;
  const changes: ProductChange[] = [];
  if (quantization(declared) !== quantization(withRange(declared, { grain, codes }))) {
    changes.push(dynamicChange('activation-range', codes, (step) => withRange(step, { grain, codes })));
  }
  if (declared.onInputGrid || other.onInputGrid) return changes;
  const arithmetic = withArithmetic(declared, other);
  if (quantization(declared) !== quantization(arithmetic) || declared.multiplier !== other.multiplier) {
    changes.push(dynamicChange('multiplier-precision', other.name, (step) => withArithmetic(step, other)));
  }
  return changes;
}

/** One change of how a dynamic layer reads its input, or makes reals of its sums. */
export function dynamicChange(
  cause: 'activation-range' | 'multiplier-precision',
  label: string,
  move: (step: DynamicStep) => DynamicStep,
): ProductChange {
  return {
    cause,
    coordinate: cause === 'activation-range' ? 'x_range' : 'multiplier',
    freedom: FREEDOM.none,
    label,
    apply(setup) {
      const { dynamic, float } = setup.steps;
      if (!dynamic) return setup; // tried in a layer after it that chooses nothing
      // whatever range its codes have, a graph multiplies their reals
      return withSteps(setup, { dynamic: move(dynamic), ...(cause === 'activation-range' && { float }) });
    },
  };
}

export function isFixedPoint(step: MultiplierStep): boolean {
  return step.arithmetic === 'fixed-point';
}

export function isInt32Bias(step: BiasStep): boolean {
  return step.arithmetic === 'int32';
}

export function addsZeroPointFirst(step: OffsetAndClampStep): boolean {
  return offsetsBeforeRounding.includes(step);
}

function biasCause(declared: BiasStep, other: BiasStep): CauseCode {
  return isInt32Bias(declared) === isInt32Bias(other) ? 'multiplier-precision' : 'bias-int32';
}

/** Named by the one of the two rules that is not ties to even. */
export function roundingCause(declared: RoundStep, other: RoundStep): CauseCode {
  const rule = other === halfEven ? declared : other;
  return (
    [...ROUNDING_CAUSES, UP, ...TIES_OF_HLS, HALF_ADDED, HALF_TAKEN].find(([step]) => step === rule)?.[1] ??
    'fixed-point-multiplier'
  );
}

function accumulatorCause(declared: ProductSteps, kernel: ProductSteps): CauseCode {
  const step = isPaired(kernel.accumulate) ? kernel.accumulate : declared.accumulate;
  return isWrapping(step) ? 'accumulator-wraps' : 'int16-saturation';
}

function coordinateOf(cause: CauseCode): Coordinate {
  if (cause === 'int16-saturation' || cause === 'accumulator-wraps') return 'accumulator';
  if (cause === 'bias-int32') return 'bias';
  if (cause === 'zero-point-before-rounding') return 'offset';
  return cause.startsWith('rounding') ? 'round' : 'multiplier';
}

/** Kernels that differ in their sums' blocks only, where that is no difference. Other steps may differ for other numbers. */
function areAlike(study: Study, one: Setup, other: Setup): boolean {
  if (one.kind !== 'product' || other.kind !== 'product') return false;
  return (
    one.steps.multiplier === other.steps.multiplier &&
    one.steps.dynamic === other.steps.dynamic &&
    study.sameOnSubset(one, other)
  );
}
