/** One value as numpy that prints it: about ten lines, each float operation rounded as the kernel rounds it. */
import { isPaired, neonMlalInt16Wrap, type PairedAccumulateStep } from '../../kernels/steps/accumulate.js';
import type { Product, ProductSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import type { Operation, Recipe } from './recipe.js';

/** One output channel of a linear layer on one sample. */
export interface OneValue {
  readonly steps: ProductSteps;
  /** With a single channel. */
  readonly product: Product;
  readonly recipe: Recipe;
  /** Input codes, as stored. */
  readonly x: ArrayLike<number>;
  /** Zero points corrected, before bias. */
  readonly accumulator: number;
  readonly value: number;
}

/** Lines of Python; codes are written out, or read from a file by two lines of the caller's. */
export function numpySnippet(one: OneValue, codes: readonly [x: string, w: string]): string[] {
  const { product, recipe } = one;
  const lines = ['import numpy as np; f32 = np.float32', ...codes, ...parameters(one), ...accumulation(one)];
  if (recipe.fixedPoint) return [...lines, ...fixedPointLines(one)];
  let v = recipe.precision === 'float32' ? 'f32(acc)' : 'float(acc)';
  let exact = recipe.precision === 'float32' ? f32(biased(one)) : biased(one);
  for (const operation of recipe.operations) {
    const { text, value } = operationLine(operation, v, exact, recipe, !isQuantized(product.output));
    lines.push(`v = ${text}`);
    v = 'v';
    exact = value;
  }
  if (v !== 'v') lines.push(`v = ${v}`);
  return [...lines, ...outputLines(one, exact)];
}

function biased({ recipe, accumulator }: OneValue): number {
  return recipe.biasInt32 ? (accumulator + recipe.biasInt32[0]) | 0 : accumulator;
}

/** The file's doubles; f32(...) rounds them where the kernel does. */
function parameters({ product, recipe }: OneValue): string[] {
  const { input, output, bias, biasInt32 } = product;
  const b = biasInt32?.[0] ?? bias?.[0];
  const helpers = [
    ...(usesInverse(recipe) ? ['R = lambda s: f32(1 / float(f32(1 / s)))  # scales are inverted twice'] : []),
    ...(usesHalfAway(recipe) || recipe.biasFormula?.startsWith('round_half_away') ? [HALF_AWAY] : []),
  ];
  const x = `sx, zx, sw, zw = ${input.scale}, ${input.zeroPoint}, ${product.weightScale[0]}, ${product.weightZeroPoint[0]}`;
  const names = [...(isQuantized(output) ? ['sy', 'zy'] : []), ...(b === undefined ? [] : ['b'])];
  const values = [...(isQuantized(output) ? [output.scale, output.zeroPoint] : []), ...(b === undefined ? [] : [b])];
  return [...helpers, x, ...(names.length > 0 ? [`${names.join(', ')} = ${values.join(', ')}`] : [])];
}

/** Ties away from zero, which numpy has no name for. */
export const HALF_AWAY = 'round_half_away = lambda v: np.copysign(int(abs(v)) + (abs(v) % 1 >= 0.5), v)';

function usesInverse({ operations }: Recipe): boolean {
  return operations.some(({ formula }) => formula.includes('R('));
}

function usesHalfAway({ precision, operations }: Recipe): boolean {
  return precision === 'float64' && operations.some(({ formula }) => formula.includes('float(f32('));
}

function accumulation(one: OneValue): string[] {
  const { steps, product, recipe, accumulator } = one;
  const step = steps.accumulate;
  const lines =
    isPaired(step) && step.applies(product) ? pairedLines(step, product) : ['acc = int(((x - zx) * (w - zw)).sum())'];
  if (Math.abs(exactSum(one)) > 2 ** 31 - 1) lines.push('acc = (acc + 2**31) % 2**32 - 2**31  # int32 wraps');
  if (!recipe.biasInt32) return lines;
  const bias = recipe.biasInt32[0];
  const wraps = Math.abs(accumulator + bias) > 2 ** 31 - 1;
  const formula = product.biasInt32 ? 'b' : `int(${recipe.biasFormula})`;
  lines.push(`acc += ${wraps ? biased(one) - accumulator : formula}  # ${bias}`);
  return lines;
}

function exactSum({ product, x }: OneValue): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++)
    sum += (x[k] - product.input.zeroPoint) * (product.weight[k] - product.weightZeroPoint[0]);
  return sum;
}

