/** Codes that a product reads from where they lie. */

/**
 * Rows of codes that lie in an array in an order of their own: x[r, k] = data[base[r] + offset[k]]. A convolution's patches without a
 * copy of them: base has the first cell of each output position's patch, offset where the patch's k-th cell lies from there. All
 * cells are in data: a padded input has its padding there, cells that hold the zero point.
 */
export interface Gathered {
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array;
  readonly base: Int32Array;
  readonly offset: Int32Array;
  /** Of a product of groups: from a cell of one group to that of the next; offset has the first one's. */
  readonly group?: number;
  /** What data is made of, which is then made when it is read. */
  readonly padding?: Padding;
}

/**
 * Images, each of so many planes, with `fill` around them: of each plane of `plane` cells `starts` has where the lines of `line` cells
 * begin.
 */
export interface Padding {
  readonly source: Uint8Array | Int8Array;
  readonly planes: number;
  readonly plane: number;
  readonly starts: Int32Array;
  readonly line: number;
  readonly fill: number;
}

/**
 * Images in planes, [images, channels, ...places], where each channel reads one of its own. Of a padded plane of `padded` cells `starts`
 * has where the lines of `line` cells begin. Of each line of the output base has the first cell of its first place's patch; the next of its
 * `width` places lie `step` cells further each.
 */
export interface Planes extends Gathered {
  readonly starts: Int32Array;
  readonly line: number;
  readonly padded: number;
  readonly width: number;
  readonly step: number;
}
