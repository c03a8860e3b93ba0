/** What threads are told of a product, and how it is cut. */
// @ts-nocheck: the types are AssemblyScript's

export const CHUNK: i32 = 1024;
export const TILE_CHANNELS: i32 = 32;
/** Rows that pass over all panels of a tile before the next ones: 256 KiB of a chunk. */
export const BLOCK_ROWS: i32 = 128;

/** Written by job.ts, field by field in this order. Pointers are byte addresses. */
@unmanaged
export class Job {
  /** Tiles that nobody has taken yet; below 0 where threads came in vain. */
  left: i32;
  done: i32;
  /** Counts jobs: what idle threads wait for. */
  number: i32;
  /** Workers that trapped within a tile, which they count as done: the job is then run again. */
  failed: i32;
  tiles: i32;
  rows: i32;
  channels: i32;
  inFeatures: i32;
  /** 1: pairs saturate at int16. */
  paired: i32;
  /** 1: operands are bytes, and zero points enter as with pairs: by `seed` and `xSums`. */
  bytes: i32;
  /** Tiles of bytes whose sums were wrong: they, and all after them, are summed by `dotBytes` in its portable form. */
  refuted: i32;
  /** Bytes: of each tile of rows, the sums of its codes by k as `columnSums` leaves them. */
  columns: usize;
  /** Pairs restart in each block of this many k; K where they do not. Of tiles: channels that are summed at a time. */
  blockLength: i32;
  /** K with every block padded to a multiple of 8. */
  packedLength: i32;
  tileRows: i32;
  /** Where not 0: a convolution by tiles of 4x4 places, so many to a line of them; `tileRows` counts such lines. */
  tilesOfLine: i32;
  linesOfImage: i32;
  /** Of what is packed, among those of the images that are there; how many; and those whose products are there at a time. */
  firstLine: i32;
  lines: i32;
  linesAtOnce: i32;
  outHeight: i32;
  outWidth: i32;
  /** Bytes from one to the next: channels of all groups. */
  cell: i32;
  x: usize;
  /** Where not 0: the rows' codes are gathered from source + base[row] + offset[k] (in values, int32) to a stage for four rows. */
  base: usize;
  offset: usize;
  stage: usize;
  /** Of each row: the sum of its codes. */
  xSums: usize;
  /** 0: uint8, 1: int8, 2: int16. */
  weightKind: i32;
  weight: usize;
  weightZeroPoints: usize;
  /** Where a zero lies: pairs are of raw weights. */
  noZeroPoint: usize;
  /** Pairs and bytes: the zero point of the codes as they are multiplied. */
  xZeroPoint: i32;
  /** Space of thread t begins at scratch + t * scratchBytes. */
  scratch: usize;
  scratchBytes: i32;
  out: usize;
  /** From one row to the next. */
  outBytes: i32;
  /** 0: the sums are the output, int32. Otherwise codes of one byte. */
  requantize: i32;
  /** Per channel, see `requantize`. */
  biasInt32: usize;
  addend: usize;
  product: usize;
  channelScale: usize;
  realBias: usize;
  fused: i32;
  divides: i32;
  plain: i32;
  inputScale: f32;
  outputScale: f32;
  offsetBefore: f32;
  low: f32;
  high: f32;
  largest: f32;
  offsetAfter: i32;
}
