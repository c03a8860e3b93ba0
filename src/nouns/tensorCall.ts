/** What an op on whole values reads and gives: a block of one of the runtime's calls. */

import type { NamedArrays, NumericArray } from './array.js';
import type { Host, Vectors } from './host.js';
import type { JoinedPair } from './ladder.js';
import type { Activation, Memory, RanAs } from './model.js';
import type { IntegerDtype, Shape, ValueParams } from './value.js';

/** A value of a block of samples, [samples, ...shape] in C order. */
export interface TensorValue {
  readonly data: NumericArray;
  readonly shape: Shape;
  readonly params: ValueParams;
  readonly memory: Memory;
}

/** A block of samples of one of the runtime's calls. */
export interface TensorCall<Attributes = unknown> {
  readonly attributes: Attributes;
  readonly activation: Activation;
  readonly inputs: readonly TensorValue[];
  readonly output: Omit<TensorValue, 'data'>;
  readonly samples: number;
  /** The first of them, counted in the call, and how many samples the call has. */
  readonly first: number;
  readonly ofCall: number;
  readonly threads: number;
  readonly vectors: Vectors;
  /** A hypothesis: every element is computed as in vectors, or as one by one. Absent: as they lie in memory. */
  readonly everywhere?: 'vectors' | 'one-by-one';
  /** So many of the first values are asked for: steps that are `inOrder` leave out what follows. */
  readonly most?: number;
  readonly host: Host;
  readonly fast?: FastTensors | null;
  readonly ranAs?: RanAs;
  /** Of a layer that looks rows up, or multiplies with floats. */
  readonly table?: NumericArray;
  readonly arrays?: NamedArrays;
  /** What the call before has left; the step leaves there what the next one reads. */
  readonly state?: State;
}

/** Numbers that a runtime keeps from call to call. */
export type State = readonly Int32Array[];

/** Of an op that keeps one: its calls run whole, in their order. */
export interface KeptState {
  /** Before the first call. */
  begin(call: TensorCall): State;
  /** Of a call, each with a state of its own. dims: of what it reads, its samples first. */
  sequences(attributes: unknown, dims: readonly number[]): number;
  /** A hypothesis: begun anew with each call where the capture's was kept, or the reverse. */
  readonly otherwise?: true;
}

/** Of each image, a row of `channels` codes for each of its places, or a plane of `places` for each channel. */
export interface ImageCodes<A extends Bytes = Bytes> {
  readonly codes: A;
  readonly channels: number;
  readonly places: number;
  readonly inPlanes: boolean;
}

/** The places that windows cover, one window after the other, and where each ends. */
export interface WindowPlaces {
  readonly list: Int32Array;
  readonly ends: Int32Array;
}

/** The accelerator, as steps on whole values ask it: null where it does not take the case. */
export interface FastTensors {
  /** The largest code of each window and channel, and of `least`. */
  largest<A extends Bytes>(image: ImageCodes<A>, windows: WindowPlaces, least: number): A | null;
  /** Codes of the pairs of two as long, into `out`. */
  pairs<A extends Bytes>(a: Bytes, b: Bytes, pair: JoinedPair, out: A): A | null;
  /** Bytes of a table of 256, by the bits of a code. */
  lookedUp<A extends Bytes>(codes: Bytes, table: A): A | null;
}

type Bytes = Uint8Array | Int8Array;

/** Codes or reals of the output, in C order; with bounds where a float function or an order of summation is not known bit by bit. */
export type Computed = CodeArray | Float32Array | Bounded;

/** Bytes only where every code is one. */
export type CodeArray = Int32Array | Uint8Array | Int8Array;

/** Every value from low to high is a legitimate result; data is the likeliest. */
export interface Bounded {
  readonly data: CodeArray | Float32Array;
  readonly low: CodeArray | Float32Array;
  readonly high: CodeArray | Float32Array;
}

export type { Vectors } from './host.js';
export type { JoinedPair } from './ladder.js';

/** The parameters of a layer's first input and of its output. */
export interface Values {
  readonly input: ValueParams;
  readonly output: ValueParams;
}

/** What an op on whole values does on a kernel. */
export interface TensorSteps {
  /** The first values are computed without the others. */
  readonly inOrder?: true;
  readonly kind: 'tensor';
  /** What it computes of floats is known within a bound; absent: to the bit. */
  readonly isBounded?: true;
  readonly equation: string;
  /** What lies between two codes is cut off; absent: it goes to the nearest. */
  readonly cutsOff?: true;
  /** By which rule a script rounds, and whether the zero point is added before; absent: to the nearest. */
  readonly rounds?: { readonly rule: string; readonly zeroPointFirst: boolean };
  /** Dtypes of codes that it takes and gives; absent: those of 8 bits. */
  readonly codes?: readonly IntegerDtype[];
  /** What a departure to it is called; absent: of an int32 multiplier. */
  readonly departure?:
    | 'fixed-point-multiplier'
    | 'multiplier-precision'
    | 'table-entry'
    | 'resample-grid'
    | 'int16-saturation'
    | 'kernel-defect';
  /** Other arithmetic that implementations of one's own are known to have, and what each is called. */
  readonly rivals?: readonly {
    readonly cause: 'fma' | 'fixed-point-multiplier';
    readonly steps: TensorSteps;
    /** Of the operands of a sum, before they are scaled. */
    readonly leftShift?: number;
    /** After an int32 multiplier. */
    readonly rounding?: 'single';
  }[];
  /** What it multiplies with, where that is no float of reals: an int32 multiplier and a shift, or a float of integer products. */
  readonly arithmetic?: 'fixed-point' | 'integers';
  /** Its output has the scale and zero point of its inputs, whatever the file declares; or it has so of codes of these dtypes. */
  readonly keepsScale?: true | readonly IntegerDtype[];
  /** A mean of codes as they are: zero points take no part, and a half away from zero may be one to it. */
  readonly ofRawCodes?: true;
  /** Set where it keeps one. */
  readonly state?: KeptState;
  /** How many samples of a call take a range together where threads share it; shape: of what the layer reads. Absent: threads change nothing. */
  shareOf?(form: Pick<TensorCall, 'attributes'>, samples: number, shape: Shape, threads: number): number;
  /** Known of x86 alone. */
  readonly ofX86?: true;
  run(call: TensorCall): Computed;
  /** What the layer has that the kernel does not; fits "has no OP with ...". Absent: it takes all. */
  lacks?(form: Pick<TensorCall, 'attributes' | 'activation'>, values?: Values): string | null;
}
