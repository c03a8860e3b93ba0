/** Shapes of values: as declared, then forward through the layers. */
import { type Checks, described, type Place } from '../documents/checks.js';
import type { Layer, Model } from '../nouns/model.js';
import type { Shape } from '../nouns/value.js';
import { shapedText } from '../ops/fields/inputs.js';
import { asRead, impliedDims, readsByLayout, shapeWith } from '../ops/fields/shape.js';
import { opByName, opsOfMatrices } from '../ops/named.js';
import type { Op } from '../ops/op.js';
import { dimsText, fitsOtherLayout, sameDims } from '../tensor/shape.js';
import { listed, printable } from '../text.js';
import { fieldOfValue } from './names.js';

/** A model whose values are rows of channels. */
export const OF_MATRICES = { layout: 'NCHW', shapes: null, channelAxes: new Map(), memory: new Map() } as const;

/** What a value says of its shape, beside its parameters. */
export interface DeclaredShape {
  readonly dims: readonly number[] | null;
  readonly channelAxis: number | null;
}

/** Of an input or a layer, whose fields' types are checked already. */
export function declaredShape(raw: unknown, place: Place, checks: Checks): DeclaredShape {
  const [shape, axis] = ['shape', 'channel_axis'].map((name) => fieldOfValue(raw, name));
  const dims = Array.isArray(shape) && shape.every((dim) => Number.isInteger(dim) && dim > 0) ? shape : null;
  if (axis === null || !Number.isInteger(axis)) return { dims, channelAxis: null };
  const fits = dims === null || ((axis as number) >= 0 && (axis as number) < dims.length);
  if (!fits) {
    const expected = `expected an axis of the shape ${dimsText(dims)} (0..${dims.length - 1})`;
    checks.problem('channel-axis', [...place, 'channel_axis'], `${expected}, got ${described(axis)}`);
  }
  return { dims, channelAxis: fits ? (axis as number) : null };
}

/** Whether a file is more than matrices: it says a shape, has an op that came with shapes, or is a graph, whose axis 0 is the samples'. */
function isShaped(declared: ReadonlyMap<string, DeclaredShape>, layers: readonly Layer[]): boolean {
  if (layers.some(({ nodes }) => nodes !== undefined)) return true;
  if ([...declared.values()].some(({ dims }) => dims !== null)) return true;
  return layers.some(({ form, op }) => form !== null && !opsOfMatrices.includes(opByName(op)!));
}

/** Of the values of a file; null for one of matrices. Layers that contradict what is declared are problems. */
export function shapesOf(
  model: Parts,
  declared: ReadonlyMap<string, DeclaredShape>,
  checks: Checks,
): ReadonlyMap<string, Shape> | null {
  if (!isShaped(declared, model.layers)) return null;
  const known = new Map([...declared].flatMap(([name, { dims }]) => (dims ? [[name, dims] as const] : [])));
  const shapes = new Shapes(model, (_, index, problem) => checks.problem('shape', ['layers', index], problem));
  return shapes.infer(known);
}

type Parts = Pick<Model, 'inputs' | 'constants' | 'layers' | 'layout' | 'channelAxes'>;

/** `contradicts` is told of layers whose inputs give other dims, or fit nothing. */
export class Shapes {
  readonly found = new Map<string, Shape>();
  /** What products along the last axis compute. */
  private readonly ofRows: ReadonlySet<string>;

  constructor(
    private readonly model: Parts,
    private readonly contradicts: (layer: Layer, index: number, problem: string) => void,
  ) {
    const ofRows = model.layers.filter(({ form, op }) => form?.kind === 'product' && opByName(op)?.channels === 'last');
    this.ofRows = new Set(ofRows.map(({ name }) => name));
  }

