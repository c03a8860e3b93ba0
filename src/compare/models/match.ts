/** Which layer of a model is which of another's: by name, else by equal weights, by what they read, and by the order of the graph. */
import { isElementwise, isLayout, isProduct, type Layer, type Model, type ProductLayer } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { ofValue } from './params.js';
import { type Likeness, likenessOf, type Same, stagesOf } from './stages.js';
import { turnsImages } from './turned.js';
import { weightsDigest } from './weights.js';

export interface LayerPair extends Likeness {
  readonly layer: Layer;
  readonly other: Layer;
}

export interface Matched {
  /** In the model's order. */
  readonly pairs: readonly LayerPair[];
  /** The model's value that each of the other's values is: of inputs and of matched layers. */
  readonly names: ReadonlyMap<string, string>;
  /** Values that only what reads them tells to be the same. */
  readonly read: readonly Same[];
  /** Layers of each that are none of the other's. */
  readonly unmatched: { readonly layers: readonly string[]; readonly others: readonly string[] };
}

export async function matchModels(model: Model, other: Model): Promise<Matched> {
  const matcher = new Matcher(model, other);
  matcher.inputs();
  matcher.byName();
  await matcher.byWeights();
  matcher.byReading();
  while (matcher.byOrder() || matcher.byReader()) matcher.byReading();
  return matcher.matched();
}

/** Layers by the values that they make. */
type Made = ReadonlyMap<string, Layer>;

function madeIn({ layers }: Model): Made {
  return new Map(layers.map((layer) => [layer.name, layer]));
}

class Matcher {
  private readonly names = new Map<string, string>();
  private readonly pairOf = new Map<Layer, LayerPair>();
  /** Of the other's layers: those that are matched, and what belongs to them. */
  private readonly taken = new Set<Layer>();
  private readonly read: Same[] = [];
  /** By a value of the other model, the model's that stand for the same numbers. */
  private readonly alike = new Map<string, Set<string>>();
  private readonly constants: ReadonlySet<string>;
  private readonly made: Made;
  private readonly otherMade: Made;

  constructor(
    private readonly model: Model,
    private readonly other: Model,
  ) {
    [this.made, this.otherMade] = [model, other].map(madeIn);
    this.constants = new Set([...(model.constants ?? []), ...(other.constants ?? [])].map(({ name }) => name));
  }

  private take(layer: Layer, other: Layer): void {
    const likeness = likenessOf(stagesOf(this.model, layer), stagesOf(this.other, other));
    this.pairOf.set(layer, { layer, other, ...likeness });
    this.taken.add(other);
    for (const [own, theirs] of likeness.related) this.stand(own.layer.name, theirs.layer.name);
    if (!this.names.has(other.name)) this.names.set(other.name, layer.name);
  }

  private stand(own: string, other: string): void {
    if (!this.names.has(other)) this.names.set(other, own);
    this.alike.set(other, (this.alike.get(other) ?? new Set()).add(own));
  }

  private forget(other: string): void {
    this.names.delete(other);
    this.alike.delete(other);
  }

  private left(): { readonly layers: readonly Layer[]; readonly others: readonly Layer[] } {
    const layers = this.model.layers.filter((layer) => !this.pairOf.has(layer));
    return { layers, others: this.other.layers.filter((layer) => !this.taken.has(layer)) };
  }

