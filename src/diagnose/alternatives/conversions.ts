/** What an elementwise layer may do otherwise than its kernel: what other kernels do, and what scripts do. */
import { elementwiseKernels } from '../../kernels/registry.js';
import { dequantizeFloat64 } from '../../kernels/steps/dequantize.js';
import {
  quantizeDivisionHalfAway,
  quantizeFma,
  quantizeOffsetFirst,
  quantizeOneDnn,
  quantizeSteps,
  quantizeTwoRoundings,
  quantizeZeroPointAfter,
} from '../../kernels/steps/quantize.js';
import { rescaleFloat64 } from '../../kernels/steps/rescale.js';
import { halfAway, halfEven } from '../../kernels/steps/round.js';
import type { ElementwiseSteps, QuantizeStep, RescaleStep, RoundStep } from '../../nouns/kernel.js';
import { f32, fma32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { addsZeroPoint, hasRoundedBound } from '../facts.js';
import type { CauseCode } from '../finding/evidence.js';
import type { Setup } from '../setup.js';
import type { ElementwiseStudy } from '../study/study.js';

// ---------------------------------------------------------------- scripts

/** How a script quantizes: by a division or by the reciprocal, in one width throughout. */
export interface Script {
  readonly round: RoundStep;
  readonly zeroPointFirst: boolean;
  readonly float64: boolean;
  /** `fused`: with the zero point, rounded once. */
  readonly by: 'division' | 'reciprocal' | 'fused';
}

interface ScriptedQuantize extends QuantizeStep {
  readonly script: Script;
}

export function scriptedQuantize(script: Script): ScriptedQuantize {
  const { round, zeroPointFirst, float64, by } = script;
  const quotient = by === 'division' ? 'x / s' : 'x * (1 / s)';
  const v = by === 'fused' ? 'fma(x, 1 / s, zp)' : zeroPointFirst ? `${quotient} + zp` : quotient;
  const equation = `${round.equation}, v = ${v}, in ${float64 ? 'float64' : 'float32'}`;
  return {
    name: equation,
    equation,
    numpy: null,
    script,
    prepare: ({ scale, zeroPoint, quantMin, quantMax }) => {
      const to = float64 ? (value: number) => value : f32;
      const [s, reciprocal] = [to(scale), to(1 / to(scale))];
      const divide = by === 'division' ? (real: number) => to(real / s) : (real: number) => to(real * reciprocal);
      const first =
        by === 'fused'
          ? (real: number) => fma32(real, reciprocal, zeroPoint)
          : (real: number) => to(divide(real) + zeroPoint);
      const code = zeroPointFirst
        ? (real: number) => round.apply(first(real))
        : (real: number) => round.apply(divide(real)) + zeroPoint;
      return (real) => clamp(code(real), quantMin, quantMax);
    },
  };
}

/** By the reals that the first and the last code stand for, as FakeQuantize has it (openvinotoolkit/openvino, intel/onnxruntime#707). */
function rangedQuantize(float64: boolean, by: 'division' | 'reciprocal'): QuantizeStep {
  const v =
    by === 'division' ? '(x - lo) / (hi - lo) * levels' : 'x * (levels / (hi - lo)) - lo * (levels / (hi - lo))';
  const equation = `rint(v) + q_min, v = ${v}, lo and hi the reals of q_min and q_max, in ${float64 ? 'float64' : 'float32'}`;
  return {
    name: equation,
    equation,
    numpy: null,
    prepare: ({ scale, zeroPoint, quantMin, quantMax }) => {
      const to = float64 ? (value: number) => value : f32;
      const [lo, hi] = [to((quantMin - zeroPoint) * scale), to((quantMax - zeroPoint) * scale)];
      const [range, levels] = [to(hi - lo), quantMax - quantMin];
      const multiplier = to(levels / range);
      const added = to(-lo * multiplier);
      const level =
        by === 'division'
          ? (real: number) => to(to(to(real - lo) / range) * levels)
          : (real: number) => to(to(real * multiplier) + added);
      return (real) => clamp(halfEven.apply(level(real)) + quantMin, quantMin, quantMax);
    },
  };
}

/** Null for a kernel's step. */
export function scriptOf(step: QuantizeStep | null): Script | null {
  return step && 'script' in step ? (step as ScriptedQuantize).script : null;
}

export interface ScriptedRescale extends RescaleStep {
  readonly round: RoundStep;
  readonly zeroPointFirst: boolean;
}

/** Codes to codes by a quotient in float64. */
export function scriptedRescale(round: RoundStep, zeroPointFirst = false): ScriptedRescale {
  const equation = `${round.equation}, v = d * (sx / sy)${zeroPointFirst ? ' + zp' : ''} in float64`;
  return {
    name: equation,
    equation,
    numpy: null,
    round,
    zeroPointFirst,
    prepare: ({ scale }, output) => {
      const multiplier = scale / output.scale;
      const added = zeroPointFirst ? output.zeroPoint : 0;
      return (centred) => round.apply(centred * multiplier + added) - added;
    },
  };
}

// ---------------------------------------------------------------- what steps do

/** Steps that add the zero point before rounding. */
const ZERO_POINT_FIRST: ReadonlySet<QuantizeStep> = new Set([
  quantizeFma,
  quantizeTwoRoundings,
  quantizeOffsetFirst,
  quantizeOneDnn,
]);

export function addsZeroPointFirst(step: QuantizeStep): boolean {
  return scriptOf(step)?.zeroPointFirst ?? ZERO_POINT_FIRST.has(step);
}

/** How a conversion rounds. */
export function roundOf({ quantize, rescale }: ElementwiseSteps): RoundStep {
  if (rescale) return (rescale as Partial<ScriptedRescale>).round ?? halfEven;
  return scriptOf(quantize)?.round ?? (quantize === quantizeDivisionHalfAway ? halfAway : halfEven);
}

/** Rounds inside of its multiplier. */
export function isFixedPoint({ rescale }: ElementwiseSteps): boolean {
  return rescale !== null && rescale !== rescaleFloat64;
}

/** To people. */
export function nameOf({ rescale, quantize, dequantize, bound }: ElementwiseSteps): string {
  return (rescale ?? quantize ?? dequantize ?? bound).equation;
}

// ---------------------------------------------------------------- what else there is

/** Another way to convert, and what it would be called. */
interface Conversion {
  readonly cause: CauseCode;
  readonly steps: ElementwiseSteps;
}

/**
 * The other conversions of a cause that the capture's runtime may have used, or, where any is possible, any runtime and a script.
 */
export function otherConversions(study: ElementwiseStudy, wanted: CauseCode): ElementwiseSteps[] {
  return allConversions(study).flatMap(({ cause, steps }) => (cause === wanted ? [steps] : []));
}

function allConversions(study: ElementwiseStudy): Conversion[] {
  const declared = study.declared.steps;
  const own = rivals(study);
  if (declared.rescale || (declared.quantize && declared.dequantize)) {
    return [...otherQuantizers(study, own), ...otherRescales(declared, own)];
  }
  if (declared.quantize) return otherQuantizers(study, own);
  if (declared.dequantize) return otherDequantizers(study, own);
  return hasRoundedBound(study.declared) ? otherBounds(study, own) : [];
}

/** What kernels do for the op: those of the declared runtime, or all. */
function rivals(study: ElementwiseStudy): ElementwiseSteps[] {
  const { op, kernel: declared } = study.data;
  return elementwiseKernels(op, declared)
    .filter(({ kernel }) => study.mayRun(kernel))
    .map(({ steps }) => steps);
}

/** PyTorch has two more, by dtype and by release. */
function otherQuantizers({ free, declared }: ElementwiseStudy, own: readonly ElementwiseSteps[]): Conversion[] {
  const { quantize: current } = declared.steps;
  if (!current) return [];
  const possible = new Set([...own.map(({ quantize }) => quantize), quantizeTwoRoundings, quantizeZeroPointAfter]);
  const others = quantizeSteps
    .filter((step) => step !== current && step !== quantizeDivisionHalfAway && (free || possible.has(step)))
    .map((step) => ({ cause: quantizeCause(declared, current, step), steps: { ...declared.steps, quantize: step } }));
  if (!free) return others;
  const orders = addsZeroPointFirst(current) ? [false, true] : [false];
  const inFloat64 = orders.map((zeroPointFirst) => ({
    cause: 'multiplier-precision' as const,
    steps: {
      ...declared.steps,
      quantize: scriptedQuantize({ round: halfEven, zeroPointFirst, float64: true, by: 'division' }),
    },
  }));
  const byRange = [true, false].flatMap((float64) =>
    (['division', 'reciprocal'] as const).map((by) => ({
      cause: 'multiplier-precision' as const,
      steps: { ...declared.steps, quantize: rangedQuantize(float64, by) },
    })),
  );
  return [...others, ...inFloat64, ...byRange];
}

function quantizeCause(setup: Setup, declared: QuantizeStep, other: QuantizeStep): CauseCode {
  if (declared === quantizeDivisionHalfAway || other === quantizeDivisionHalfAway) return 'rounding-half-away';
  const both = [declared, other];
  if (both.includes(quantizeFma) && both.includes(quantizeTwoRoundings)) return 'fma';
  return !addsZeroPoint(setup) || addsZeroPointFirst(declared) === addsZeroPointFirst(other)
    ? 'multiplier-precision'
    : 'zero-point-before-rounding';
}

function otherDequantizers({ free, declared }: ElementwiseStudy, own: readonly ElementwiseSteps[]): Conversion[] {
  const steps = new Set([...own.map(({ dequantize }) => dequantize), ...(free ? [dequantizeFloat64] : [])]);
  steps.delete(declared.steps.dequantize);
  return [...steps].map((dequantize) => ({
    cause: 'multiplier-precision',
    steps: { ...declared.steps, dequantize },
  }));
}

/** Codes of a clamp's bounds. */
function otherBounds({ declared }: ElementwiseStudy, own: readonly ElementwiseSteps[]): Conversion[] {
  const { steps } = declared;
  const bounds = new Set(own.map(({ bound }) => bound));
  bounds.delete(steps.bound);
  return [...bounds].map((bound) => ({
    cause: quantizeCause(declared, steps.bound, bound),
    steps: { ...steps, bound },
  }));
}

/** Codes to codes by a multiplier, or through reals. */
function otherRescales(declared: ElementwiseSteps, own: readonly ElementwiseSteps[]): Conversion[] {
  const byRescale = new Map(own.map((steps) => [steps.rescale ?? steps.quantize, steps]));
  return [...byRescale.values()]
    .filter(({ rescale }) => rescale !== declared.rescale)
    .map((steps) => ({
      cause: isFixedPoint(steps) || isFixedPoint(declared) ? 'fixed-point-multiplier' : 'multiplier-precision',
      steps,
    }));
}
