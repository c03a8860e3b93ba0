import type { RealValue } from '../../kernels/realForm.js';
import { clampOfCodes, clampOfReals } from '../../kernels/steps/activation.js';
import { realBias } from '../../kernels/steps/bias.js';
import type { FixedPointStep } from '../../kernels/steps/multiplier.js';
import { sumsOfScript } from '../../kernels/steps/onReals.js';
import { halfEven } from '../../kernels/steps/round.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Product, ProductSteps, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { float32s, float64s } from '../../numeric/array.js';
import { largestOf, smallestOf } from '../../numeric/extremes.js';
import { sizeOf } from '../../tensor/shape.js';
import { isFixedPoint, roundOf } from '../alternatives/conversions.js';
import { numbersIn } from '../alternatives/short/shortMultiplier.js';
import { formOf, realsIn } from '../alternatives/tensorSteps.js';
import type { ElementwiseSetup, ProductSetup, Setup, TensorSetup } from '../setup.js';
import type { Scope } from '../study/data.js';
import { inputValues } from '../study/elementwiseEngine.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import { type Bounds, codeBounds, floatBounds, lessZeroPoint } from './bounds.js';

/**
 * A scope (the subset, as a rule) as estimators read it, in double precision: each observed value bounds the real value before rounding,
 * `lo <= acc * stepsPerUnit[n] + biasSteps[n] <= hi`. Row-major [rows, channels].
 * A step is the output's LSB, or 1 (real units) for a float output.
 */
export interface View {
  readonly rows: number;
  readonly channels: number;
  /** A dynamic layer's scale differs by batch: there, in units of the first row's scale. */
  readonly acc: Int32Array | Float64Array;
  /** The x scale of each row over the first row's; null: all the same. */
  readonly rowUnits: Float64Array | null;
  readonly stepsPerUnit: Float64Array;
  readonly biasSteps: Float64Array;
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  /** Real value of a step. */
  readonly step: number;
  /** Of a second value that is added: what each result has of it, in steps, at its declared scale; bounds are those without it. */
  readonly added: Float64Array | null;
  /** What bounds are to be widened by where a scale may be four times the declared one, under two roundings of which the first grows with it. */
  readonly ofLargerScales: number;
  /** The bias is a rounded integer in accumulator units. */
  readonly integerBias: boolean;
  /** Behind a curve: its results in steps, and what the observed values bound of them; null: there is none. */
  readonly curved: (Bounds & { readonly reals: Float64Array }) | null;
}

export function viewOf(study: Study, setup: Setup, scope: Scope = study.subset): View {
  let views = cache.get(setup);
  if (!views) {
    views = new Map();
    cache.set(setup, views);
  }
  const view = views.get(scope) ?? makeView(study, setup, scope);
  views.set(scope, view);
  return view;
}

/** Every estimator of a base reads the same view. */
const cache = new WeakMap<Setup, Map<Scope, View>>();

function makeView(study: Study, setup: Setup, scope: Scope): View {
  if (isTensorStudy(study) && setup.kind === 'tensor') return tensorView(study, setup, scope);
  return isProductStudy(study) && setup.kind === 'product'
    ? productView(study, setup, scope)
    : elementwiseView(setup as ElementwiseSetup, scope, study.channels);
}

function productView(study: ProductStudy, whole: ProductSetup, scope: Scope): View {
  const { engine } = study;
  const setup = { ...whole, params: engine.restrict(whole.params, scope) };
  const { params } = setup;
  const step = stepOf(params.output);
  const channels = params.outFeatures;
  const inputs = engine.inputParams(whole, scope);
  const rowUnits = study.data.dynamic ? float64s(inputs, ({ scale }) => scale / inputs[0].scale) : null;
  // a dynamic layer adds its bias in real units, or as it is to the sums
  const bias = (rowUnits ? realBias : setup.steps.bias).prepare(params);
  const sums = engine.accumulator(whole, scope);
  const acc = rowUnits ? inFirstUnits(sums as Int32Array, rowUnits, params.biasInt32, channels) : sums;
  const short = numbersIn(params, setup.steps.multiplier);
  const stepsPerUnit = float64s(
    { length: channels },
    (_, n) => short?.[n] ?? (inputs[0].scale * weightScaleOf(params, n)) / step,
  );
  const biasSteps = float64s({ length: channels }, (_, n) => {
    if (bias.unit === 'int32') return rowUnits ? 0 : bias.values[n] * stepsPerUnit[n];
    if (bias.unit === 'accumulator') return bias.add(0, n) * stepsPerUnit[n];
    return bias.unit === 'real' ? bias.values[n] / step : 0;
  });
  const expected = (i: number) => acc[i] * stepsPerUnit[i % channels] + biasSteps[i % channels];
  const own = isQuantized(params.output) ? asComputed(scope, setup, params.output, expected) : scope;
  const twice = isQuantized(params.output) ? firstRounding(setup) : null;
  const bounds = isQuantized(params.output)
    ? codeBounds(own, params.output, setup.steps.round.name, fusedClamp(setup, params.output, own), twice)
    : floatBounds(scope, clampOfReals(params.activation), acc, stepsPerUnit, biasSteps, openIn(study, whole, scope));
  const isInteger = bias.unit === 'int32' || (bias.unit === 'accumulator' && bias.integers !== undefined);
  const integerBias = isInteger && !rowUnits;
  const added = addedSteps(params, engine.addend(setup, scope), step);
  const reals = curvedSteps(params, acc.length, (i) => expected(i) + (added?.[i] ?? 0), step);
  const curved = reals && { reals, ...bounds };
  const rows = scope.samples.length;
  const ofLargerScales = twice ? largestOf(twice) : 0;
  return {
    rows,
    channels,
    acc,
    rowUnits,
    stepsPerUnit,
    biasSteps,
    ...beforeReals(bounds, params, added, step),
    step,
    added,
    ofLargerScales,
    integerBias,
    curved,
  };
}