  /** By name, the rest in their order. Codes that one model is given may be what the other's first layer makes of floats. */
  inputs(): void {
    const free = new Map(this.model.inputs.map((input) => [input.name, input]));
    const rest = this.other.inputs.filter(({ name }) => {
      if (!free.delete(name)) return true;
      this.stand(name, name);
      return false;
    });
    const unnamed = [...free.keys()];
    for (const [i, { name }] of rest.entries()) if (i < unnamed.length) this.stand(unnamed[i], name);
    for (const { name, params } of this.other.inputs) {
      const own = this.model.inputs.find((input) => input.name === this.names.get(name));
      if (!own || isQuantized(own.params) === isQuantized(params)) continue;
      const [reading, codes] = isQuantized(params) ? [this.model.layers, name] : [this.other.layers, own.name];
      const quantize = reading.find(
        (layer) => makesCodes(layer) && layer.inputs[0] === (isQuantized(params) ? own.name : name),
      );
      if (!quantize) continue;
      if (isQuantized(params)) this.forget(codes);
      this.stand(isQuantized(params) ? quantize.name : codes, isQuantized(params) ? codes : quantize.name);
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
      this.isSame(name, other.inputs[i]) || (this.constants.has(name) && this.constants.has(other.inputs[i]));
    return (
      layer.inputs.length > 0 &&
      layer.inputs.length === other.inputs.length &&
      (layer.inputs.every(alike) || (layer.inputs.length === 2 && [...layer.inputs].reverse().every(alike)))
    );
  }

  /** Up to what passes a value on: codes and the floats that they stand for, another layout. */
  private isSame(own: string, other: string): boolean {
    const owns = passedTo(this.made, own);
    return passedTo(this.otherMade, other).some((name) => {
      const alike = this.alike.get(name);
      return alike !== undefined && owns.some((one) => alike.has(one));
    });
  }

  /** What matched products read, where no layer of the one is that of the other: codes of one scale and zero point. */
  byReader(): boolean {
    const before = this.read.length;
    for (const { layer, other } of this.pairOf.values()) {
      const [a, b] = [this.made.get(layer.inputs[0]), this.otherMade.get(other.inputs[0])];
      if (!isProduct(layer) || !a || !b || this.alike.has(b.name) || !isOfOneScale(a, b)) continue;
      if ([...this.alike.values()].some((names) => names.has(a.name))) continue;
      this.read.push([stagesOf(this.model, a)[0], stagesOf(this.other, b)[0]]);
      this.stand(a.name, b.name);
    }
    return this.read.length > before;
  }

  /** The next products of one shape, behind those that are matched already; one pair at a time. */
  byOrder(): boolean {
    const { layers, others } = this.left();
    const place = new Map(this.other.layers.map((layer, index) => [layer, index]));
    for (const layer of layers.filter(isProduct)) {
      const index = this.model.layers.indexOf(layer);
      const places = (layers: readonly Layer[]) =>
        layers.flatMap((one) => place.get(this.pairOf.get(one)?.other ?? one) ?? []);
      const before = places(this.model.layers.slice(0, index));
      const after = places(this.model.layers.slice(index + 1));
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
    const pairs = this.model.layers.flatMap((layer) => this.pairOf.get(layer) ?? []);
    const { layers, others } = this.left();
    const same = [...pairs.flatMap(({ related }) => related), ...this.read];
    const own = new Set(same.flatMap(([{ path }]) => path));
    const theirs = new Set(same.flatMap(([, { path }]) => path));
    const unmatched = {
      layers: layers.filter((layer) => !own.has(layer)).map(({ name }) => name),
      others: others.filter((layer) => !theirs.has(layer) && !this.names.has(layer.name)).map(({ name }) => name),
    };
    return { pairs, names: this.names, read: this.read, unmatched };
  }
}

function makesCodes(layer: Layer): boolean {
  return isElementwise(layer) && layer.output !== null && isQuantized(layer.output);
}

/** Where only one of two is replayed, nothing is known of what the other fuses. */
const FUSING = new Set(['add', 'sub', 'mul', 'div']);

/** Of one op, or both only move values; a product of codes may be one of floats there, which nothing quantized. */
function isAlike(a: Layer, b: Layer): boolean {
  if (isOfFloats(a, b)) return true;
  if (FUSING.has(a.op) && (a.form === null) !== (b.form === null)) return false;
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

/** A value and, back from it, those that it is but for its type and how it lies. */
function passedTo(made: Made, value: string): string[] {
  const names = [value];
  for (const name of names) {
    const layer = made.get(name);
    if (layer && passesOn(layer)) names.push(layer.inputs[0]);
  }
  return names;
}

function passesOn(layer: Layer): boolean {
  if (turnsImages(layer)) return true;
  const isPlain = isElementwise(layer) && layer.form.clamp === null && layer.inputs.length === 1;
  return isPlain && (layer.form.keepsParams || layer.output === null || !isQuantized(layer.output));
}

function isOfOneScale({ output: a }: Layer, { output: b }: Layer): boolean {
  return a !== null && b !== null && isQuantized(a) && isQuantized(b) && ofValue(a, b).length === 0;
}