/** Products are added in pairs at int16; a zero where an odd block of k ends leaves its last product alone. */
function pairedLines(step: PairedAccumulateStep, product: Product): string[] {
  const { inFeatures } = product;
  const shift = step.codeShift(product);
  const terms = shift === 0 ? 'x * w' : `(x ${shift > 0 ? '+' : '-'} ${Math.abs(shift)}) * w`;
  const zx = shift === 0 ? 'zx' : `(zx ${shift > 0 ? '+' : '-'} ${Math.abs(shift)})`;
  const rest = `.sum() - ${zx}*w.sum()${product.weightZeroPoint[0] === 0 ? '' : ' - zw*(x - zx).sum()'})`;
  if (step === neonMlalInt16Wrap) {
    const padding = -inFeatures & 15;
    const products = padding === 0 ? `(${terms})` : `np.pad(${terms}, (0, ${padding}))`;
    return [
      `p = ${products}.reshape(-1, 2, 8).sum(1)  # k and k + 8 in int16`,
      `acc = int(((p + 32768) % 65536 - 32768)${rest}`,
    ];
  }
  const { first, second } = step.pairs(inFeatures);
  const ends = [...first.keys()].filter((p) => second[p] < 0).map((p) => first[p] + 1);
  const products = ends.length === 0 ? `(${terms})` : `np.insert(${terms}, [${ends.join(', ')}], 0)`;
  return [`p = ${products}.reshape(-1, 2).sum(1)  # pairs, in int16`, `acc = int(np.clip(p, -32768, 32767)${rest}`];
}

/** The line, and its value; a fused operation that two roundings would miss is written as its result. */
function operationLine(
  { kind, formula, factorFormula, operand, factor }: Operation,
  v: string,
  value: number,
  recipe: Recipe,
  toReal: boolean,
) {
  const to = recipe.precision === 'float32' ? f32 : (x: number) => x;
  const a = operand(0);
  switch (kind) {
    case 'add':
      return { text: `${v} + ${formula}`, value: to(value + a) };
    case 'multiply':
      return { text: `${v} * ${grouped(formula)}`, value: to(value * a) };
    case 'divide':
      return { text: `${v} / ${grouped(formula)}`, value: to(value / a) };
    case 'fma': {
      const c = factor!(0);
      const [term, added] = toReal
        ? [`float(${v}) * float(${formula})`, factorFormula!]
        : [`float(${formula}) * float(${factorFormula})`, v];
      const fused = toReal ? fma32(value, a, c) : fma32(a, c, value);
      const twice = toReal ? f32(value * a + c) : f32(a * c + value);
      const text = twice === fused ? `f32(${term} + float(${added}))` : `f32(${fused})`;
      return { text: `${text}  # FMA: one rounding`, value: fused };
    }
  }
}

/** A product of products is taken in the kernel's order. */
function grouped(formula: string): string {
  return /^[\w.]+\([^()]*\)$|^\(/.test(formula) || !/[*/]/.test(formula) ? formula : `(${formula})`;
}

function outputLines({ steps, product, recipe, value }: OneValue, v: number): string[] {
  const { output, activation } = product;
  if (!isQuantized(output)) return [`print(${activation === 'relu' ? 'max(f32(v), f32(0))' : 'f32(v)'})  # ${value}`];
  const lo = activation === 'relu' ? Math.max(output.quantMin, output.zeroPoint) : output.quantMin;
  const range = `${lo}, ${output.quantMax}`;
  const { name } = steps.offsetAndClamp;
  const before = name === 'offsetClampRound';
  const round = usesHalfAway(recipe) ? 'round_half_away' : 'np.rint';
  const code = before ? `${round}(np.clip(v + f32(zy), ${range}))` : `np.clip(${round}(v) + zy, ${range})`;
  const leavesInt32 = name === 'packInt16' && !(Math.abs(v) < 2 ** 31);
  const lines = leavesInt32 ? ['v = f32(-32768)  # int32 overflows to -2^31'] : [];
  return [...lines, `print(int(${code}))  # ${value}`];
}

function fixedPointLines(one: OneValue): string[] {
  const { product, recipe, value } = one;
  const { output, activation } = product;
  if (!isQuantized(output)) throw new Error('a fixed-point multiplier gives codes');
  const { multiplier, exponent } = recipe.fixedPoint!.multiplierOf(product, output, 0);
  const lo = activation === 'relu' ? Math.max(output.quantMin, output.zeroPoint) : output.quantMin;
  const lines = [`m, e = ${multiplier}, ${exponent}  # m * 2**(e - 31) = sx * sw / sy`];
  const shifted = exponent > 0 ? biased(one) * 2 ** exponent : biased(one);
  if (recipe.fixedPoint!.rounding === 'single') lines.push('q = (acc * m + (1 << 30 - e)) >> (31 - e)');
  else {
    const left = exponent <= 0 ? 'acc' : shifted === (shifted | 0) ? '(acc << e)' : String(shifted | 0);
    lines.push(`q = (${left} * m + 2**30) >> 31`);
    if (exponent < 0 && recipe.fixedPoint!.rounding === 'double-up') lines.push('q = (q + (1 << -e - 1)) >> -e');
    if (exponent < 0 && recipe.fixedPoint!.rounding === 'double') {
      lines.push('q = (abs(q) + (1 << -e - 1) >> -e) * (1 if q > 0 else -1)  # ties away from 0');
    }
  }
  return [...lines, `print(min(max(q + zy, ${lo}), ${output.quantMax}))  # ${value}`];
}
