/** Products: rows of codes times weights, in blocks and tiles, to sums or to codes. */
import type { Codes, Gathered, Product } from '../nouns/kernel.js';
import type { AccumulateForm } from '../nouns/sumForms.js';
import { rangeOf } from '../products/exactSums.js';
import { isGathered } from '../products/gathered.js';
import { groupsOf } from '../products/groups.js';
import { placed } from './finish.js';
import { extent, placeCells, placePadded } from './gatheredPart.js';
import type { Machine } from './job.js';
import type { JobFields } from './jobFields.js';
import {
  type Cut,
  type Into,
  inPieces,
  kindOf,
  MOST_WEIGHT_BYTES,
  type Output,
  roomForOutput,
  runParts,
  TILE_CHANNELS,
  takeOutput,
  zeroPointsOf,
} from './parts.js';

/** Activations (packed, 16 bits) that lie in shared memory at a time. */
export const MOST_PACKED_VALUES = 8 << 20;
/** Weights that do: what the second-level cache holds, more where all threads would not have work. */
const USUAL_WEIGHT_BYTES = 1 << 20;
const TILES_OF_A_THREAD = 4;
const TILE_ROWS = 1024;

/** Rows of a product. */
function rowsIn(x: Codes | Gathered): number {
  return isGathered(x) ? x.base.length : x.rows;
}

export function multiplyAdds(x: Codes | Gathered, { outFeatures, inFeatures }: Product): number {
  return rowsIn(x) * outFeatures * inFeatures;
}

export const SUMS: Into = { recipe: null, places: 1 };

/** Rows in blocks that fit. */
export function multiply(machine: Machine, wide: Operands, product: Product, into: Into): Output {
  const { outFeatures, inFeatures } = product;
  const { allRows: units } = wide;
  const operands = (machine.multipliesBytes(units * outFeatures * inFeatures) && asBytes(wide)) || wide;
  const packedLength = packedLengthOf(inFeatures, operands);
  const most = Math.max(4, Math.floor(MOST_PACKED_VALUES / packedLength / 4) * 4);
  const ofPlane = into.places;
  const cut: Cut = { units, ofPlane, most, planeFits: ofPlane <= most, rowAt: (row) => row };
  return inPieces(machine, product, into, cut, (row, end, own, output) =>
    multiplyBlock(machine, { ...operands, row, rows: end - row, packedLength }, product, own, output),
  );
}

export interface Operands {
  readonly x: Uint8Array | Int8Array | Int16Array;
  /** Where x has the rows; null: one after the other. */
  readonly gathered: Gathered | null;
  readonly allRows: number;
  readonly xZeroPoint: number;
  readonly weight: Int8Array | Int16Array;
  readonly paired: boolean;
  readonly bytes: boolean;
  /** Added to the codes before they are multiplied; pairs and bytes only. */
  readonly codeShift: number;
  readonly blockLength: number;
  /** No code, and no weight, less its zero point is larger. */
  readonly xLargest: number;
  readonly wLargest: number;
}

/** Rows from `row` on. */
interface Block extends Operands {
  readonly row: number;
  readonly rows: number;
  readonly packedLength: number;
}

