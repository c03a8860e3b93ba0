/**
 * A kernel's way from the accumulator to the output, put together of how its steps are written: one operation after another,
 * each rounded once. `explain` prints it, `golden` writes it as C. Kernels stay the truth: every value that is shown or written is
 * compared with their replay first.
 */

import { clampOfReals, limitedTo } from '../../kernels/steps/activation.js';
import { stepOfCall } from '../../kernels/steps/multiplier.js';
import type {
  CurveStep,
  FixedPointForm,
  MultiplierStep,
  PreparedBias,
  Product,
  ProductSteps,
  Step,
} from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import type { Operation, Precision } from '../../nouns/written.js';
import { f32, fma32 } from '../../numeric/float.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { stepsToCode } from '../../replay/product.js';

export interface Recipe {
  /** Every operation rounds to this. */
  readonly precision: Precision;
  /** int32, added to the accumulator first (wrapping); [outFeatures]. */
  readonly biasInt32: Int32Array | null;
  readonly biasFormula: string | null;
  /** Sums and bias are 64 bits: nothing wraps. */
  readonly wide: boolean;
  /** In place of operations: an int32 multiplier and a shift. */
  readonly fixedPoint: FixedPointForm | null;
  readonly operations: readonly Operation[];
}

/** A step that is not written in the form that is asked for. */
export interface Unwritten {
  readonly unwritten: Step;
}

export function isUnwritten(found: object): found is Unwritten {
  return 'unwritten' in found;
}

/** An int32 output is the sums themselves. */
const SUMS = { precision: 'float64', fixedPoint: null, operations: [] } as const;

/** Of a product that sums integers: a float one has no order of its own. added: the code of its second value, where one is known. */
export function recipeOf(record: ProductSteps, product: Product, added: number | null = null): Recipe | Unwritten {
  const { dynamic } = record;
  const multiplier = stepOfCall(dynamic?.multiplier ?? record.multiplier, product);
  const output = isQuantized(product.output) ? product.output : null;
  const prepared = dynamic ? ownBias(product) : record.bias.prepare(product);
  const real = prepared.unit === 'real' ? (channel: number) => prepared.values[channel] : null;
  const integers = prepared.unit === 'accumulator' ? prepared.integers : undefined;
  const before = prepared.unit === 'accumulator' && !integers ? [prepared.operation] : [];
  const scaled = multiplier.operations?.(product, output, real) ?? null;
  const joined = scaled && onReals(record, product, added);
  // what comes after the real value follows it
  const reals = joined && joined.length > 0 ? (multiplier.operations!(product, null, real)?.length ?? 0) : 0;
  if (reals > 0 && !multiplier.fromReal) return { unwritten: multiplier };
  const after = scaled && [...scaled.slice(0, reals), ...(joined ?? []), ...scaled.slice(reals)];
  const precision = precisionOf(multiplier, after);
  if (before.some((operation) => operation?.precision !== precision)) return { unwritten: record.bias };
  const int32 = integers ? narrowed(integers) : prepared.unit === 'int32' ? prepared : null;
  if ((integers && !int32) || int32?.numpy === null) return { unwritten: record.bias };
  const wide = record.accumulate.wide === true;
  if (output?.dtype === 'int32')
    return { ...SUMS, wide, biasInt32: int32?.values ?? null, biasFormula: int32?.numpy ?? null };
  const fixedPoint = output && multiplier.fixedPoint;
  if (fixedPoint && (real || before.length > 0)) return { unwritten: record.bias };
  if (!fixedPoint && !after) return { unwritten: multiplier };
  return {
    precision,
    biasInt32: int32?.values ?? null,
    biasFormula: int32?.numpy ?? null,
    wide,
    fixedPoint,
    operations: fixedPoint ? [] : [...(before as Operation[]), ...after!],
  };
}

