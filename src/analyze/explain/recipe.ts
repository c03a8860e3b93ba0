/**
 * A kernel's way from the accumulator to the output, unrolled for people and other languages: one operation after another,
 * each rounded once, with its numpy formula. `explain` prints it, `golden` writes it as C. Kernels stay the truth: every
 * value that is shown or written is compared with their replay first.
 */

import { type FixedPointStep, fixedPointMultipliers } from '../../kernels/steps/multiplier.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { Product, ProductSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { stepsToCode } from '../../replay/product.js';

/** v = round(v + operand), round(v * operand), round(v / operand), round(operand * factor + v). */
export interface Operation {
  readonly kind: 'add' | 'multiply' | 'divide' | 'fma';
  /** What it is to people. */
  readonly name: string;
  /** numpy, of the Python floats sx, sw, sy, b; f32 is np.float32. */
  readonly formula: string;
  readonly operand: (channel: number) => number;
  /** Of an fma: what the operand is multiplied by, and its formula. */
  readonly factor?: (channel: number) => number;
  readonly factorFormula?: string;
}

export interface Recipe {
  /** Every operation rounds to this. */
  readonly precision: 'float32' | 'float64';
  /** int32, added to the accumulator first (wrapping); [outFeatures]. */
  readonly biasInt32: Int32Array | null;
  readonly biasFormula: string | null;
  /** In place of operations: an int32 multiplier and a shift. */
  readonly fixedPoint: FixedPointStep | null;
  readonly operations: readonly Operation[];
}

type Scale = 'sx' | 'sw' | 'sy';
type Formula = readonly [formula: string, value: (sx: number, sw: number, sy: number, b: number) => number];

/** What dynamic layers do after the accumulator. */
const DYNAMIC_MULTIPLIERS = new Map([
  ['dynamicFbgemm', 'float32ProductFused'],
  ['dynamicQnnpack', 'float32Product'],
  ['dynamicOneDnnBrgemm', 'oneDnnBrgemmInverted'],
  ['dynamicOneDnnGemm', 'oneDnnGemmInverted'],
  ['dynamicOnnxRuntime', 'float32Product'],
  ['dynamicOnnxRuntimeArm', 'float32ProductFused'],
]);

/** Throws for a step that no kernel of the registry has, and for a float linear (pt2e-reference), which has no order. */
export function recipeOf(record: ProductSteps, product: Product): Recipe {
  if (record.float) throw new Error('floats are summed in no fixed order');
  const { dynamic } = record;
  const output = isQuantized(product.output) ? product.output : null;
  const multiplier = dynamic ? DYNAMIC_MULTIPLIERS.get(dynamic.name) : record.multiplier.name;
  const bias = dynamic ? realBiasOf(product) : biasOf(record, product, output);
  const fixedPoint = output ? (fixedPointMultipliers.find((step) => step === record.multiplier) ?? null) : null;
  return {
    precision: multiplier?.startsWith('float64') ? 'float64' : 'float32',
    biasInt32: bias.int32,
    biasFormula: bias.formula,
    fixedPoint,
    operations: fixedPoint ? [] : operationsOf(multiplier ?? '', product, output, bias),
  };
}

interface Bias {
  readonly int32: Int32Array | null;
  readonly formula: string | null;
  /** Before the multiplier, in accumulator units. */
  readonly before: Operation | null;
  /** After the first stage, in real units. */
  readonly real: ((channel: number) => number) | null;
}

const INT32_FORMULAS: Readonly<Record<string, string>> = {
  int32BiasReciprocal: 'np.rint(f32(b) * (f32(1) / f32(sw * sx)))',
  int32BiasDivision32: 'np.rint(f32(b) / (f32(sx) * f32(sw)))',
  int32BiasFloat64: 'np.rint(b / (sx * sw))',
  int32BiasReciprocalHalfAway: 'round_half_away(f32(b) * (f32(1) / (f32(sx) * f32(sw))))',
};

const NO_BIAS: Bias = { int32: null, formula: null, before: null, real: null };