/** The case as the kernels take it; null where 16-bit operands or 32-bit sums might not hold it. */
export function operandsOf(form: AccumulateForm, x: Codes | Gathered, product: Product): Operands | null {
  const { inFeatures, outFeatures, weight, input } = product;
  const codes = isGathered(x) && x.padding ? x.padding.source : x.data;
  const xRange = valuesOf(codes);
  const wRange = valuesOf(weight);
  const zeroPoints = extent(product.weightZeroPoint); // without 0: uint8 weights have some 128
  const integers = Number.isInteger(input.zeroPoint) && inFeatures > 0 && rowsIn(x) > 0 && outFeatures > 0;
  const gathered = isGathered(x) ? x : null;
  if (!integers || (isGathered(x) ? x.offset.length : x.cols) !== inFeatures) return null;
  const codeShift = form.pairs?.codeShift ?? 0;
  const xZeroPoint = input.zeroPoint + codeShift;
  const xLargest = form.pairs
    ? Math.max(xRange.max + codeShift, Math.abs(xZeroPoint))
    : Math.max(xRange.max - xZeroPoint, xZeroPoint - xRange.min);
  const wLargest = form.pairs
    ? Math.max(wRange.max, -wRange.min)
    : Math.max(wRange.max - zeroPoints.least, zeroPoints.most - wRange.min);
  const wZeroLargest = Math.max(zeroPoints.most, -zeroPoints.least);
  if (xLargest > 32767 || wLargest > 32767) return null;
  if (form.pairs) {
    // products fit int16 only for codes 0..255 and weights of 8 bits
    if (xRange.min + codeShift < 0 || xRange.max + codeShift > 255 || wRange.min < -128 || wRange.max > 127)
      return null;
    if (inFeatures * xLargest * 2 * (wLargest + wZeroLargest) >= 2 ** 31) return null;
  } else if (inFeatures * xLargest * wLargest >= 2 ** 31) return null;
  return {
    x: codes instanceof Int32Array ? new Int16Array(codes) : codes,
    gathered,
    allRows: rowsIn(x),
    xZeroPoint,
    weight,
    paired: form.pairs !== null,
    bytes: false,
    codeShift,
    blockLength: form.pairs?.blockLength ?? inFeatures,
    xLargest,
    wLargest,
  };
}

/** The same with codes and weights as bytes, unsigned times signed; null where they are not. */
function asBytes(operands: Operands): Operands | null {
  const { x, weight, paired, xZeroPoint } = operands;
  if (paired || x instanceof Int16Array || weight instanceof Int16Array) return null;
  const codeShift = x instanceof Int8Array ? 128 : 0;
  return { ...operands, bytes: true, codeShift, xZeroPoint: xZeroPoint + codeShift };
}

/** Without reading them where the dtype is narrow. */
function valuesOf(values: Codes['data'] | Product['weight']): { min: number; max: number } {
  if (values instanceof Int8Array) return { min: -128, max: 127 };
  return values instanceof Uint8Array ? { min: 0, max: 255 } : rangeOf(values);
}

/** In 16 bits: every block of k padded to a multiple of 8; bytes are padded to 16. */
function packedLengthOf(inFeatures: number, { bytes, blockLength }: Operands): number {
  if (bytes) return Math.ceil(inFeatures / 16) * 8;
  const padded = (length: number) => Math.ceil(length / 8) * 8;
  return Math.floor(inFeatures / blockLength) * padded(blockLength) + padded(inFeatures % blockLength);
}

/** Activations are packed for each group. */
function multiplyBlock(machine: Machine, block: Block, product: Product, { recipe, places }: Into, into: Output): void {
  const { x, gathered, rows } = block;
  const { inFeatures, outFeatures } = product;
  const sizes = sizesOf(block, inFeatures, machine.threadsFor(rows * inFeatures * outFeatures));
  machine.reset();
  const output = roomForOutput(machine, into, outFeatures, places);
  const requantization = recipe && placed(machine, recipe);
  const source = placeRows(machine, block, product);
  const subtracted = machine.place(Int32Array.of(subtractedFrom(block)));
  const fields = { out: output.out, outBytes: outFeatures * into.BYTES_PER_ELEMENT };
  const job = { ...jobOf(machine, block, product, sizes), ...fields };
  runParts(machine, product, { ...sizes, job, requantization }, (group) => {
    const further = group * (gathered?.group ?? 0) * x.BYTES_PER_ELEMENT;
    machine.packActivations(kindOf(x), source + further, subtracted);
  });
  takeOutput(machine, output, outFeatures, into);
}

/** From codes as they are packed; of bytes: the bits to flip. */
function subtractedFrom({ paired, bytes, codeShift, xZeroPoint }: Operands): number {
  if (paired) return -codeShift;
  return bytes ? codeShift : xZeroPoint;
}

