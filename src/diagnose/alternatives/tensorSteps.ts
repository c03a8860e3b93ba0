/** What a layer on whole values may do otherwise than its kernel: what other kernels do, and what scripts do in real numbers. */

import { takesCodes } from '../../kernels/kernel.js';
import type { RealForm, RealValue, Variant } from '../../kernels/realForm.js';
import { FUNCTIONS, realFormOf, realsOf } from '../../kernels/reals.js';
import { tensorKernels } from '../../kernels/registry.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized } from '../../kernels/steps/call.js';
import { preluAten, shrunkOne } from '../../kernels/steps/multiply.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import { downward, halfAway, halfEven, halfUp, towardZero } from '../../kernels/steps/round.js';
import type { NumericArray } from '../../nouns/array.js';
import type { PreluAttributes } from '../../nouns/attributes.js';
import type { Kernel, RoundStep, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import type { CauseCode, CauseEvidence } from '../finding/evidence.js';
import { type Coordinate, FREEDOM, type TensorChange, type TensorSetup, withParams } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { TensorStudy } from '../study/study.js';
import { keepingEqual } from './joinedOperands.js';

/** What the op is in real numbers; null where it only picks codes. */
export function formOf({ data, declared }: TensorStudy): RealForm | null {
  const form = realFormOf(data.op);
  if (!form?.picks?.(declared.params.attributes)) return form;
  const { value: _, ...others } = form;
  return others;
}

/** How a script rounds real numbers. */
interface Script {
  readonly round: RoundStep;
  readonly zeroPointFirst: boolean;
  readonly float64: boolean;
}

/** Null where the op has no real numbers. */
function scripted(
  study: TensorStudy,
  { round, zeroPointFirst, float64 }: Script,
  value = formOf(study)?.value,
): TensorSteps | null {
  if (!value || !isQuantized(study.declared.params.output)) return null;
  const [v, width] = [zeroPointFirst ? 'v / sy + zp' : 'v / sy', float64 ? 'float64' : 'float32'];
  return {
    kind: 'tensor',
    equation: `${round.equation} of ${v} in ${width}${zeroPointFirst ? '' : ', then + zp'}`,
    rounds: { rule: round.name, zeroPointFirst },
    run(call) {
      const output = quantized(call.output);
      const { zeroPoint } = output;
      const isKept = mixesCodes(study) && quantized(call.inputs[0]).scale === output.scale;
      // of codes of one scale: the mean 4 / 4 stays 1
      const real = isKept ? value(inSteps(call)) : realsIn(study, value)(call);
      const unit = isKept ? 1 : output.scale;
      const steps = float64 ? (i: number) => real(i) / unit : (i: number) => f32(f32(real(i)) / f32(unit));
      const code = zeroPointFirst
        ? (v: number) => round.apply(float64 ? v + zeroPoint : f32(v + zeroPoint))
        : (v: number) => round.apply(v) + zeroPoint;
      const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
      const all = (off: number) => fill(call, (i) => clamp(code(steps(i) + off), lo, hi));
      const slack = slackOf(study, call.attributes);
      return slack === 0 ? all(0) : { data: all(0), low: all(-slack), high: all(slack) };
    },
  };
}

/** Whether a tie of real numbers falls to either side, whatever rule they are rounded by. */
export function leavesTiesOpen(study: TensorStudy): boolean {
  return slackOf(study, study.declared.params.attributes) > 0;
}

/** How far off the codes of a mix may be, since no float holds its weights. */
function slackOf(study: TensorStudy, attributes: unknown): number {
  const { whole } = study.data;
  return (whole && formOf(study)?.slack?.(attributes, whole.ready.shapes)) || 0;
}

/** Reals of a form; of what mixes codes these are mixed and then scaled: of 1 and -1 that is no less than 0. */
export function realsIn(study: TensorStudy, value: (call: TensorCall) => RealValue): (call: TensorCall) => RealValue {
  if (!mixesCodes(study)) return value;
  return (call) => {
    const { params } = call.inputs[0];
    if (!isQuantized(params)) return value(call);
    const mixed = value(inSteps(call));
    return (i) => params.scale * mixed(i);
  };
}

/** What comes out lies among the codes that are read. */
function mixesCodes(study: TensorStudy): boolean {
  return ofWindows(study) || formOf(study)?.is === 'mix';
}

/** A pool, or a mean over axes. */
export function ofWindows(study: TensorStudy): boolean {
  const { is } = formOf(study) ?? {};
  return is === 'mean' || is === 'maximum';
}

/** Of codes, less their zero points or another. */
export function inSteps(call: TensorCall, zeroPoint?: number): TensorCall {
  const inputs = call.inputs.map((input) => {
    const params = quantized(input);
    return { ...input, params: { ...params, scale: 1, zeroPoint: zeroPoint ?? params.zeroPoint } };
  });
  return { ...call, inputs };
}

/** Whether in float64. What is mixed of codes of one scale has no more digits than either width. */
function widthsOf(study: TensorStudy): readonly boolean[] {
  const { inputs, output } = study.declared.params;
  const isMixOfCodes =
    formOf(study)?.is === 'mix' && isQuantized(output) && quantized({ params: inputs[0] }).scale === output.scale;
  return isMixOfCodes ? [true] : [true, false];
}

/** Scripts that round to nearest, by when they add the zero point. */
export function scriptsToNearest(study: TensorStudy, zeroPointFirst: boolean): TensorSteps[] {
  if (!study.free) return [];
  return widthsOf(study).flatMap((float64) => scripted(study, { round: halfEven, zeroPointFirst, float64 }) ?? []);
}

/** Scripts that round by another rule. */
export function scriptsRounding(study: TensorStudy, round: RoundStep, zeroPointFirst = false): TensorSteps[] {
  if (!study.free) return [];
  return widthsOf(study).flatMap((float64) => {
    const steps = scripted(study, { round, zeroPointFirst, float64 });
    return steps ? [steps, keepingEqual(study, steps) ?? []].flat() : [];
  });
}

const NEAREST: Script = { round: halfEven, zeroPointFirst: false, float64: true };

/** Scripts that compute a function by its name, of one value the op's own among them. */
export function scriptsOfFunctions(study: TensorStudy, which: 'others' | 'alone'): [name: string, TensorSteps][] {
  const form: RealForm = formOf(study) ?? {};
  const { is, ofCodes } = form;
  if (!study.free || ofWindows(study)) return [];
  const others: NonNullable<RealForm['others']> = { ...form[which], ...(which === 'others' && ofCodes) };
  const tables = Object.entries(FUNCTIONS).map(([name, apply]) => [name, realsOf(apply)] as const);
  return (is === 'table' ? tables : Object.entries(others)).flatMap(([name, value]) =>
    widthsOf(study).flatMap((float64): [string, TensorSteps][] => {
      const steps = scripted(study, { ...NEAREST, float64 }, value);
      return steps ? [[name, { ...steps, equation: `${name}, ${steps.equation}` }]] : [];
    }),
  );
}

/** A script that computes a function of one value, to nearest; none where it makes floats. */
export function scriptsOf(study: TensorStudy, name: string, apply: (x: number) => number): TensorSteps[] {
  const steps = study.free ? scripted(study, NEAREST, realsOf(apply)) : null;
  return steps ? [{ ...steps, equation: `${name}, ${steps.equation}` }] : [];
}

/** Scripts that compute the function by a table of few bits, and divide down or to nearest. */
export function scriptsOfTables(study: TensorStudy): [name: string, TensorSteps][] {
  const { tables = {} } = study.free ? (formOf(study) ?? {}) : {};
  return Object.entries(tables).flatMap(([name, value]) =>
    [halfEven, halfUp, downward].flatMap((round): [string, TensorSteps][] => {
      const steps = scripted(study, { ...NEAREST, round }, value);
      return steps
        ? [[round === downward ? `${name}, divided down` : name, { ...steps, equation: `${name}, ${steps.equation}` }]]
        : [];
    }),
  );
}

/** Whether a setup gives what a script makes of the op's own function. */
export function isOwnFunction(study: TensorStudy, setup: TensorSetup): boolean {
  const steps = scripted(study, NEAREST);
  return steps !== null && study.sameOnSubset({ ...study.declared, steps }, setup);
}

/** Whether a setup gives what a script makes of its numbers that rounds to nearest, ties to even: nothing tells another rule from it. */
export function isToNearest(study: TensorStudy, setup: TensorSetup): boolean {
  return scriptsToNearest(study, false).some((steps) => study.sameOnSubset({ ...setup, steps }, setup));
}

/** Scripts that divide the sum of a window by another number, of what the file says it is divided by. */
export function scriptsDividedBy(study: TensorStudy, other: (count: number) => number): TensorSteps[] {
  const { is, value, count } = formOf(study) ?? {};
  if (!study.free || is !== 'mean' || !value || !count) return [];
  // codes are mixed in steps: a sum is an integer, which 37 / 25 * 25 is not
  const summed = isQuantized(study.declared.params.inputs[0]) ? roundHalfEven : (sum: number) => sum;
  const otherwise = (call: TensorCall): RealValue => {
    const [mean, n] = [value(call), count(call)];
    return (i) => summed(mean(i) * n(i)) / other(n(i));
  };
  return integersOf(study, otherwise);
}

/** A shift rounds its halves up, or all down, and C divides towards zero; of codes as they are ties go another way, and zero is another. */
const DIVIDED = [halfEven, halfUp, halfAway, downward, towardZero].map((round) => ({
  round,
  zeroPointFirst: false,
  float64: true,
}));
const OF_RAW_CODES = [halfEven, halfAway, towardZero].map((round) => ({ round, zeroPointFirst: true, float64: true }));

function integersOf(study: TensorStudy, value: (call: TensorCall) => RealValue, scripts = DIVIDED): TensorSteps[] {
  return scripts.flatMap((script) => scripted(study, script, value) ?? []);
}

/** Scripts that take something else of the same windows, by its name. */
export function scriptsOfWindows(study: TensorStudy): [name: string, TensorSteps][] {
  if (!study.free) return [];
  return Object.entries(formOf(study)?.others ?? {}).flatMap(([name, value]) =>
    integersOf(study, value, [...DIVIDED, ...OF_RAW_CODES]).map((steps): [string, TensorSteps] => [
      name,
      { ...steps, equation: `${name} of each window, ${steps.equation}` },
    ]),
  );
}

/** Reals of a form, of part of a layer. */
export function floatsOf(study: TensorStudy, of: (call: TensorCall) => RealValue, scope: Scope): NumericArray {
  const run: TensorSteps['run'] = (call) => {
    const real = of(call);
    return float32s({ length: call.samples * sizeOf(call.output.shape.dims) }, (_, i) => real(i));
  };
  const reals: TensorSetup = {
    ...study.declared,
    steps: { kind: 'tensor', equation: 'reals', run },
    params: { ...study.declared.params, output: { dtype: 'float32' } },
    stores: null,
  };
  return study.engine.outputs(reals, scope).data;
}

/** What every sum of a mean is divided by; null: windows differ. */
export function countOf(study: TensorStudy): number | null {
  const { count } = formOf(study) ?? {};
  if (!count) return null;
  const data = floatsOf(study, count, study.sketch);
  return data.every((own: number) => own === data[0]) ? data[0] : null;
}

/** Scripts that bring each term of a sum to the output's codes, and add those. */
export function scriptsRoundingTerms(study: TensorStudy, round: RoundStep): TensorSteps[] {
  const { terms, signs } = formOf(study) ?? {};
  if (!study.free || !terms || !isQuantized(study.declared.params.output)) return [];
  return [true, false].map((float64) => ({
    kind: 'tensor',
    equation: `${round.equation} of each v / sy in ${float64 ? 'float64' : 'float32'}, added, then + zp`,
    run(call) {
      const output = quantized(call.output);
      const { scale, zeroPoint } = output;
      const steps = (v: number) => (float64 ? v / scale : f32(f32(v) / f32(scale)));
      const all = terms(call);
      const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
      const code = (i: number) =>
        all.reduce((sum, term, n) => sum + (signs?.[n] ?? 1) * round.apply(steps(term(i))), zeroPoint);
      return fill(call, (i) => clamp(code(i), lo, hi));
    },
  }));
}

/** Scripts that bring one of two inputs to the other's scale, in whole codes, and scale what they come to together. */
export function scriptsRoundingOne(
  study: TensorStudy,
  round: RoundStep,
): { readonly steps: TensorSteps; readonly to: 0 | 1 }[] {
  const { terms, signs } = formOf(study) ?? {};
  const { inputs, output: own } = study.declared.params;
  const scales = inputs.map((input) => (isQuantized(input) ? input.scale : Number.NaN));
  if (!study.free || !terms || !isQuantized(own) || scales.length !== 2 || scales[0] === scales[1]) return [];
  return ([0, 1] as const).map((to) => {
    const unit = scales[to];
    const run: TensorSteps['run'] = (call) => {
      const { scale, zeroPoint } = quantized(call.output);
      const all = terms(call);
      const sum = (i: number) =>
        all.reduce((total, term, n) => total + (signs?.[n] ?? 1) * round.apply(term(i) / unit), 0);
      const [lo, hi] = clampOfCodes(call.activation, quantized(call.output), quantizeTwoRoundings);
      return fill(call, (i) => clamp(round.apply((sum(i) * unit) / scale) + zeroPoint, lo, hi));
    };
    const equation = `${round.equation} of each v / s${to}, added, then ${round.equation} of v * s${to} / sy, + zp`;
    return { steps: { kind: 'tensor', equation, run }, to };
  });
}

/** Kernels that have the op: those of the declared runtime, or all; what departs from the declared one. */
export function otherKernels(study: TensorStudy, wanted: CauseCode): { kernel: Kernel; steps: TensorSteps }[] {
  const { data, free, declared } = study;
  const seen = new Set([declared.steps]);
  return tensorKernels({ op: data.op, onFloats: data.onFloats }, data.kernel, data.ofLayer).filter(
    ({ kernel, steps }) => {
      // a whole runtime's own forms are compared with each other elsewhere
      if (kernel.wholeRuntime || seen.has(steps) || steps.lacks?.(declared.params)) return false;
      if (!data.onFloats && !declared.params.inputs.every(isQuantized)) return false; // theirs read codes
      if (!takesCodes(steps, [...declared.params.inputs, declared.params.output])) return false;
      if (!free && kernel.runtime !== data.kernel.runtime) return false;
      // rows as they are have no scale: what is read otherwise has a name of its own
      if (data.op === 'embedding' && !isQuantized(declared.params.output)) return false;
      seen.add(steps);
      return departureOf(study, steps) === wanted;
    },
  );
}

function departureOf(study: TensorStudy, other: TensorSteps): CauseCode {
  const { steps } = study.declared;
  if (formOf(study)?.is === 'table') return 'table-entry';
  if (steps.cutsOff || other.cutsOff) return 'rounding-truncate';
  return [steps, other].some(({ arithmetic }) => arithmetic === 'fixed-point')
    ? 'fixed-point-multiplier'
    : 'multiplier-precision';
}

/** What the kernel's step is known to be confused with. */
export function rivals({ free, declared: { steps } }: TensorStudy, wanted: CauseCode): TensorChange[] {
  const known = free ? (steps.rivals ?? []) : [];
  const own = known.filter(({ cause }) => cause === wanted);
  return own.map(({ steps, leftShift, rounding }) =>
    stepsChange(wanted, 'multiplier', steps, {
      ...(leftShift !== undefined && { left_shift: leftShift }),
      ...(rounding && { rounding }),
    }),
  );
}

/** A change of the kernel's step. */
export function stepsChange(
  cause: CauseCode,
  coordinate: Coordinate,
  steps: TensorSteps,
  found: CauseEvidence[CauseCode] = {},
  rare = false,
): TensorChange {
  return {
    cause,
    coordinate,
    freedom: FREEDOM.none,
    label: steps.equation,
    found,
    ...(rare && { rare: true as const }),
    apply: (setup) => ({ ...setup, steps }),
  };
}

/** Scripts that mix places of an image, also where the file only picks them. */
export function scriptsOfMixes(study: TensorStudy, rounds: readonly RoundStep[]): TensorSteps[] {
  const { is, value } = realFormOf(study.data.op) ?? {};
  if (!study.free || is !== 'mix') return [];
  return rounds.flatMap((round) => scripted(study, { ...NEAREST, round }, value) ?? []);
}

/** A change of how the op's fields are read. */
export function variantChange(cause: CauseCode, coordinate: Coordinate, { rule, attributes }: Variant): TensorChange {
  return {
    cause,
    coordinate,
    freedom: FREEDOM.none,
    label: rule,
    found: { rule },
    apply: (setup: TensorSetup) => withParams(setup, { attributes }),
  };
}

/** What PyTorch's PReLU multiplies positive values by, where that is not 1: whatever takes 1 has that in place of another precision. */
export function shrunkOneOf({ free, declared: { steps, params } }: TensorStudy): number | null {
  const [input] = params.inputs;
  if (!free || steps !== preluAten || !isQuantized(input)) return null;
  return shrunkOne(params.attributes as PreluAttributes, input);
}
