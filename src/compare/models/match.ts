/** Which layer of a model is which of another's: by name, else by equal weights, by what they read, and by the order of the graph. */
import {
  isElementwise,
  isLayout,
  isProduct,
  isTensor,
  type Layer,
  type Model,
  type ProductLayer,
} from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { weightsDigest } from './weights.js';

export interface LayerPair {
  readonly layer: Layer;
  readonly other: Layer;
}

export interface Matched {
  /** In the model's order. */
  readonly pairs: readonly LayerPair[];
  /** The model's value that each of the other's values is: of inputs and of matched layers. */
  readonly names: ReadonlyMap<string, string>;
  /** Layers of each that are none of the other's. */
  readonly unmatched: { readonly layers: readonly string[]; readonly others: readonly string[] };
}

export async function matchModels(model: Model, other: Model): Promise<Matched> {
  const matcher = new Matcher(model, other);
  matcher.inputs();
  matcher.byName();
  await matcher.byWeights();
  matcher.byReading();
  while (matcher.byOrder()) matcher.byReading();
  return matcher.matched();
}

class Matcher {
  private readonly names = new Map<string, string>();
  private readonly otherOf = new Map<Layer, Layer>();
  private readonly taken = new Set<Layer>();
  private readonly constants: ReadonlySet<string>;

  constructor(
    private readonly model: Model,
    private readonly other: Model,
  ) {
    this.constants = new Set([...(model.constants ?? []), ...(other.constants ?? [])].map(({ name }) => name));
  }

  private take(layer: Layer, other: Layer): void {
    this.otherOf.set(layer, other);
    this.taken.add(other);
    this.names.set(other.name, layer.name);
    const whole = foldedInto(other, layer, this.model, this.other);
    if (whole !== other) this.names.set(whole.name, layer.name);
  }

  private left(): { readonly layers: readonly Layer[]; readonly others: readonly Layer[] } {
    const layers = this.model.layers.filter((layer) => !this.otherOf.has(layer));
    return { layers, others: this.other.layers.filter((layer) => !this.taken.has(layer)) };
  }

  /** By name, the rest in their order. Codes that one model is given may be what the other's first layer makes of floats. */
  inputs(): void {
    const free = new Map(this.model.inputs.map((input) => [input.name, input]));
    const rest = this.other.inputs.filter(({ name }) => {
      if (!free.delete(name)) return true;
      this.names.set(name, name);
      return false;
    });
    const unnamed = [...free.keys()];
    for (const [i, { name }] of rest.entries()) if (i < unnamed.length) this.names.set(name, unnamed[i]);
    for (const { name, params } of this.other.inputs) {
      const own = this.model.inputs.find((input) => input.name === this.names.get(name));
      if (!own || isQuantized(own.params) === isQuantized(params)) continue;
      const [reading, codes] = isQuantized(params) ? [this.model.layers, name] : [this.other.layers, own.name];
      const quantize = reading.find(
        (layer) => makesCodes(layer) && layer.inputs[0] === (isQuantized(params) ? own.name : name),
      );
      if (!quantize) continue;
      if (isQuantized(params)) this.names.set(codes, quantize.name);
      else this.names.set(quantize.name, codes);
    }
  }

  byName(): void {
    const byName = new Map(this.other.layers.map((layer) => [layer.name, layer]));
    for (const layer of this.model.layers) {
      const other = byName.get(layer.name);
      if (other && isAlike(layer, other)) this.take(layer, other);
    }
  }

  async byWeights(): Promise<void> {
    const { layers, others } = this.left();
    const [own, theirs] = [layers.filter(isProduct), others.filter(isProduct)];
    if (own.length === 0 || theirs.length === 0) return;
    const free: { readonly layer: ProductLayer; readonly digest: string }[] = [];
    for (const layer of theirs) free.push({ layer, digest: await weightsDigest(layer) });
    for (const layer of own) {
      const digest = await weightsDigest(layer);
      const at = free.findIndex((one) => one.digest === digest);
      if (at >= 0) this.take(layer, free.splice(at, 1)[0].layer);
    }
  }

  /** The same op of the same values. */
  byReading(): void {
    for (const layer of this.left().layers) {
      const other = this.left().others.find((one) => isAlike(layer, one) && this.readsAlike(layer, one));
      if (other) this.take(layer, other);
    }
  }

