/** Windows over places: of convolutions and pools. */

/** One entry a spatial axis, outermost first. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [before: number, after: number])[];
  readonly dilation: readonly number[];
  /** Of a transposed convolution, what is added at the end of the output; null: not transposed. */
  readonly transposed: readonly number[] | null;
  /** A last window that begins inside the input or its padding in front counts although it leaves it (pools). */
  readonly ceil?: boolean;
}

/** What the taps of output positions read, never as a list of all: a small file may have 16 million positions. */
export interface Taps {
  readonly positions: number;
  readonly taps: number;
  readonly hasHoles: boolean;
  /** Of every tap of an output position, all in C order: the input position that it reads, HOLE for none. The next call overwrites it. */
  at(position: number): Int32Array;
}

/** Rows of a product that are patches of an image: a convolution's. Channels of the input fall into as many groups as those of the output. */
export interface Patch {
  readonly window: Window;
  readonly groups: number;
  /** An operator of its own in TFLite, whatever the groups. */
  readonly depthwise?: boolean;
  /** The padding is what the output's size, ceil(input / stride), needs. */
  readonly same?: boolean;
}

/** The same for an input of known size. */
export interface PlacedPatch extends Patch {
  readonly taps: Taps;
  /** Spatial dims of the input and of the output. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Channels of a group. */
  readonly inChannels: number;
  readonly outChannels: number;
}
