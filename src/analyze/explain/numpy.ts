/** One value as numpy that prints it: about ten lines, each float operation rounded as the kernel rounds it. */
import { leavesHolesOut } from '../../kernels/steps/accumulate.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import type { Product, ProductSteps, Step } from '../../nouns/kernel.js';
import type { Activation } from '../../nouns/model.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import type { Operation } from '../../nouns/written.js';
import { f32 } from '../../numeric/float.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { ofInputGrid } from '../../replay/product.js';
import { applied, isUnwritten, type Recipe, recipeOf } from './recipe.js';

/** One output channel of a linear layer on one sample. */
export interface OneValue {
  readonly steps: ProductSteps;
  /** With a single channel. */
  readonly product: Product;
  /** Input codes, as stored. */
  readonly x: ArrayLike<number>;
  /** Of a patch: the output's position. */
  readonly position?: number;
  /** The code of a second value that is added. */
  readonly added?: number;
  /** Zero points corrected, before bias. */
  readonly accumulator: number;
  readonly value: number;
}

type Written = OneValue & { readonly recipe: Recipe /** The code is made real again. */; readonly isReal: boolean };

/** Lines of Python; codes are written out, or read from a file by two lines of the caller's. */
export function numpySnippet(given: OneValue, codes: readonly [x: string, w: string]): string[] {
  const one = { ...given, ...ofInputGrid(given.steps, given.product) };
  const { steps, product } = one;
  if (steps.float) return floatSnippet(one, codes);
  const found = recipeOf(steps, product, one.added);
  if (isUnwritten(found)) return [noNumpy(found.unwritten)];
  const recipe = found;
  const written = { ...one, recipe, isReal: product !== given.product };
  const lines = accumulation(written);
  const rest = recipe.fixedPoint ? fixedPointLines(written) : operationLines(written);
  const missing = [lines, rest].find(isUnwritten);
  if (missing) return [noNumpy(missing.unwritten)];
  const body = [...(lines as string[]), ...(rest as string[])];
  return [
    IMPORT,
    ...codes,
    ...helpersOf([...body, ...recipe.operations.map(({ formula }) => formula)]),
    ...parameters(product),
    ...body,
  ];
}

export const IMPORT = 'import numpy as np; f32 = np.float32';

/** What stands in place of a snippet. */
export function noNumpy({ name, equation }: Step): string {
  return `# no numpy form of ${name}: ${equation}`;
}

/** What numpy has no name for; a snippet defines what its lines use. */
const HELPERS: readonly (readonly [name: string, line: string])[] = [
  ['R', 'R = lambda s: f32(1 / float(f32(1 / s)))  # scales are inverted twice'],
  // ties away from zero
  ['round_half_away', 'round_half_away = lambda v: np.copysign(int(abs(v)) + (abs(v) % 1 >= 0.5), v)'],
];

export function helpersOf(lines: readonly string[]): string[] {
  const isUsed = (name: string) => lines.some((line) => new RegExp(`\\b${name}\\(`).test(line));
  return HELPERS.filter(([name]) => isUsed(name)).map(([, line]) => line);
}

function biased({ recipe, accumulator }: Written): number {
  return recipe.biasInt32 ? wrapInt32(accumulator + recipe.biasInt32[0]) : accumulator;
}

/** The file's doubles; f32(...) rounds them where the kernel does. */
function parameters({ input, output, bias, biasInt32, weightScale, weightZeroPoint }: Product): string[] {
  const b = biasInt32?.[0] ?? bias?.[0];
  const x = `sx, zx, sw, zw = ${input.scale}, ${input.zeroPoint}, ${weightScale[0]}, ${weightZeroPoint[0]}`;
  const names = [...(isQuantized(output) ? ['sy', 'zy'] : []), ...(b === undefined ? [] : ['b'])];
  const values = [...(isQuantized(output) ? [output.scale, output.zeroPoint] : []), ...(b === undefined ? [] : [b])];
  return [x, ...(names.length > 0 ? [`${names.join(', ')} = ${values.join(', ')}`] : [])];
}

/** From codes to the accumulator, an int32 bias included. */
function accumulation(one: Written): string[] | { readonly unwritten: Step } {
  const { steps, product, recipe, accumulator } = one;
  if (!steps.accumulate.numpy) return { unwritten: steps.accumulate };
  const lines = [...holeLines(one), ...steps.accumulate.numpy(product)];
  if (Math.abs(exactSum(one)) > 2 ** 31 - 1) lines.push('acc = (acc + 2**31) % 2**32 - 2**31  # int32 wraps');
  if (!recipe.biasInt32) return lines;
  const bias = recipe.biasInt32[0];
  const wraps = Math.abs(accumulator + bias) > 2 ** 31 - 1 || Math.abs(bias) >= 2 ** 31 - 1;
  const formula = product.biasInt32 ? recipe.biasFormula : `int(${recipe.biasFormula})`;
  lines.push(`acc += ${wraps ? biased(one) - accumulator : formula}  # ${bias}`);
  return lines;
}

/** Which k of a patch are holes, where sums leave them out. */
function holeLines({ steps, product, position }: OneValue): string[] {
  const { patch, inFeatures } = product;
  if (!patch || position === undefined || !leavesHolesOut(steps.accumulate, product)) return [];
  const holes = [...patch.taps.at(position)].flatMap((at, tap) => (at < 0 ? tap : []));
  const { inChannels: channels } = patch;
  return [`hole = np.isin(np.arange(${inFeatures}) // ${channels}, [${holes.join(', ')}])  # taps that miss the image`];
}

