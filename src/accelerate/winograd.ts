/** Convolutions of 3x3, from place to place one cell, by a quarter of the products; assembly/kernels/winograd.ts has the arithmetic. */

import type { Product } from '../nouns/kernel.js';
import type { PlacedPatch, Window } from '../nouns/window.js';
import type { Bytes } from '../numeric/array.js';
import { int32s } from '../numeric/array.js';
import { groupsOf } from '../products/groups.js';
import { placed } from './finish.js';
import type { Machine } from './job.js';
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
import { MOST_PACKED_VALUES, type Operands } from './product.js';

/** Of a tile and a channel. */
const PRODUCTS = 36;
/** What makes numbers of 16 bits, of weights and of codes: `spreadWeights`, `spreadCells`. */
const LARGEST_WEIGHT = Math.floor(32767 / 144);
const LARGEST_CODE = Math.floor(32767 / 100);
/** Of some channels: what 2^25 and more would be taken for is another sum. */
const LARGEST_SUM = 2 ** 25 - 1;
/** Weights are made ready in the time of the products of so many tiles, tiles in that of so many channels. */
const WEIGHTS_IN_TILES = 6;
const TILES_IN_CHANNELS = 8;
/** As a matrix the relaxed dot product takes so much less. */
const RELAXED = 1.75;
/** What stays in the second-level cache: tiles at a time, and their numbers; tiles for which weights are made ready once. */
const USUAL_VALUES = 1 << 20;
const TILES_OF_WEIGHTS = 256;
/** Tiles whose products do. */
const TILES_AT_ONCE = 32;
/** Bytes behind each of the 36 matrices, see `tilesMatrix`. */
const APART = 192;

/** Images of [channels, height, width], or of the same with channels last; and how their tiles lie. */
interface Tiled {
  readonly x: Bytes;
  readonly weight: Product['weight'];
  readonly xZeroPoint: number;
  readonly channelsFirst: boolean;
  readonly patch: PlacedPatch;
  readonly images: number;
  /** Of all groups. */
  readonly allChannels: number;
  readonly linesOfImage: number;
  readonly tilesOfLine: number;
  readonly packedLength: number;
  readonly blockLength: number;
}

/** Sums or codes as `multiply` gives them; null where another way is faster, or not proven to be exact. */
export function winograd(machine: Machine, operands: Operands, product: Product, into: Into): Output | null {
  const tiled = tiledOf(operands, product, machine.multipliesBytes(0) ? RELAXED : 1);
  if (!tiled) return null;
  const { linesOfImage, tilesOfLine, packedLength } = tiled;
  const lines = tiled.images * linesOfImage;
  const ofLine = tilesOfLine * PRODUCTS * packedLength;
  const threads = machine.threadsFor(lines * ofLine * product.outFeatures);
  const usual = threads * Math.max(USUAL_VALUES, TILES_OF_WEIGHTS * PRODUCTS * packedLength);
  const most = Math.max(1, Math.floor(Math.min(usual, MOST_PACKED_VALUES) / ofLine));
  const cut: Cut = {
    units: lines,
    ofPlane: linesOfImage,
    most,
    planeFits: linesOfImage * ofLine <= MOST_PACKED_VALUES,
    rowAt: (line) => firstRow(tiled, line),
  };
  return inPieces(machine, product, into, cut, (line, end, own, output) =>
    multiplyLines(machine, { ...tiled, line, end, threads }, product, own, output),
  );
}

/** Of a line of tiles: the first place, of all images. */
function firstRow({ patch, linesOfImage }: Tiled, line: number): number {
  const [height, width] = patch.output;
  return (Math.floor(line / linesOfImage) * height + 4 * (line % linesOfImage)) * width;
}

/** asMatrix: how much faster a matrix of bytes is multiplied than one of 16 bits. */
function tiledOf(operands: Operands, product: Product, asMatrix: number): Tiled | null {
  const { x, gathered, weight, xZeroPoint, xLargest, wLargest, paired } = operands;
  const { patch } = product;
  if (!gathered || !patch || paired || x instanceof Int16Array || !isPlain(patch.window)) return null;
  const { inChannels, output } = patch;
  const packedLength = Math.ceil(inChannels / 8) * 8;
  const most = Math.floor(LARGEST_SUM / (9 * xLargest * wLargest) / 8) * 8;
  if (inChannels === 1 || xLargest > LARGEST_CODE || wLargest > LARGEST_WEIGHT || most === 0) return null;
  const [linesOfImage, tilesOfLine] = output.map((size) => Math.ceil(size / 4));
  const images = gathered.base.length / (output[0] * output[1]);
  const tiles = Math.ceil((images * linesOfImage * tilesOfLine) / 4) * 4;
  const work = PRODUCTS * (tiles + WEIGHTS_IN_TILES) * (packedLength + TILES_IN_CHANNELS);
  const faster = weight instanceof Int8Array ? asMatrix : 1;
  if (work * faster > gathered.base.length * product.inFeatures) return null;
  return {
    x,
    weight,
    xZeroPoint,
    channelsFirst: gathered.offset[1] - gathered.offset[0] > 1,
    patch,
    images,
    allChannels: inChannels * groupsOf(product),
    linesOfImage,
    tilesOfLine,
    packedLength,
    blockLength: evenly(packedLength, most),
  };
}

