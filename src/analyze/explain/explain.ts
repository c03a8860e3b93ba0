/** One value, worked out step by step under each kernel of interest. */

import type { ExplainColumn, ExplainDocument } from '../../documents/explain.js';
import { productSteps } from '../../kernels/kernel.js';
import { isPaired, losingPairs } from '../../kernels/steps/accumulate.js';
import { clampOfCodes } from '../../kernels/steps/activation.js';
import type { Codes, Kernel, Product, ProductSteps } from '../../nouns/kernel.js';
import type { Layer } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import type { FixedPointMultiplier } from '../../nouns/written.js';
import { float64s } from '../../numeric/array.js';
import { largestFirst } from '../../numeric/extremes.js';
import { quantizeMultiplier } from '../../numeric/fixedPoint.js';
import { f32 } from '../../numeric/float.js';
import { ofInputGrid, replayProduct, stepsBeforeRounding } from '../../replay/product.js';
import { numpySnippet } from './numpy.js';
import { explainedPatch } from './patch.js';
import { isUnwritten, recipeOf, tracerOf } from './recipe.js';

/** Codes are written out in the snippet up to here; longer rows are read from repro.npz. */
const MOST_INLINE_CODES = 32;
const MOST_PRODUCTS = 5;

/** A value to explain: its layer with one output channel, and what was observed. */
export interface ValueToExplain {
  readonly layer: string;
  readonly op: string;
  readonly arithmetic?: Layer['arithmetic'];
  readonly inputName: string;
  /** Of a second input that is added. */
  readonly addendName?: string;
  readonly sample: number;
  readonly channel: number;
  /** Its position; undefined where a channel has one value. */
  readonly at?: number[];
  /** One output channel. For a dynamic layer the input parameters are those that were chosen. */
  readonly product: Product;
  /** Input codes, one row. */
  readonly x: Codes;
  /** Of a layer that quantizes its own input: both as a kernel makes them; `product` and `x` are the declared kernel's. */
  readonly quantizedFor?: (kernel: Kernel) => Pick<ValueToExplain, 'product' | 'x'>;
  readonly captured: number | null;
  readonly candidate: number | null;
  /** The same on what the candidate read; null: not known. */
  readonly read: Pick<ValueToExplain, 'product' | 'x'> | null;
  /** The declared kernel first. */
  readonly kernels: readonly Kernel[];
  /** The layer's diagnosis, whatever it names. */
  readonly causes: readonly string[];
}

/** As one kernel reads it. */
export function under(value: ValueToExplain, kernel: Kernel): ValueToExplain {
  return { ...value, ...value.quantizedFor?.(kernel) };
}

export function explain(value: ValueToExplain): ExplainDocument {
  const { layer, op, channel, sample, at, captured, candidate, product, x, kernels } = value;
  const columns = kernels.map((kernel) => columnOf(kernel, under(value, kernel)));
  const { output } = product;
  const products = largestProducts(product, x);
  const pair = columns.flatMap(({ saturating_pairs }) => saturating_pairs).at(0);
  const patch = explainedPatch(product, x, pair?.k[0] ?? products[0].k);
  return {
    format: 'qdiff-explain',
    version: 1,
    layer,
    op,
    channel,
    sample,
    ...(at && { at }),
    captured,
    candidate,
    ...candidateParts(value),
    input: {
      name: value.inputName,
      dtype: product.input.dtype,
      scale: product.input.scale,
      zero_point: product.input.zeroPoint,
      features: product.inFeatures,
    },
    weight: {
      dtype: product.weightDtype ?? 'int8',
      scale: product.weightScale[0],
      zero_point: product.weightZeroPoint[0],
    },
    output: isQuantized(output)
      ? { dtype: output.dtype, scale: output.scale, zero_point: output.zeroPoint }
      : { dtype: output.dtype, scale: null, zero_point: null },
    activation: product.activation,
    ...fusedParts(value),
    products,
    ...(patch && { patch }),
    columns,
    first_difference: columns.length > 1 ? firstDifference(columns[0], columns[1]) : null,
    causes: [...value.causes],
    numpy: snippetOf(
      under(value, kernels.at(-1)!),
      kernels.at(-1)!,
      columns.at(-1)!,
      product.inFeatures > MOST_INLINE_CODES,
    ),
  };
}

/** What is done to the real value before it is a code. */
function fusedParts({
  product: { addend, curve },
  x,
  addendName,
}: ValueToExplain): Pick<ExplainDocument, 'addend' | 'curve'> {
  const params = addend && (isQuantized(addend) ? addend : { scale: null, zeroPoint: null });
  return {
    ...(params && {
      addend: {
        name: addendName!,
        dtype: addend.dtype,
        scale: params.scale,
        zero_point: params.zeroPoint,
        value: x.addend![0],
      },
    }),
    ...(curve && { curve }),
  };
}

