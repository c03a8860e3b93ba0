import type { Matrix, NumericArray } from '../../nouns/array.js';
import type { Call, Fast, Kernel } from '../../nouns/kernel.js';
import { type BatchRanges, batchOf } from '../../replay/calls.js';
import type { At } from '../finding/evidence.js';
import type { Change, Kind, Setup, SetupOf } from '../setup.js';
import type { TensorContext } from './tensorContext.js';
import type { Work } from './work.js';

/** The two sides of a diagnosis: the capture was made by a known runtime from a file that may be wrong; the candidate has the right file. */
export type Side = 'capture' | 'candidate';

/** Where numbers are, [samples, width], read in blocks of samples. */
export interface Rows {
  readonly width: number;
  read(from: number, to: number): Promise<NumericArray>;
}

/** Images of a convolution's input by sample, [samples, width]: rows of channels. */
export interface ImageRows extends Rows {
  readonly channels: number;
  /** Rows of the layer that an image makes. */
  readonly positions: number;
}

/** Some of them in memory. */
export interface Images extends Omit<ImageRows, 'read'> {
  readonly data: NumericArray;
  /** Of each row of a scope: which image. */
  readonly of: Int32Array;
}

/** One layer as a diagnosis sees it: what is declared, and its numbers by sample. */
export interface LayerData<K extends Kind = Kind> {
  readonly side: Side;
  /** Who may have computed it: anyone, in any steps; some runtime, by one of its kernels; the declared kernel's own. */
  readonly madeBy: 'anyone' | 'runtimes' | 'own-runtime';
  readonly kernel: Kernel;
  /** What other kernels have of this very layer; absent: their op is all they have. */
  readonly ofLayer?: (kernel: Kernel) => Kernel;
  /** Kernels for which the CPU is said to lack instructions: named only where no other explains. */
  readonly lacks?: (kernel: Kernel) => boolean;
  readonly op: string;
  /** What the layer is said to run in, where its runtime has the choice. */
  readonly arithmetic?: 'integers' | 'float';
  /** All it reads and gives are floats. */
  readonly onFloats?: true;
  /** Where the runtime has the choice of arithmetic: what the declared kernel does with the other one. */
  readonly otherArithmetic?: Setup['steps'] | null;
  /** What the file and the declared kernel say. */
  readonly declared: SetupOf<K>;
  readonly fast: Fast;
  /** Samples [from, to) are judged. */
  readonly from: number;
  readonly to: number;
  /** What the layer reads, in the order of its inputs: codes, or floats. */
  readonly inputs: readonly Rows[];
  /** Of a convolution: what its patches are taken from. */
  readonly images?: ImageRows;
  /** Rows that a sample makes, one for each of its positions; absent: one. */
  readonly positions?: number;
  /** The judged side's values; as wide as the layer has channels. */
  readonly observed: Rows;
  /** Multiply-adds that a sample takes. */
  readonly effort: number;
  /** Told how many hypotheses were tried, at each. */
  readonly watch?: (tried: number) => void;
  /** What searches may take; absent: as much as they need. */
  readonly work?: Work;
  /** Values that differ under the reference. */
  readonly mismatched: number;
  /** Some differing values of every differing channel, in sample order. */
  readonly witnesses: readonly At[];
  /** Samples that have refuted what the subset admitted: they are in it from then on. */
  readonly refuting?: readonly number[];
  /** Of a product: the runtime's call that a sample belongs to, where it is known. */
  readonly callOf?: (sample: number) => Call | undefined;
  /** Of a layer on whole values. */
  readonly whole?: TensorContext;
  /** Set where the layer quantizes its own input. */
  readonly dynamic: DynamicData | null;
  /** Of a candidate: what the other side's layer is found to do, where that is not what is declared. */
  readonly met?: { readonly changes: readonly Change[] } | null;
  readonly before?: DoneElsewhere;
  /** What is observed is what a hypothesis gives, proven by layers after it: few values tell enough. */
  readonly proven?: true;
  /** One cause without a number is all that is asked for. */
  readonly single?: true;
  /** It was searched by itself, in vain: only what others are found to do, and one change more. */
  readonly again?: readonly InCommon[];
  /** Asked before two causes at once are sought: whether something else gives its values. isNear: sums were met from which they may follow. */
  readonly isElsewhere?: (isNear: boolean) => Promise<boolean>;
}

/** What one layer, or several, are found to do. */
export interface InCommon {
  readonly changes: readonly Change[];
  /** One of them, and how many they are. */
  readonly layer: string;
  readonly layers: number;
}

/** Sets of changes: what explains layers before one, what more than one, and what gives the values of others, which are too few to show it. */
export interface DoneElsewhere {
  readonly shown: readonly (readonly Change[])[];
  readonly often: readonly (readonly Change[])[];
  /** What more than one do, be they few of all. */
  readonly several: readonly (readonly Change[])[];
  readonly open: readonly (readonly Change[])[];
}

/** Samples are rows of the layer; which batch one belongs to, and the range of that batch's input. */
export interface DynamicData extends BatchRanges {
  readonly reduceRange: boolean;
}

/** How many of a layer's calls are computed one by one: of whole values, and where each has a scale of its own. */
export function callsIn({ whole, dynamic, from, to }: LayerData): number {
  if (whole) return batchOf(whole.inCalls.ends, to - 1) - batchOf(whole.inCalls.ends, from) + 1;
  return dynamic ? dynamic.batchOf(to - 1) - dynamic.batchOf(from) + 1 : 0;
}

/** Some samples and channels of a layer, in memory. */
export interface Scope {
  readonly samples: readonly number[];
  /** Null: all. */
  readonly channels: readonly number[] | null;
  /** [samples, width] of each input. */
  readonly inputs: readonly Matrix[];
  /** Of a convolution. */
  readonly images?: Images;
  /** [samples, channels] */
  readonly observed: NumericArray;
  /** Of rows that stand for all that are equal to them: how many each. */
  readonly times?: Float64Array;
  /** Of consecutive rows of another scope: from which on. */
  readonly slice?: { readonly of: Scope; readonly from: number };
}

/** What a setup computes for a scope, [samples, channels]. */
export interface Outputs {
  readonly data: Int32Array | Uint8Array | Int8Array | Float32Array;
  /** Set for a float path without a fixed order: every value in [low, high] is a legitimate result. */
  readonly low: NumericArray | null;
  readonly high: NumericArray | null;
}

/** How a hypothesis fares on every judged sample. */
export interface Outcome {
  /** Values that differ under the reference and equal the observation under the hypothesis. */
  readonly explained: number;
  /** Values that agree under the reference and no longer do. */
  readonly lost: number;
  readonly mismatched: number;
  /** Mismatched under the hypothesis, by channel. */
  readonly byChannel: Float64Array;
  /** Some values that stay mismatched: the subset lacked them. */
  readonly failures: readonly At[];
}