function curvedSteps(
  params: Product,
  length: number,
  before: (i: number) => number,
  step: number,
): Float64Array | null {
  const curve = params.curve && sumsOfScript.curves[params.curve]!.prepare(params);
  return curve ? float64s({ length }, (_, i) => curve(before(i) * step) / step) : null;
}

function addedSteps({ addend }: Product, codes: NumericArray | null, step: number): Float64Array | null {
  if (!addend || !codes) return null;
  const join = sumsOfScript.add!.prepare(addend);
  return float64s(codes, (code) => join(0, code) / step);
}

/** What bounds the result bounds the sum before a curve and before a second value is added, in steps. */
function beforeReals(bounds: Bounds, { curve }: Product, added: Float64Array | null, step: number): Bounds {
  const last = curve && sumsOfScript.curves[curve]!.last;
  if (!last && !added) return bounds;
  const [lo, hi] = [bounds.lo.slice(), bounds.hi.slice()];
  for (let i = 0; i < lo.length; i++) {
    if (last) {
      const [least, most] = [last(lo[i] * step), last(hi[i] * step)];
      lo[i] = lo[i] > 0 ? least / step : Number.NEGATIVE_INFINITY; // below 0 it goes down and up again
      hi[i] = Number.isNaN(most) ? 0 : most / step;
    }
    if (!added) continue;
    lo[i] -= added[i];
    hi[i] -= added[i];
  }
  return { lo, hi };
}

/** Of codes that an integer multiplier takes to codes: the first of two roundings, or a multiplier of 8 bits, moves them by so many steps. */
const FIRST_OF_CODES = 0.5;

/** One value by one weight of 1, without a bias. */
function elementwiseView(setup: ElementwiseSetup, scope: Scope, width: number): View {
  const { steps, params, reads } = setup;
  const [{ input, output }, [read]] = [params, reads];
  const channels = scope.channels?.length ?? width;
  const [zeroPoint, unit] = isQuantized(input) ? [input.zeroPoint, input.scale] : [0, 1];
  const acc = float64s(inputValues(scope), (x) => (read ? read.apply(x) : x) - zeroPoint);
  const step = stepOf(output);
  const stepsPerUnit = new Float64Array(channels).fill(unit / step);
  const biasSteps = new Float64Array(channels);
  const expected = (i: number) => acc[i] * stepsPerUnit[0];
  const bounds = isQuantized(output)
    ? codeBounds(
        asComputed(scope, setup, output, expected),
        output,
        roundOf(steps).name,
        [output.quantMin, output.quantMax],
        isFixedPoint(steps) ? new Float64Array(channels).fill(FIRST_OF_CODES) : null,
      )
    : floatBounds(scope, clampOfReals('none'), acc, stepsPerUnit, biasSteps);
  const rows = scope.samples.length;
  return {
    rows,
    channels,
    acc,
    rowUnits: null,
    stepsPerUnit,
    biasSteps,
    ...bounds,
    step,
    added: null,
    ofLargerScales: 0,
    integerBias: false,
    curved: null,
  };
}

/** Real values of the op as one sum each, in one channel; nothing bounded where the op has none. */
function tensorView(study: TensorStudy, setup: TensorSetup, scope: Scope): View {
  const output = setup.params.output as QuantParams;
  const { value } = formOf(study) ?? {};
  const steps: TensorSteps = {
    kind: 'tensor',
    equation: '',
    run: (call) => realValues(call, value && realsIn(study, value)(call)),
  };
  const reals = study.engine.outputs(
    { ...setup, steps, params: { ...setup.params, output: FLOAT }, stores: null },
    scope,
  ).data;
  const { rule, zeroPointFirst } = setup.steps.rounds ?? TO_NEAREST;
  const clamp = clampOfCodes(setup.params.activation, output, null);
  const bounds = zeroPointFirst
    ? lessZeroPoint(codeBounds(scope, { ...output, zeroPoint: 0 }, rule, clamp), output)
    : codeBounds(scope, output, rule, clamp);
  return {
    rows: scope.observed.length,
    channels: 1,
    acc: Float64Array.from(reals),
    rowUnits: null,
    stepsPerUnit: Float64Array.of(1 / output.scale),
    biasSteps: new Float64Array(1),
    ...bounds,
    step: output.scale,
    added: null,
    ofLargerScales: 0,
    integerBias: false,
    curved: null,
  };
}