/** What is done to the real value. */
function onReals({ onReals }: ProductSteps, product: Product, added: number | null): Operation[] {
  const { addend, curve } = product;
  const [add, bend] = [addend && onReals!.add!, curve && onReals!.curves[curve]!];
  const curved = bend ? [curveOperation(bend, product)] : [];
  return [...(add ? [add.operation(addend!, added)] : []), ...curved];
}

function curveOperation({ name, equation, prepare, numpy, c }: CurveStep, product: Product): Operation {
  const curve = { apply: prepare(product), numpy, c: c?.(product) ?? null };
  return { kind: 'curve', name, precision: 'float32', formula: numpy?.('v') ?? equation, operand: () => 0, curve };
}

/** Integers that are added as they are; null where int32 does not hold them. */
function narrowed(integers: ArrayLike<number>): { readonly values: Int32Array; readonly numpy: string } | null {
  const values = Int32Array.from(integers);
  return values.every((value, i) => value === integers[i]) ? { values, numpy: 'b' } : null;
}

/** A kernel may multiply some of its layers in another precision than the rest. */
function precisionOf({ arithmetic }: MultiplierStep, operations: readonly Operation[] | null): Precision {
  return operations?.at(0)?.precision ?? (arithmetic === 'float64' ? 'float64' : 'float32');
}

/** What a dynamic layer adds: to the reals, or the file's int32 to the sums. */
function ownBias({ bias, biasInt32 }: Product): PreparedBias {
  if (biasInt32) return { unit: 'int32', values: biasInt32, numpy: 'b' };
  return bias ? { unit: 'real', values: bias } : { unit: 'none' };
}

// ---------------------------------------------------------------- running it

interface TracedStep {
  readonly name: string;
  readonly value: number;
}

interface Traced {
  readonly steps: TracedStep[];
  readonly beforeRounding: number;
  readonly rounded: number | null;
  /** The code, or the float32 of a float output. */
  readonly value: number;
}

/** One value, operation after operation. What holds for all of a layer is prepared once: golden vectors trace every value. */
export function tracerOf(
  record: ProductSteps,
  product: Product,
  recipe: Recipe,
): (acc: number, channel: number, added?: number) => Traced {
  const output = isQuantized(product.output) ? product.output : null;
  const toCode = output && stepsToCode(record, product);
  const toSteps = recipe.fixedPoint && output && record.multiplier.toSteps(product, output);
  const held = (sum: number) => (recipe.wide ? sum : wrapInt32(sum));
  const to = recipe.precision === 'float32' ? f32 : (v: number) => v;
  return (acc, channel, added) => {
    const steps: TracedStep[] = [];
    const note = (name: string, value: number) => {
      steps.push({ name, value });
      return value;
    };
    const biased = recipe.biasInt32 ? note('bias', held(acc + recipe.biasInt32[channel])) : acc;
    if (toSteps) {
      const fixed = recipe.fixedPoint!.multiplierOf(product, output!, channel);
      const exact = biased * fixed.multiplier * 2 ** (fixed.exponent - 31);
      note('multiplier', exact);
      const rounded = toSteps(biased, channel, 0);
      return { steps, beforeRounding: exact, rounded, value: toCode!(rounded) };
    }
    let v = to(biased);
    for (const operation of recipe.operations) v = note(operation.name, applied(operation, v, channel, to, added));
    if (toCode) return { steps, beforeRounding: v, rounded: record.round.apply(v), value: toCode(v) };
    const value = limitedTo(clampOfReals(product.activation), f32(v));
    return { steps, beforeRounding: v, rounded: null, value };
  };
}

/** to: what the operation rounds to. */
export function applied(
  operation: Operation,
  v: number,
  channel: number,
  to: (v: number) => number,
  added?: number,
): number {
  const a = operation.operand(channel, added);
  switch (operation.kind) {
    case 'add':
      return to(v + a);
    case 'multiply':
      return to(v * a);
    case 'divide':
      return to(v / a);
    case 'fma':
      return fma32(a, operation.factor!(channel), v);
    case 'multiply-add':
      return fma32(v, a, operation.factor!(channel));
    case 'curve':
      return operation.curve!.apply(v);
  }
}
