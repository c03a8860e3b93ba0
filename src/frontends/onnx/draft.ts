/** A layer on its way to model.json's words, and what patterns find them with. */
import type { ArraySource } from '../../nouns/array.js';
import type { Hazard, Layer, RanAs } from '../../nouns/model.js';
import type { Constant, Constants } from './constants.js';
import type { From } from './dims.js';
import type { Graph, GraphNode } from './graph.js';
import type { Quantization } from './quantization.js';
import type { Session } from './session.js';

/** null: not known, or a type that qdiff has no values of. */
export type ValueType = Quantization | 'float32' | null;

export interface Read {
  readonly tensor: string;
  readonly q: Quantization;
}

export interface Draft {
  /** The node whose place in the order of execution it takes. */
  readonly at: GraphNode;
  /** The nodes that it was folded from, `at` among them. */
  readonly nodes: readonly GraphNode[];
  /** Of the tensor that it computes. */
  readonly name: string;
  /** model.json's; PyTorch's functional name. */
  readonly op: string;
  readonly inputs: readonly string[];
  /** Of model.json, as FORMAT.md has them. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly output: ValueType;
  /** The codes that a Relu or Clip before QuantizeLinear leaves, where they are fewer than the dtype's. */
  readonly range?: readonly [number, number];
  /** As the nodes read values; who makes one may say otherwise. */
  readonly reads?: readonly Read[];
  readonly arithmetic?: Layer['arithmetic'];
  readonly because?: string;
  readonly remedy?: string;
  readonly ranAs?: RanAs;
  readonly hazards?: readonly Hazard[];
  /** Why it is not replayed, whatever its op. */
  readonly notReplayed?: string;
  /** Without the samples' axis; where the file gives it. */
  readonly shape?: readonly number[];
  /** Blocks that stand before the samples in what a call leaves, where they are not first. */
  readonly blocksBefore?: number;
}

/** An op of model.json's and its attributes. */
export interface SharedFields {
  readonly op: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What is not known before the graph runs. */
  readonly unknown: string | null;
}

export interface Context {
  readonly graph: Graph;
  readonly constants: Constants;
  readonly arrays: Arrays;
  readonly session: Session;
  /** What shapes follow from, where they are those of a run: with a capture all that it shows. */
  readonly asRun: From;
  /** Floats of two bytes, as the file says. */
  readonly halves: ReadonlySet<string>;
  /** How the codes of a tensor stand for reals, as who makes it says; null where that is not known. */
  typeOf(tensor: string): ValueType;
}

/** One way in which nodes stand for layers. */
export interface Pattern {
  /** The operators that it may begin at, of any domain; null: all. */
  readonly ops: readonly string[] | null;
  /** The layers that begin at this node, or null. A node is given in the order of execution, once no pattern before took it. */
  match(node: GraphNode, context: Context): Promise<readonly Draft[] | null>;
}

/** The arrays that layers name as {"array": KEY}. */
export class Arrays {
  readonly byKey = new Map<string, ArraySource>();
  /** Values that layers read and the file holds, as model.json has them. */
  readonly values = new Map<string, object>();

  /**
   * The name of a constant as a value; null where qdiff does not read its numbers. params: model.json's. asPart: joined with others, for
   * which its axes count, the samples' being 1. without: an axis of one that stands where the samples are.
   */
  value(name: string, { source, shape: all }: Constant, params: object, asPart = false, without = -1): string | null {
    if (!source) return null;
    const shape = all.filter((_, axis) => axis !== without);
    // leading 1s broadcast like axes that are not there, the samples' among them
    const first = asPart ? 1 : shape.findIndex((dim) => dim !== 1);
    const dims = first < 0 ? [] : shape.slice(first);
    const before = this.values.get(name) as { readonly shape: readonly number[] } | undefined;
    if (asPart && (shape[0] !== 1 || dims.length === 0)) return null;
    if (before && (asPart || without >= 0) && before.shape.length !== dims.length) return null;
    this.values.set(name, { name, ...params, shape: dims, value: this.add(name, source) });
    return name;
  }

  /** `key`: a tensor's name; an array made from it otherwise has another. */
  add(key: string, source: ArraySource): { array: string } {
    let free = key;
    while (this.byKey.has(free) && this.byKey.get(free) !== source) free += "'";
    this.byKey.set(free, source);
    return { array: free };
  }

  /** Null where qdiff does not read its numbers. */
  constant(key: string, { source }: Constant): { array: string } | null {
    return source && this.add(key, source);
  }
}