function exactSum({ product, x }: OneValue): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++)
    sum += (x[k] - product.input.zeroPoint) * (product.weight[k] - product.weightZeroPoint[0]);
  return sum;
}

function operationLines(one: Written): string[] | { readonly unwritten: Step } {
  const { recipe } = one;
  const to = recipe.precision === 'float32' ? f32 : (x: number) => x;
  let v = recipe.precision === 'float32' ? 'f32(acc)' : 'float(acc)';
  let exact = to(biased(one));
  const lines: string[] = [];
  for (const operation of recipe.operations) {
    if (operation.curve?.numpy === null) return { unwritten: { name: operation.name, equation: operation.formula } };
    const before = exact;
    exact = applied(operation, before, 0, to);
    lines.push(`v = ${operationText(operation, v, before, exact)}`);
    v = 'v';
  }
  if (v !== 'v') lines.push(`v = ${v}`);
  const last = outputLines(one, exact);
  return isUnwritten(last) ? last : [...lines, ...last];
}

/** A fused operation that two roundings would miss is written as its result. */
function operationText(
  { kind, formula, factorFormula, operand, factor, curve }: Operation,
  v: string,
  from: number,
  to: number,
) {
  const a = operand(0);
  switch (kind) {
    case 'add':
      return `${v} + ${formula}`;
    case 'multiply':
      return `${v} * ${grouped(formula)}`;
    case 'divide':
      return `${v} / ${grouped(formula)}`;
    case 'fma': {
      const sum = `float(${formula}) * float(${factorFormula}) + float(${v})`;
      return fusedText(sum, f32(a * factor!(0) + from), to);
    }
    case 'multiply-add': {
      const sum = `float(${v}) * float(${formula}) + float(${factorFormula})`;
      return fusedText(sum, f32(from * a + factor!(0)), to);
    }
    case 'curve':
      return curve!.numpy!(v);
  }
}

function fusedText(sum: string, roundedTwice: number, fused: number): string {
  return `${roundedTwice === fused ? `f32(${sum})` : `f32(${fused})`}  # FMA: one rounding`;
}

/** A product of products is taken in the kernel's order. */
function grouped(formula: string): string {
  return /^[\w.]+\([^()]*\)$|^\(/.test(formula) || !/[*/]/.test(formula) ? formula : `(${formula})`;
}

/** Of v to what is printed. */
function outputLines({ steps, product, value, isReal }: Written, v: number): string[] | { readonly unwritten: Step } {
  const { output, activation } = product;
  if (!isQuantized(output)) return [`print(${realText(activation)})  # ${value}`];
  const { round, offsetAndClamp, bound } = steps;
  if (!round.numpy) return { unwritten: round };
  if (!offsetAndClamp.numpy) return { unwritten: offsetAndClamp };
  const [lo, hi] = clampOfCodes(activation, output, bound);
  const lines = offsetAndClamp.numpy(round.numpy, lo, hi, v);
  const code = `int(${lines.at(-1)})`;
  return [...lines.slice(0, -1), `print(${isReal ? `f32(sy) * f32(${code} - zy)` : code})  # ${value}`];
}

/** Of v to the float32 that is printed. */
function realText(activation: Activation): string {
  const real = 'f32(v)';
  if (activation === 'none') return real;
  if (activation === 'relu_n1_to_1') return `min(max(${real}, f32(-1)), f32(1))`;
  return activation === 'relu6' ? `min(max(${real}, f32(0)), f32(6))` : `max(${real}, f32(0))`;
}

function fixedPointLines(one: Written): string[] {
  const { product, steps, recipe, value } = one;
  const output = product.output as QuantParams;
  const fixed = recipe.fixedPoint!.multiplierOf(product, output, 0);
  const [lo, hi] = clampOfCodes(product.activation, output, steps.bound);
  return [
    `m, e = ${fixed.multiplier}, ${fixed.exponent}  # m * 2**(e - 31) = sx * sw / sy`,
    ...recipe.fixedPoint!.numpy('acc', biased(one), fixed),
    `print(min(max(q + zy, ${lo}), ${hi}))  # ${value}`,
  ];
}

/** The exact sum: no order of the kernel's is the right one. */
function floatSnippet({ steps, product, x, value }: OneValue, codes: readonly string[]): string[] {
  const { input, weightScale, weightZeroPoint, bias, biasInt32, output, activation } = product;
  const { product: sum, quantize } = steps.float!;
  if (sum.numpy === null) return [noNumpy(sum)];
  const b = bias?.[0] ?? (biasInt32 ? biasInt32[0] * input.scale * weightScale[0] : 0);
  const lines = [
    IMPORT,
    ...codes,
    `sx, zx, sw, zw = ${input.scale}, ${input.zeroPoint}, ${weightScale[0]}, ${weightZeroPoint[0]}`,
    `b = ${b}`,
    `v = ${sum.numpy} + b`,
  ];
  if (!isQuantized(output)) return [...lines, `print(${realText(activation)})  # ${value}`];
  if (!quantize.numpy) return [noNumpy(quantize)];
  const names = { x: 'v', s: String(output.scale), zp: String(output.zeroPoint) };
  const clamp = clampOfCodes(activation, output, steps.bound);
  const row = { rows: 1, cols: x.length, data: Int32Array.from(x) };
  const q = quantize.numpy(names, output, sum.run(row, product).exact[0]);
  return [...lines, `q = ${q}`, `print(int(np.clip(q, ${clamp.join(', ')})))  # ${value}`];
}