const TO_NEAREST = { rule: halfEven.name, zeroPointFirst: false };

function realValues(call: TensorCall, value: RealValue | undefined): Float32Array {
  const length = call.samples * sizeOf(call.output.shape.dims);
  return float32s({ length }, (_, i) => value?.(i) ?? Number.NaN);
}

const FLOAT: ValueParams = { dtype: 'float32' };

function stepOf(output: ValueParams): number {
  return isQuantized(output) ? output.scale : 1;
}

/**
 * How the bias moves with the scales of x and w, in steps: an int32 bias of the file, or any ofMultipliers, is in accumulator units and
 * scales with them; a float bias stays, and where the kernel rounds it to an integer it stays within half a unit (the slack).
 */
export function biasParts(view: View, setup: Setup, ofMultipliers = false) {
  const none = () => 0;
  const asIs = (n: number) => view.biasSteps[n];
  if (ofMultipliers) return { scaling: asIs, fixed: none, slack: 0 };
  if (!view.integerBias || setup.kind !== 'product') return { scaling: none, fixed: asIs, slack: 0 };
  const { bias } = setup.params;
  if (!bias) return { scaling: asIs, fixed: none, slack: 0 };
  return {
    scaling: none,
    fixed: (n: number) => bias[n] / view.step,
    slack: view.stepsPerUnit.reduce((worst, unit) => Math.max(worst, Math.abs(unit)), 0) / 2,
  };
}

function inFirstUnits(
  sums: Int32Array,
  rowUnits: Float64Array,
  bias: Int32Array | null,
  channels: number,
): Float64Array {
  return float64s(sums, (sum, i) => (sum + (bias ? bias[i % channels] : 0)) * rowUnits[Math.floor(i / channels)]);
}

/** Codes as they were computed; of those that are stored as one, the nearest to what is computed, which another number moves by less. */
function asComputed(
  { observed }: Scope,
  { stores, params }: ProductSetup | ElementwiseSetup,
  { zeroPoint }: QuantParams,
  expected: (i: number) => number,
): Pick<Scope, 'observed'> {
  const { period, back } = stores ?? {};
  if (back) return { observed: float64s(observed, back) };
  if (period === undefined) return { observed };
  const least = 'activation' in params && params.activation === 'relu' ? zeroPoint : Number.NEGATIVE_INFINITY;
  return {
    observed: float64s(observed, (code, i) => {
      const computed = Math.max(least, expected(i) + zeroPoint);
      return code + period * Math.floor((computed - code) / period + 0.5);
    }),
  };
}

/** Where codes are clamped: under a fused activation at the extreme codes that are observed, also if the declared zero point is wrong. */
function fusedClamp(
  { params, steps }: ProductSetup,
  output: QuantParams,
  { observed }: Pick<Scope, 'observed'>,
): [number, number] {
  const [lo, hi] = clampOfCodes(params.activation, output, steps.bound);
  if (params.activation === 'none') return [lo, hi];
  const [least, most] = extremesOf(observed);
  return [Math.max(lo, least), params.activation === 'relu' ? hi : Math.min(hi, most)];
}

const extremes = new WeakMap<NumericArray, readonly [number, number]>();

function extremesOf(observed: NumericArray): readonly [number, number] {
  const known = extremes.get(observed) ?? ([smallestOf(observed), largestOf(observed)] as const);
  extremes.set(observed, known);
  return known;
}

/**
 * How far the first of two roundings in fixed point moves a value, in steps, by channel, where a scale may be twice the declared one;
 * null: there is one rounding only.
 */
function firstRounding({ steps, params }: ProductSetup): Float64Array | null {
  if (!roundsTwice(steps)) return null;
  const { multiplierOf } = steps.multiplier as FixedPointStep;
  const output = params.output as QuantParams;
  return float64s(
    { length: params.outFeatures },
    (_, n) => 2 ** Math.min(-1, multiplierOf(params, output, n).exponent),
  );
}

export function roundsTwice({ multiplier }: Pick<ProductSteps, 'multiplier'>): boolean {
  const { rounding, multiplierOf } = multiplier as Partial<FixedPointStep>;
  return multiplierOf !== undefined && (rounding === 'double' || rounding === 'double-up');
}

/** How far apart what float32 sums in any order give may lie, by value; null: sums are exact. */
function openIn(study: ProductStudy, setup: ProductSetup, scope: Scope): ((i: number) => number) | null {
  const { low, high } = setup.steps.float ? study.outputs(setup, scope) : { low: null, high: null };
  return low && high ? (i) => high[i] - low[i] : null;
}

/** By channel; what is not multiplied has one weight of 1. */
export function weightSums(setup: Setup, channels: number): Float64Array {
  if (setup.kind !== 'product') return new Float64Array(channels).fill(1);
  const { weight, weightZeroPoint, inFeatures } = setup.params;
  return float64s({ length: channels }, (_, n) => {
    const zeroPoint = weightZeroPoint[weightZeroPoint.length > 1 ? n : 0];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) sum += weight[n * inFeatures + k] - zeroPoint;
    return sum;
  });
}
