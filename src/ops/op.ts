/** What an op is: how a layer of model.json is read, and what shape its value has. Engines belong to the kind of its form. */
import type * as z from 'zod/mini';
import type { Checks, Place } from '../documents/checks.js';
import type { Form } from '../nouns/model.js';
import type { Layout, Shape, ValueParams } from '../nouns/value.js';
import type { Features } from './fields/features.js';
import type { ModelArrays } from './fields/numbers.js';

/** A value that layers read. */
export interface Value {
  readonly name: string;
  /** null where a layer that is not replayed does not say; undefined after a problem. */
  readonly params: ValueParams | null | undefined;
}

/** A layer of model.json while it is read. Fields may be missing or wrong: that is noted already. */
export interface RawLayer {
  readonly raw: unknown;
  /** The fields as the op's schema types them; null after a problem. */
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly name: string;
  readonly op: string;
  readonly place: Place;
  readonly inputs: readonly (Value | undefined)[];
  /** As declared; null without, undefined after a problem. */
  readonly output: ValueParams | null | undefined;
  readonly checks: Checks;
  readonly arrays: ModelArrays;
  /** How many channels values have, as far as products around them say. */
  readonly features: Features;
}

/** What became of it. */
export interface ReadLayer {
  readonly form: Form;
  readonly output: ValueParams;
}

export interface Op {
  /** As model.json and PyTorch's functional namespace call it. */
  readonly name: string;
  /** To people, where it is not the name. */
  readonly called?: string;
  /**
   * Its fields: types, the messages for wrong ones, and its part of the JSON Schema. A function, called where a layer asks for it:
   * the schemas of all ops are 4 ms of a start.
   */
  schema(): z.ZodMiniObject;
  /** How many values it reads. */
  readonly inputs: readonly [least: number, most: number];
  /** Fields without which a layer stays what it was before the op had a file: not replayed, and a warning says so. */
  readonly needs?: readonly string[];
  /** Values of other dtypes than uint8 and int8, in or out, leave it what it was, too. */
  readonly reads?: 'codes';
  /** So does what this says of the fields of the file (`over the samples' axis`); null: nothing. */
  beyond?(field: (name: string) => unknown): string | null;
  /** Notes every problem; null after one. */
  read(layer: RawLayer): Promise<ReadLayer | null> | ReadLayer | null;
  /** Its values are its input's, elsewhere: nothing in it can saturate or round. */
  readonly movesValues?: true;
  /** Where the channels of its value are: those of its first input, the last axis, or where the model's layout has them. */
  readonly channels: 'input' | 'last' | 'layout';
  /**
   * Of one sample; default: the first input's. A string where the inputs do not fit: `expected ..., got ...; what to do`.
   * The channel axis follows from `channels`.
   */
  dims?(layer: ShapedLayer): readonly number[] | string;
  /** Products that a value of the output takes, or what takes as long, where the inputs' shapes say how many. */
  terms?(inputs: readonly Shape[], form: Form): number;
  /** Other fields with which it would have these dims (`padding 1 would fit`); null: none. */
  fits?(layer: ShapedLayer, dims: readonly number[]): string | null;
}

/** A layer whose inputs' shapes are known. */
export interface ShapedLayer<F extends Form = Form> {
  readonly form: F;
  readonly inputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly layout: Layout;
}
