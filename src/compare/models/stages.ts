/**
 * What becomes of a layer's value: the value itself, and what clamps, dequantizations and quantizations behind it make of it one by one.
 * A file that says more in one step has some of these values only.
 */
import { isElementwise, isLayout, isProduct, isTensor, type Layer, type Model } from '../../nouns/model.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { roundHalfEven } from '../../numeric/round.js';
import { ofValue } from './params.js';

export interface Stage {
  readonly layer: Layer;
  /** From the layer that computes it to this one. */
  readonly path: readonly Layer[];
  /** Of its codes; null: floats. */
  readonly params: QuantParams | null;
  /** Of the codes that it is, or was last; null: it never was any. */
  readonly grid: QuantParams | null;
  /** What activations leave, in real units. */
  readonly lower: number;
  readonly upper: number;
}

/** The layer's own value first. */
export function stagesOf(model: Model, layer: Layer): Stage[] {
  const params = paramsOf(layer);
  const stages: Stage[] = [{ layer, path: [layer], params, grid: params, ...boundsOf(layer) }];
  for (const stage of stages) {
    for (const behind of model.layers) {
      if (behind.inputs[0] === stage.layer.name && isStep(behind)) stages.push(after(stage, behind));
    }
  }
  return stages;
}

/** Ops that leave values in their order. */
const RESHAPES = new Set(['flatten', 'reshape', 'squeeze', 'unsqueeze']);

function isStep(layer: Layer): boolean {
  if (isLayout(layer)) return RESHAPES.has(layer.op);
  return isElementwise(layer) && layer.inputs.length === 1 && layer.form.chosen === undefined;
}

function after({ path, grid, lower, upper }: Stage, layer: Layer): Stage {
  const [params, own] = [paramsOf(layer), boundsOf(layer)];
  const bounds = { lower: Math.max(lower, own.lower), upper: Math.min(upper, own.upper) };
  return { layer, path: [...path, layer], params, grid: params ?? grid, ...bounds };
}

function paramsOf({ output }: Layer): QuantParams | null {
  return output && isQuantized(output) ? output : null;
}

const OF_ACTIVATIONS = { none: [-Infinity, Infinity], relu: [0, Infinity], relu6: [0, 6], relu_n1_to_1: [-1, 1] };

function boundsOf(layer: Layer): Pick<Stage, 'lower' | 'upper'> {
  if (isElementwise(layer)) return layer.form.clamp ?? { lower: -Infinity, upper: Infinity };
  if (!isProduct(layer) && !isTensor(layer)) return { lower: -Infinity, upper: Infinity };
  const { activation } = layer.form;
  const params = paramsOf(layer);
  if (typeof activation !== 'object') {
    const [lower, upper] = OF_ACTIVATIONS[activation];
    return { lower, upper };
  }
  const [lower, upper] = activation.clamp.map((code) => (params ? (code - params.zeroPoint) * params.scale : code));
  return { lower, upper };
}

/** Two values, one of each model, that stand for the same numbers. */
export type Same = readonly [own: Stage, other: Stage];

export interface Likeness {
  /** Of one type, to be compared. */
  readonly same: readonly Same[];
  /** These, or the values that are alike but for their type: floats of one file, codes of the other. */
  readonly related: readonly [Same, ...Same[]];
}

/** In the own model's order. */
export function likenessOf(own: readonly Stage[], others: readonly Stage[]): Likeness {
  for (const isLike of [isSame, isClampedAlike]) {
    const [first, ...rest] = paired(own, others, isLike);
    if (!first) continue;
    const related: Likeness['related'] = [first, ...rest];
    return { related, same: isBeforeClamp(own[0], first[0]) ? [[own[0], first[1]], ...related] : related };
  }
  const [first, ...rest] = paired(own, others, hasBoundsOf);
  if (first) return { same: [], related: [first, ...rest] };
  const pair: Same = [own[0], others[0]];
  return { same: isOfOneType(...pair) ? [pair] : [], related: [pair] };
}

/** How often it is rounded to codes on its way. */
export function roundings(path: readonly Layer[]): number {
  return path.filter((layer) => paramsOf(layer) !== null && !keepsCodes(layer)).length;
}

function keepsCodes(layer: Layer): boolean {
  return isLayout(layer) || (isElementwise(layer) && layer.form.keepsParams);
}

/** `conv2d with relu6`, `conv2d, dequantize, relu6, quantize`. */
export function stepsText(path: readonly Layer[]): string {
  return path.map((layer) => `${layer.op}${fusedText(layer)}`).join(', ');
}

function fusedText(layer: Layer): string {
  const activation = isProduct(layer) || isTensor(layer) ? layer.form.activation : 'none';
  return activation === 'none' ? '' : ` with ${typeof activation === 'object' ? 'a clamp' : activation}`;
}

function paired(
  own: readonly Stage[],
  others: readonly Stage[],
  isLike: (own: Stage, other: Stage) => boolean,
): Same[] {
  return own.flatMap((stage) => {
    const other = others.find((one) => isLike(stage, one));
    return other ? [[stage, other]] : [];
  });
}

/** Of one scale and zero point, clamped to the same codes. */
function isSame(a: Stage, b: Stage): boolean {
  if (!isOfOneType(a, b)) return false;
  if (!a.grid || !b.grid) return a.grid === b.grid && a.lower === b.lower && a.upper === b.upper;
  const [own, other] = [reach(a, a.grid), reach(b, b.grid)];
  return ofValue(a.grid, b.grid).length === 0 && own[0] === other[0] && own[1] === other[1];
}

/** Codes from the zero point on, which is another of uint8 than of int8. */
function reach({ lower, upper }: Stage, { scale, zeroPoint, quantMin, quantMax }: QuantParams): [number, number] {
  return [
    Math.max(roundHalfEven(lower / scale), quantMin - zeroPoint),
    Math.min(roundHalfEven(upper / scale), quantMax - zeroPoint),
  ];
}

/** Of files with other scales: by what the activations leave. */
function isClampedAlike(a: Stage, b: Stage): boolean {
  return isOfOneType(a, b) && hasBoundsOf(a, b);
}

function isOfOneType(a: Stage, b: Stage): boolean {
  return (a.params === null) === (b.params === null);
}

/** Codes whose zero point is the lowest are clamped at 0; a bound above the largest code, as 6 of one that stands for 0.8, clamps none. */
function hasBoundsOf(a: Stage, b: Stage): boolean {
  const lower = ({ lower: own, grid }: Stage) => (grid && grid.zeroPoint === grid.quantMin ? Math.max(own, 0) : own);
  const upper = ({ upper: own, grid }: Stage) =>
    grid && own >= (grid.quantMax - grid.zeroPoint) * grid.scale ? Infinity : own;
  return lower(a) === lower(b) && upper(a) === upper(b);
}

/** Of a ReLU by itself that keeps scale and zero point: the value before it may be taken after it too. */
function isBeforeClamp(own: Stage, same: Stage): boolean {
  return (
    own !== same &&
    own.params !== null &&
    same.params !== null &&
    ofValue(own.params, same.params).length === 0 &&
    same.lower === 0
  );
}