function biasOf(record: ProductSteps, product: Product, output: QuantParams | null): Bias {
  const prepared = record.bias.prepare(product);
  switch (prepared.unit) {
    case 'none':
      return NO_BIAS;
    case 'int32': {
      const formula = product.biasInt32 ? 'b' : INT32_FORMULAS[record.bias.name];
      return { ...NO_BIAS, int32: prepared.values, formula };
    }
    case 'real':
      return { ...NO_BIAS, real: (channel) => prepared.values[channel] };
    case 'accumulator': {
      if (record.bias.name !== 'floatBias' || !output) throw new Error(`no recipe for ${record.bias.name}`);
      const bias = product.bias!;
      const aw = (channel: number) => f32(f32(product.input.scale) * f32(weightScaleOf(product, channel)));
      const before: Operation = product.perChannel
        ? {
            kind: 'add',
            name: 'bias',
            formula: 'f32(b) / (f32(sx) * f32(sw))',
            operand: (channel) => f32(bias[channel] / aw(channel)),
          }
        : {
            kind: 'fma',
            name: 'bias',
            formula: 'f32(b)',
            operand: (channel) => bias[channel],
            factor: (channel) => f32(1 / aw(channel)),
            factorFormula: 'f32(1) / (f32(sx) * f32(sw))',
          };
      return { ...NO_BIAS, before };
    }
  }
}

function realBiasOf(product: Product): Bias {
  if (product.biasInt32) return { ...NO_BIAS, int32: product.biasInt32, formula: 'b' };
  const { bias } = product;
  return bias ? { ...NO_BIAS, real: (channel) => bias[channel] } : NO_BIAS;
}

// ---------------------------------------------------------------- multipliers, by the names of their steps

const R = (s: number) => f32(1 / f32(1 / s));

/** First stage: accumulator units to real ones. Second: real ones to steps. One entry each is multiplied. */
interface Stages {
  readonly toReal: readonly Formula[];
  readonly toSteps: Formula;
  readonly divides?: boolean;
}

const inverted = (scale: Scale, perChannel: boolean) =>
  scale === 'sw' && perChannel ? 'R(float(f32(sw)))' : `R(${scale})`;

const PRODUCT: Formula = ['f32(sx) * f32(sw)', (sx, sw) => f32(f32(sx) * f32(sw))];

function twoStages(name: string, product: Product): Stages | null {
  const w = (sw: number) => R(product.perChannel ? f32(sw) : sw);
  const wFormula = inverted('sw', product.perChannel);
  const divides = product.input.dtype === 'int8';
  switch (name) {
    case 'oneDnnGemm':
      return { toReal: [PRODUCT], toSteps: ['f32(1) / f32(sy)', (_x, _w, sy) => f32(1 / f32(sy))] };
    case 'oneDnnGemmInverted':
      return {
        toReal: [[`R(sx) * ${wFormula}`, (sx, sw) => f32(R(sx) * w(sw))]],
        toSteps: ['f32(1) / R(sy)', (_x, _w, sy) => f32(1 / R(sy))],
      };
    case 'oneDnnBrgemm':
      return {
        toReal: [
          ['f32(sx)', (sx) => f32(sx)],
          ['f32(sw)', (_x, sw) => f32(sw)],
        ],
        toSteps: divides
          ? ['f32(sy)', (_x, _w, sy) => f32(sy)]
          : ['f32(1) / f32(sy)', (_x, _w, sy) => f32(1 / f32(sy))],
        divides,
      };
    case 'oneDnnBrgemmInverted':
      return {
        toReal: [
          ['R(sx)', (sx) => R(sx)],
          [wFormula, (_x, sw) => w(sw)],
        ],
        toSteps: divides ? ['R(sy)', (_x, _w, sy) => R(sy)] : ['f32(1) / R(sy)', (_x, _w, sy) => f32(1 / R(sy))],
        divides,
      };
    default:
      return null;
  }
}

const PREMULTIPLIED: Readonly<Record<string, Formula>> = {
  float32Product: ['f32(sx) * f32(sw) / f32(sy)', (sx, sw, sy) => f32(f32(f32(sx) * f32(sw)) / f32(sy))],
  float32ProductFused: ['f32(sx) * f32(sw) / f32(sy)', (sx, sw, sy) => f32(f32(f32(sx) * f32(sw)) / f32(sy))],
  float32ProductReciprocal: [
    'f32(sw) * f32(sx) * (f32(1) / f32(sy))',
    (sx, sw, sy) => f32(f32(f32(sw) * f32(sx)) * f32(1 / f32(sy))),
  ],
  float64Product: ['(sx * sw / sy)', (sx, sw, sy) => (sx * sw) / sy],
  float64OfFloat32Scales: [
    '(float(f32(sx)) * float(f32(sw)) / float(f32(sy)))',
    (sx, sw, sy) => (f32(sx) * f32(sw)) / f32(sy),
  ],
};