/** 3x3, side by side. */
function isPlain({ kernel, stride, dilation, transposed }: Window): boolean {
  return kernel.join() === '3,3' && !transposed && [...stride, ...dilation].every((step) => step === 1);
}

/** Parts of a length, eights of at most so many, as long as each other. */
function evenly(length: number, most: number): number {
  return Math.ceil(length / Math.ceil(length / most) / 8) * 8;
}

/** Some lines of tiles. */
interface Block extends Tiled {
  readonly line: number;
  readonly end: number;
  readonly threads: number;
}

function multiplyLines(machine: Machine, block: Block, product: Product, { recipe, places }: Into, into: Output): void {
  const { x, weight, packedLength } = block;
  const { inFeatures, outFeatures } = product;
  machine.reset();
  const output = roomForOutput(machine, into, outFeatures, places);
  const requantization = recipe && placed(machine, recipe);
  const images = placeImages(machine, block);
  const stripBytes = weight.BYTES_PER_ELEMENT * inFeatures * TILE_CHANNELS;
  const channelsOfPart = TILE_CHANNELS * Math.max(1, Math.floor(MOST_WEIGHT_BYTES / stripBytes));
  const sizes = sizesOf(block);
  const job = {
    ...sizes,
    inFeatures,
    paired: 0,
    bytes: 0,
    blockLength: block.blockLength,
    packedLength,
    tilesOfLine: block.tilesOfLine,
    linesOfImage: block.linesOfImage,
    firstLine: images.firstLine,
    outHeight: block.patch.output[0],
    outWidth: block.patch.output[1],
    cell: block.allChannels,
    x: machine.allocate(PRODUCTS * (packedLength * Math.ceil((sizes.lines * block.tilesOfLine) / 4) * 8 + APART)),
    stage: machine.allocate(16 * PRODUCTS),
    weightKind: kindOf(weight),
    weight: machine.allocate(Math.min(outFeatures, channelsOfPart) * inFeatures * weight.BYTES_PER_ELEMENT),
    weightZeroPoints: machine.place(zeroPointsOf(product)),
    xZeroPoint: block.xZeroPoint,
    scratch: machine.allocate(block.threads * sizes.scratchBytes),
    out: output.out,
    outBytes: outFeatures * into.BYTES_PER_ELEMENT,
  };
  const rowTiles = Math.ceil(sizes.lines / sizes.tileRows);
  runParts(machine, product, { job, requantization, channelsOfPart, rowTiles }, (group) =>
    machine.packTiles(x instanceof Int8Array, images.source + group * block.patch.inChannels),
  );
  takeOutput(machine, output, outFeatures, into);
}

/** Lines of a tile of the job, and those of it whose products are made at a time; both of tiles by fours. */
function sizesOf({ line, end, tilesOfLine, packedLength }: Block) {
  const byFours = tilesOfLine % 4 === 0 ? 1 : tilesOfLine % 2 === 0 ? 2 : 4;
  const times = (tiles: number, lines: number) => Math.max(1, Math.floor(tiles / (tilesOfLine * lines)));
  const linesAtOnce = byFours * times(TILES_AT_ONCE, byFours);
  const tileRows = linesAtOnce * times(TILES_OF_WEIGHTS, linesAtOnce);
  const weights = PRODUCTS * (2 * packedLength * TILE_CHANNELS + APART);
  const sums = 4 * TILE_CHANNELS * linesAtOnce * tilesOfLine;
  return { lines: end - line, linesAtOnce, tileRows, scratchBytes: 16 * PRODUCTS + weights + (PRODUCTS + 16) * sums };
}

/** The images that some lines of tiles are of, as `packTiles` reads them; and which of their lines is the first. */
function placeImages(machine: Machine, { x, patch, allChannels, linesOfImage, tilesOfLine, ...block }: Block) {
  const [first, end] = [Math.floor(block.line / linesOfImage), Math.ceil(block.end / linesOfImage)];
  const [height, width] = patch.input;
  const size = x.length / block.images;
  let from = machine.place(x.subarray(first * size, end * size));
  if (block.channelsFirst) from = channelsLast(machine, from, end - first, allChannels, height * width);
  const [lines, cells] = [4 * linesOfImage + 2, 4 * tilesOfLine + 2];
  const [above, before] = patch.window.padding.map(([own]) => own);
  const starts = int32s({ length: height }, (_, y) => ((above + y) * cells + before) * allChannels);
  const planes = { planes: end - first, plane: lines * cells * allChannels, lines: height, line: width * allChannels };
  const source = machine.allocate(planes.planes * planes.plane);
  machine.pad(from, source, { ...planes, starts: machine.place(starts) }, block.xZeroPoint);
  return { source, firstLine: block.line - first * linesOfImage };
}

function channelsLast(machine: Machine, from: number, images: number, channels: number, cells: number): number {
  const turned = machine.allocate(images * channels * cells);
  machine.allocate(8 * cells); // behind the images, from where rows of no channel are read
  for (let at = 0; at < images * channels * cells; at += channels * cells)
    machine.transpose(from + at, turned + at, channels, cells);
  return turned;
}