/** What the candidate read, where that is known: codes that are others, and the declared kernel on them. */
function candidateParts(
  value: ValueToExplain,
): Pick<ExplainDocument, 'candidate_input_codes_differ' | 'candidate_column' | 'candidate_products'> {
  const { read, product, x, kernels } = value;
  if (!read) return { candidate_input_codes_differ: null };
  const [own, theirs, { weight, weightZeroPoint }] = [x.data, read.x.data, product];
  const isOther = (k: number) => own[k] !== theirs[k];
  let others = 0;
  for (let k = 0; k < own.length; k++) if (isOther(k)) others++;
  if (others === 0) return { candidate_input_codes_differ: 0 };
  const movesAt = (k: number) => (theirs[k] - own[k]) * (weight[k] - weightZeroPoint[0]);
  const sizes = float64s(own, (_, k) => Math.abs(movesAt(k)));
  const worst = largestFirst(sizes, MOST_PRODUCTS, isOther).map((k) => {
    return { k, x: own[k], candidate_x: theirs[k], w: weight[k], moves: movesAt(k) };
  });
  return {
    candidate_input_codes_differ: others,
    candidate_products: worst,
    candidate_column: columnOf(kernels[0], { ...value, ...read, captured: value.candidate }),
  };
}

/** The same value as a script that reads its codes from `repro.npz` beside it. */
export function reproScript(value: ValueToExplain): string {
  const kernel = value.kernels.at(-1)!;
  const own = under(value, kernel);
  return `${snippetOf(own, kernel, columnOf(kernel, own), true).join('\n')}\n`;
}

function columnOf(kernel: Kernel, one: ValueToExplain): ExplainColumn {
  const { x, captured, quantizedFor } = one;
  const declared = productSteps(kernel, one)!;
  const replayed = replayProduct(declared, one.product, x);
  const value = replayed.data[0];
  const { steps, product } = ofInputGrid(declared, one.product) ?? { steps: declared, product: one.product };
  const code = replayProduct(steps, product, x).data[0];
  const accumulator = steps.accumulate.run(x, product).data[0];
  const within =
    replayed.low && replayed.high && captured !== null && captured >= replayed.low[0] && captured <= replayed.high[0];
  const quantized = isQuantized(product.output) ? product.output : null;
  const clamp = quantized && clampOfCodes(product.activation, quantized, steps.bound);
  const real = (product.input.scale * product.weightScale[0]) / (quantized?.scale ?? 1);
  const traced = steps.float
    ? floatTrace(steps, product, x)
    : tracedBy(kernel.name, steps, product, { accumulator, value: code, added: x.addend?.[0] });
  // a kernel's own rounds scales before they are multiplied: 1445985985, where the doubles give 1445985975; a dynamic input may hold inf
  const fixed = traced.fixedPoint ?? (Number.isFinite(real) ? quantizeMultiplier(real) : null);
  const biasReal =
    product.bias?.[0] ??
    (product.biasInt32 ? product.biasInt32[0] * product.input.scale * product.weightScale[0] : null);
  return {
    kernel: kernel.name,
    ...(quantizedFor && { input: { scale: product.input.scale, zero_point: product.input.zeroPoint } }),
    accumulator,
    saturating_pairs: saturatingPairs(steps, product, x),
    bias: biasReal,
    bias_accumulator_units:
      traced.bias ?? (biasReal === null ? null : biasReal / (product.input.scale * product.weightScale[0])),
    bias_is_int32: traced.bias !== null,
    multiplier: f32(real),
    multiplier_bits: float32Bits(f32(real)),
    multiplier_fixed: fixed && { multiplier: fixed.multiplier, shift: fixed.exponent },
    fixed_point: traced.fixedPoint !== null,
    steps: traced.steps,
    before_rounding: quantized ? traced.beforeRounding : null,
    distance_to_tie: quantized ? Math.abs(traced.beforeRounding - Math.floor(traced.beforeRounding) - 0.5) : null,
    rounded: traced.rounded,
    zero_point: quantized?.zeroPoint ?? null,
    clamp,
    clamped:
      quantized !== null &&
      traced.rounded !== null &&
      traced.rounded + quantized.zeroPoint !== code &&
      clamp!.includes(code),
    value,
    explains: captured === null ? null : value === captured || within === true,
  };
}

interface Traced {
  readonly steps: { name: string; value: number }[];
  readonly beforeRounding: number;
  readonly rounded: number | null;
  /** The int32 that is added to the accumulator; null where the bias stays a float. */
  readonly bias: number | null;
  readonly fixedPoint: FixedPointMultiplier | null;
}