function operationsOf(name: string, product: Product, output: QuantParams | null, bias: Bias): Operation[] {
  const { scale: sx } = product.input;
  const sy = output?.scale ?? 1;
  const operation = (kind: Operation['kind'], label: string, [formula, value]: Formula): Operation => ({
    kind,
    name: label,
    formula,
    operand: (channel) => value(sx, weightScaleOf(product, channel), sy, 0),
  });
  const real: Operation[] = bias.real
    ? [{ kind: 'add', name: 'bias', formula: name.startsWith('float64') ? 'b' : 'f32(b)', operand: bias.real }]
    : [];
  const stages = twoStages(name, product);
  if (stages) {
    const toReal = stages.toReal.map((formula) => operation('multiply', 'multiplier', formula));
    const toSteps = operation(stages.divides ? 'divide' : 'multiply', 'output scale', stages.toSteps);
    return [...toReal, ...real, ...(output ? [toSteps] : [])];
  }
  const one = PREMULTIPLIED[name];
  if (!one) throw new Error(`no recipe for the multiplier ${name}`);
  if (output) {
    if (bias.real) throw new Error(`no recipe for a real bias with ${name}`);
    return [...(bias.before ? [bias.before] : []), operation('multiply', 'multiplier', one)];
  }
  if (name === 'float32ProductFused' && bias.real) {
    // fma(f32(acc), f32(sx * sw), b): the accumulator is what is scaled, the bias what is added
    return [{ ...operation('fma', 'multiplier and bias', PRODUCT), factor: bias.real, factorFormula: 'f32(b)' }];
  }
  const scale: Formula = name.startsWith('float64') ? ['(sx * sw)', (x, w) => x * w] : PRODUCT;
  return [operation('multiply', 'multiplier', scale), ...real];
}

// ---------------------------------------------------------------- running it

export interface TracedStep {
  readonly name: string;
  readonly value: number;
}

/** One value, operation after operation; `value` is the code, or the float32 of a float output. */
export function trace(record: ProductSteps, product: Product, recipe: Recipe, acc: number, channel: number) {
  const steps: TracedStep[] = [];
  const note = (name: string, value: number) => {
    steps.push({ name, value });
    return value;
  };
  const biased = recipe.biasInt32 ? note('bias', wrapInt32(acc + recipe.biasInt32[channel])) : acc;
  const output = isQuantized(product.output) ? product.output : null;
  if (recipe.fixedPoint && output) {
    const fixed = recipe.fixedPoint.multiplierOf(product, output, channel);
    const exact = biased * fixed.multiplier * 2 ** (fixed.exponent - 31);
    note('multiplier', exact);
    const rounded = recipe.fixedPoint.toSteps(product, output)(biased, channel, 0);
    return { steps, beforeRounding: exact, rounded, value: stepsToCode(record, product)(rounded) };
  }
  const to = recipe.precision === 'float32' ? f32 : (v: number) => v;
  const toReal = output === null;
  let v = to(biased);
  for (const operation of recipe.operations) v = note(operation.name, apply(operation, v, channel, to, toReal));
  if (output) {
    return { steps, beforeRounding: v, rounded: record.round.apply(v), value: stepsToCode(record, product)(v) };
  }
  const real = f32(v);
  return { steps, beforeRounding: v, rounded: null, value: product.activation === 'relu' && real < 0 ? 0 : real };
}

function apply(
  { kind, operand, factor }: Operation,
  v: number,
  channel: number,
  to: (v: number) => number,
  toReal: boolean,
): number {
  const a = operand(channel);
  switch (kind) {
    case 'add':
      return to(v + a);
    case 'multiply':
      return to(v * a);
    case 'divide':
      return to(v / a);
    case 'fma':
      return toReal ? fma32(v, a, factor!(channel)) : fma32(a, factor!(channel), v);
  }
}