  private readsAlike(layer: Layer, other: Layer): boolean {
    const alike = (name: string, i: number) =>
      this.names.get(passedOn(this.other, other.inputs[i])) === passedOn(this.model, name) ||
      this.names.get(other.inputs[i]) === name ||
      (this.constants.has(name) && this.constants.has(other.inputs[i]));
    return (
      layer.inputs.length > 0 &&
      layer.inputs.length === other.inputs.length &&
      (layer.inputs.every(alike) || (layer.inputs.length === 2 && [...layer.inputs].reverse().every(alike)))
    );
  }

  /** The next products of one shape, behind those that are matched already; one pair at a time. */
  byOrder(): boolean {
    const { layers, others } = this.left();
    const place = new Map(this.other.layers.map((layer, index) => [layer, index]));
    for (const layer of layers.filter(isProduct)) {
      const index = this.model.layers.indexOf(layer);
      const before = this.model.layers.slice(0, index).flatMap((one) => place.get(this.otherOf.get(one)!) ?? []);
      const after = this.model.layers.slice(index + 1).flatMap((one) => place.get(this.otherOf.get(one)!) ?? []);
      const [from, to] = [Math.max(-1, ...before), Math.min(this.other.layers.length, ...after)];
      const other = others.find((one) => {
        const at = place.get(one)!;
        return at > from && at < to && isProduct(one) && sameShape(layer, one);
      });
      if (!other) continue;
      this.take(layer, other);
      return true;
    }
    return false;
  }

  matched(): Matched {
    const pairs = this.model.layers.flatMap((layer) => {
      const other = this.otherOf.get(layer);
      return other ? [{ layer, other }] : [];
    });
    const { layers, others } = this.left();
    const known = others.filter(({ name }) => !this.names.has(name));
    const unmatched = { layers: layers.map(({ name }) => name), others: known.map(({ name }) => name) };
    return { pairs, names: this.names, unmatched };
  }
}

function makesCodes(layer: Layer): boolean {
  return isElementwise(layer) && layer.output !== null && isQuantized(layer.output);
}

/** Of one op, or both only move values; a product of codes may be one of floats there, which nothing quantized. */
function isAlike(a: Layer, b: Layer): boolean {
  if (isOfFloats(a, b)) return true;
  if (isProduct(a) && isProduct(b)) return sameShape(a, b);
  return a.op === b.op || (isLayout(a) && isLayout(b));
}

export function isOfFloats(a: Layer, b: Layer): boolean {
  return isProduct(a) && b.op === `${a.op}_float`;
}

function sameShape(a: ProductLayer, b: ProductLayer): boolean {
  const [own, other] = [a.form.weight, b.form.weight];
  return own.outFeatures === other.outFeatures && own.inFeatures === other.inFeatures;
}

/** A layer with the ReLU that the model has folded into its own, or into its codes, and the other has by itself. */
export function foldedInto(theirs: Layer, own: Layer, model: Model, other: Model): Layer {
  const behind = other.layers.filter(({ inputs }) => inputs.includes(theirs.name));
  const isFolded = (isProduct(own) || isTensor(own)) && behind.length === 1 && isClampAlone(behind[0]);
  return isFolded && !model.layers.some((layer) => isClampAlone(layer) && layer.inputs[0] === own.name)
    ? behind[0]
    : theirs;
}

/** It passes on what the layer before it gives. */
export function isPassedOn(layer: Layer): boolean {
  return isElementwise(layer) && layer.form.keepsParams && layer.form.clamp === null && layer.inputs.length === 1;
}

/** What a value is before layers that pass it on: one model has an Identity where another has none. */
function passedOn(model: Pick<Model, 'layers'>, name: string): string {
  const layer = model.layers.find((one) => one.name === name);
  return layer && isPassedOn(layer) ? passedOn(model, layer.inputs[0]) : name;
}

/** A ReLU or clamp by itself: what another model folds into the layer before it. */
export function isClampAlone(layer: Layer): boolean {
  return isElementwise(layer) && layer.form.keepsParams && layer.form.clamp !== null && layer.inputs.length === 1;
}