  /** known: dims of values that a file or a capture gives. */
  infer(known: ReadonlyMap<string, readonly number[]>): ReadonlyMap<string, Shape> {
    const { inputs, constants = [], layers } = this.model;
    for (const { name, dims } of constants) this.add(name, dims, null, undefined);
    for (const input of inputs) this.add(input.name, known.get(input.name), this.readAs(input.name), undefined);
    for (const [index, layer] of layers.entries()) this.layer(layer, index, known.get(layer.name));
    return this.found;
  }

  private layer(layer: Layer, index: number, known: readonly number[] | undefined): void {
    const { layout } = this.model;
    const shapes = asRead(
      layer,
      layer.inputs.map((name) => this.found.get(name)),
      layout,
    );
    const implied = impliedDims(layer, shapes, layout);
    if (typeof implied === 'string') this.contradicts(layer, index, implied);
    const dims = typeof implied === 'string' ? null : implied;
    if (dims && known && !sameDims(dims, known))
      this.contradicts(layer, index, this.contradiction(layer, shapes, dims, known));
    const op = layer.form && opByName(layer.op);
    if (readsByLayout(layer)) this.readByLayout(layer.inputs[0], shapes[0]);
    this.add(layer.name, known ?? dims ?? undefined, op?.channels ?? null, shapes[0]);
  }

  private contradiction(
    layer: Layer,
    shapes: readonly (Shape | undefined)[],
    expected: readonly number[],
    got: readonly number[],
  ): string {
    const inputs = layer.inputs.map((name, i) => ({ name, shape: shapes[i]! }));
    const from = listed(inputs.map(shapedText));
    const { layout } = this.model;
    const fits = layer.form && opByName(layer.op)?.fits?.({ form: layer.form, inputs, layout }, got);
    const fix = layoutFix(expected, got) || (fits ? `; ${fits}` : '');
    return `expected shape ${dimsText(expected)} (${printable(layer.op)} of ${from}), got ${dimsText(got)}${fix}`;
  }

  /** input: whose channels the value has, where it takes them from there. */
  private add(
    name: string,
    dims: readonly number[] | undefined,
    channels: Op['channels'] | null,
    input: Shape | undefined,
  ): void {
    if (!dims) return;
    const { layout, channelAxes } = this.model;
    const declared = channelAxes.get(name);
    const shape = shapeWith(dims, channels, input, layout);
    this.found.set(name, declared !== undefined && declared < dims.length ? { dims, channelAxis: declared } : shape);
  }

  /** The value itself too, [4, 44] behind a layer that is not replayed, unless a product along the last axis made it. */
  private readByLayout(name: string, shape: Shape | undefined): void {
    if (shape && !this.ofRows.has(name)) this.found.set(name, shape);
  }

  /** What no layer makes has its channels where the first layer that cares reads them. */
  private readAs(name: string): Op['channels'] | null {
    let value = name;
    for (const { form, op, inputs, name: computed } of this.model.layers) {
      if (!form || inputs[0] !== value) continue;
      const { channels } = opByName(op)!;
      if (form.kind === 'layout' && channels !== 'input') continue;
      if (channels !== 'input') return channels;
      value = computed;
    }
    return null;
  }
}

/** Where the other layout fits, that is what to do. */
function layoutFix(expected: readonly number[], got: readonly number[]): string {
  if (!fitsOtherLayout(expected, got) || sameDims(expected, got)) return '';
  return '; channels stand at the other end: transpose it, or say "layout" in the model';
}

/** The same of an array, with the samples' axis before it. */
export function transposeFix(expected: readonly number[], got: readonly number[]): string {
  if (!fitsOtherLayout(expected, got) || sameDims(expected, got)) return '';
  const axes = got.map((_, axis) => axis + 1);
  const isLast = sameDims(got, [...expected.slice(1), expected[0]]);
  const order = isLast ? [axes.at(-1), ...axes.slice(0, -1)] : [...axes.slice(1), axes[0]];
  return `; channels stand at the other end: save .transpose(${[0, ...order].join(', ')})`;
}