function tracedBy(
  name: string,
  steps: ProductSteps,
  product: Product,
  { accumulator, value, added }: { accumulator: number; value: number; added: number | undefined },
): Traced {
  const recipe = recipeOf(steps, product, added);
  if (isUnwritten(recipe)) return untraced(steps, product, accumulator, value, added);
  const traced = tracerOf(steps, product, recipe)(accumulator, 0);
  if (!Object.is(traced.value + 0, value + 0))
    throw new Error(`steps of ${name} give ${traced.value}, its replay ${value}`);
  const { output } = product;
  return {
    ...traced,
    bias: recipe.biasInt32?.[0] ?? null,
    fixedPoint: recipe.fixedPoint && isQuantized(output) ? recipe.fixedPoint.multiplierOf(product, output, 0) : null,
  };
}

/** Of steps that are not written out, the last number alone. */
function untraced(
  record: ProductSteps,
  product: Product,
  accumulator: number,
  value: number,
  added: number | undefined,
): Traced {
  const isCode = isQuantized(product.output);
  const last = isCode ? stepsBeforeRounding(record, product)(accumulator, 0, 0, added) : value;
  const { name } = record.dynamic ?? record.multiplier;
  return {
    steps: [{ name, value: last }],
    beforeRounding: last,
    rounded: isCode ? record.round.apply(last) : null,
    bias: null,
    fixedPoint: null,
  };
}

/** A float linear has no steps of its own: the exact sum, and its quantization. */
function floatTrace(record: ProductSteps, product: Product, x: Codes): Traced {
  const real = record.float!.product.run(x, product).exact[0];
  const steps = isQuantized(product.output) ? real / product.output.scale : real;
  return {
    steps: [{ name: 'float linear', value: real }],
    beforeRounding: steps,
    rounded: isQuantized(product.output) ? record.round.apply(steps) : null,
    bias: null,
    fixedPoint: null,
  };
}

function saturatingPairs({ accumulate }: ProductSteps, product: Product, x: Codes): ExplainColumn['saturating_pairs'] {
  if (!isPaired(accumulate)) return [];
  const code = (codes: ArrayLike<number>, k: number) => (k < 0 ? 0 : codes[k]);
  return [...losingPairs(accumulate, x, product, 0, 0)].map(({ k, sum, narrowed }) => ({
    k: [...k],
    x: [code(x.data, k[0]), code(x.data, k[1])],
    w: [code(product.weight, k[0]), code(product.weight, k[1])],
    sum,
    saturated: narrowed,
  }));
}

function largestProducts({ weight, input, weightZeroPoint }: Product, { data }: Codes): ExplainDocument['products'] {
  const productAt = (k: number) => (data[k] - input.zeroPoint) * (weight[k] - weightZeroPoint[0]);
  const sizes = float64s(data, (_, k) => Math.abs(productAt(k))); // of 4 million inputs lists took half a gigabyte
  return largestFirst(sizes, MOST_PRODUCTS).map((k) => ({ k, x: data[k], w: weight[k], product: productAt(k) }));
}

function firstDifference(a: ExplainColumn, b: ExplainColumn): string | null {
  if (a.accumulator !== b.accumulator) return 'accumulator';
  if (a.bias_is_int32 !== b.bias_is_int32 || a.bias_accumulator_units !== b.bias_accumulator_units) return 'bias';
  if (a.before_rounding !== b.before_rounding) return 'multiplier';
  if (a.rounded !== b.rounded) return 'rounding';
  return a.value === b.value ? null : 'zero_point';
}

function snippetOf(value: ValueToExplain, kernel: Kernel, column: ExplainColumn, fromFile: boolean): string[] {
  const { product, x, channel, sample, layer, inputName } = value;
  const codes: [string, string] = fromFile
    ? ['c = np.load("repro.npz")', 'x, w = c["x_int8"].ravel().astype(int), c["w_int8"].ravel().astype(int)']
    : [
        `x = np.array([${[...x.data].join(', ')}])  # ${comment(inputName)}, sample ${sample}`,
        `w = np.array([${[...product.weight].join(', ')}])  # ${comment(layer)}, channel ${channel}`,
      ];
  const steps = productSteps(kernel, value)!;
  const position = x.positions?.[0];
  const one = {
    steps,
    product,
    x: x.data,
    position,
    added: x.addend?.[0],
    accumulator: column.accumulator!,
    value: column.value,
  };
  return numpySnippet(one, codes);
}

/** A name from a file inside a Python comment: it must not end the line. */
function comment(name: string): string {
  return JSON.stringify(name)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, '?');
}

function float32Bits(value: number): string {
  return `0x${new Uint32Array(Float32Array.of(value).buffer)[0].toString(16).padStart(8, '0')}`;
}