/** The fields that all parts of the weights share, and room for each. */
function jobOf(machine: Machine, block: Block, product: Product, sizes: Sizes) {
  const { x, gathered, weight, paired, bytes, row, rows, packedLength } = block;
  const { inFeatures, outFeatures } = product;
  const { paddedRows, tileRows, rowTiles, channelsOfPart, scratchBytes, threads } = sizes;
  return {
    rows,
    inFeatures,
    paired: paired ? 1 : 0,
    bytes: bytes ? 1 : 0,
    columns: bytes ? machine.allocate(rowTiles * packedLength * 8) : 0,
    blockLength: block.blockLength,
    packedLength,
    tileRows,
    tilesOfLine: 0,
    x: machine.allocate(paddedRows * packedLength * 2),
    base: gathered ? machine.place(gathered.base.subarray(row, row + rows)) : 0,
    offset: gathered ? machine.place(withThree(gathered.offset)) : 0,
    stage: gathered ? machine.allocate(4 * inFeatures * x.BYTES_PER_ELEMENT) : 0,
    xSums: machine.allocate(paddedRows * 4),
    weightKind: kindOf(weight),
    weight: machine.allocate(Math.min(outFeatures, channelsOfPart) * inFeatures * weight.BYTES_PER_ELEMENT),
    weightZeroPoints: machine.place(zeroPointsOf(product)),
    noZeroPoint: machine.place(Int32Array.of(0)),
    xZeroPoint: block.xZeroPoint,
    scratch: machine.allocate(threads * scratchBytes),
    scratchBytes,
  } satisfies Partial<JobFields>;
}

type Sizes = Record<'threads' | 'paddedRows' | 'tileRows' | 'rowTiles' | 'channelsOfPart' | 'scratchBytes', number>;

/** Of the tiles of a block, and of the part of the weights that lies in shared memory. */
function sizesOf({ weight, rows, packedLength }: Block, inFeatures: number, threads: number): Sizes {
  const paddedRows = Math.ceil(rows / 4) * 4;
  const tileRows = Math.min(paddedRows, TILE_ROWS);
  const rowTiles = Math.ceil(paddedRows / tileRows);
  const stripBytes = weight.BYTES_PER_ELEMENT * inFeatures * TILE_CHANNELS;
  const wanted = Math.max(USUAL_WEIGHT_BYTES / stripBytes, (TILES_OF_A_THREAD * threads) / rowTiles);
  const strips = Math.max(1, Math.floor(Math.min(MOST_WEIGHT_BYTES / stripBytes, wanted)));
  const scratchBytes = 3 * 4 * TILE_CHANNELS + packedLength * TILE_CHANNELS * 2 + tileRows * TILE_CHANNELS * 4;
  return { threads, paddedRows, tileRows, rowTiles, channelsOfPart: TILE_CHANNELS * strips, scratchBytes };
}

/** The codes of a block of rows; of gathered ones, where cell 0 would lie. */
function placeRows(machine: Machine, { x, gathered, row, rows }: Block, product: Product): number {
  const { inFeatures } = product;
  if (!gathered) return machine.place(x.subarray(row * inFeatures, (row + rows) * inFeatures));
  const { base, padding, group = 0 } = gathered;
  const found = padding && placePadded(machine, padding, base.length, row, rows);
  if (typeof found === 'number') return found;
  const data = padding ? (gathered.data as Uint8Array | Int8Array) : x;
  const part = { base: base.subarray(row, row + rows), offset: gathered.offset };
  return placeCells(machine, data, part, (groupsOf(product) - 1) * group);
}

/** Four offsets are read at a time: behind the last is the last, since 0 may lie outside of what is there. */
function withThree(offset: Int32Array): Int32Array {
  const longer = new Int32Array(offset.length + 3).fill(offset.at(-1) ?? 0);
  longer.set(offset);
  return longer;
}
