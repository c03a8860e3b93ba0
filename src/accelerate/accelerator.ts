import type { Accelerator, Codes, Gathered, Product, ProductSteps } from '../nouns/kernel.js';
import type { AccumulateForm } from '../nouns/sumForms.js';
import type { Bytes } from '../numeric/array.js';
import { rangeOf } from '../products/exactSums.js';
import { isGathered } from '../products/gathered.js';
import { depthwiseCodes, planesCodes } from './depthwise.js';
import { codesOfFloats, lookedUp, pairsOfBytes } from './elementwise.js';
import { codesFor, finished, fromChannel, placed } from './finish.js';
import { gatheredPart, type Places } from './gatheredPart.js';
import { type JobFields, Machine, type MachineSettings } from './job.js';
import { lossySums } from './lossy.js';
import { largestBytes } from './pools.js';
import { type Recipe, recipeOf, together } from './recipe.js';
import { transposedBytes } from './transposed.js';

/** Below this many multiply-adds in all compiling the module (2 ms) does not pay; once it is there, much less does. */
const WORTH_STARTING = 2 ** 21;
const WORTH_CALLING = 2 ** 12;
/** Sums whose codes are worth a call, where the module is there. */
const WORTH_FINISHING = 2 ** 8;
/** Activations (packed, 16 bits) that lie in shared memory at a time. */
const MOST_PACKED_VALUES = 8 << 20;
/** Weights that do: what the second-level cache holds, more where all threads would not have work. */
const USUAL_WEIGHT_BYTES = 1 << 20;
const MOST_WEIGHT_BYTES = 16 << 20;
const TILES_OF_A_THREAD = 4;
const TILE_ROWS = 1024;
const TILE_CHANNELS = 32;

export interface Settings extends MachineSettings {
  /** Multiply-adds, of one product or of many, from which the module is compiled. */
  readonly worthStarting?: number;
}

let inUse: { threads: number | undefined; portable: boolean; made: Accelerator } | null = null;

/**
 * The accelerator for a run. What takes time to start does so at once where that many multiply-adds are expected, while files
 * are read; otherwise when there is work. Runs with the same settings share its memory.
 */
export function accelerate({ expected = 0, ...settings }: Settings & { readonly expected?: number } = {}): Accelerator {
  const { threads, portable = false } = settings;
  if (!inUse || inUse.threads !== threads || inUse.portable !== portable) {
    inUse = { threads, portable, made: webAssembly(settings) };
  }
  inUse.made.expect(expected);
  return inUse.made;
}

/** Faster equals of the readable steps, in WebAssembly. */
export function webAssembly({ worthStarting = WORTH_STARTING, ...settings }: Settings = {}): Accelerator {
  let machine: Machine | null = null;
  let unavailable = false;
  /** Multiply-adds of products that came before it: a search has thousands of small ones. */
  let before = 0;
  const machineFor = (multiplyAdds: number): Machine | null => {
    if (unavailable || multiplyAdds < Math.min(worthStarting, WORTH_CALLING)) return null;
    if (!machine && before + multiplyAdds < worthStarting) return null;
    try {
      machine ??= new Machine(settings);
    } catch {
      unavailable = true; // no SIMD, no shared memory: the readable forms do it
    }
    return machine;
  };
  const multiplied = (form: AccumulateForm, x: Codes | Gathered, product: Product, into: Into) => {
    const own = multiplyAdds(x, product);
    const found = machineFor(own);
    before += own;
    found?.multipliesBytes(before); // tried once there was so much work: of groups each product is small
    return found && multiply(found, form, x, product, into);
  };
  return {
    expect(multiplyAdds) {
      machineFor(multiplyAdds)?.threadsFor(multiplyAdds);
    },
    accumulate: (form, x, product) => multiplied(form, x, product, SUMS) as Int32Array | null,
    codes(steps: ProductSteps, product: Product, x: Codes | Gathered, places = 1) {
      const form = steps.accumulate.form?.(product);
      if (!form || multiplyAdds(x, product) < WORTH_CALLING) return null;
      const recipe = recipeOf(steps, product);
      return recipe && (multiplied(form, x, product, { recipe, places }) as Bytes | null);
    },
    depthwise(steps, channels, x) {
      const forms = channels.map((own) => steps.accumulate.form?.(own));
      const planes = 'starts' in x ? x : null;
      const ofPlane = planes
        ? (planes.width * planes.data.length) / (planes.starts.length * planes.line)
        : channels.length;
      const found = machineFor(x.base.length * x.offset.length * ofPlane);
      if (!found || !forms.every((form) => form && form.pairs === null)) return null;
      const recipe = together(channels.map((own) => recipeOf(steps, own)));
      return (
        recipe && (planes ? planesCodes(found, recipe, channels, planes) : depthwiseCodes(found, recipe, channels, x))
      );
    },
    lossy(form, x, product) {
      const found = machineFor(multiplyAdds(x, product));
      return found && lossySums(found, form, x, product);
    },
    finish(steps, product, sums) {
      const recipe = machine && sums.length >= WORTH_FINISHING ? recipeOf(steps, product) : null;
      return recipe && finished(machine!, product, recipe, sums);
    },
    transposed(codes, outer, inner) {
      return machine && codes.length >= WORTH_CALLING ? transposedBytes(machine, codes, outer, inner) : null;
    },
    largest(image, windows, least) {
      return machine && image.codes.length >= WORTH_CALLING ? largestBytes(machine, image, windows, least) : null;
    },
    pairs: (a, b, pair, out) =>
      machine && out.length >= WORTH_CALLING ? pairsOfBytes(machine, a, b, pair, out) : null,
    climbed: (values, climb, out) =>
      machine && out.length >= WORTH_CALLING ? codesOfFloats(machine, values, climb, out) : null,
    lookedUp: (codes, table) => (machine && codes.length >= WORTH_CALLING ? lookedUp(machine, codes, table) : null),
    describe: () => machine?.describeDot() ?? null,
    sumOfSquares: (codes, zeroPoint) => machine?.sumOfSquares(codes, zeroPoint) ?? null,
  };
}

function rowsIn(x: Codes | Gathered): number {
  return isGathered(x) ? x.base.length : x.rows;
}

function multiplyAdds(x: Codes | Gathered, { outFeatures, inFeatures }: Product): number {
  return rowsIn(x) * outFeatures * inFeatures;
}

type Output = Int32Array | Bytes;

/** Sums, or codes by a recipe: in rows of channels, or of so many places in planes of channels, [..., channels, places]. */
interface Into {
  readonly recipe: Recipe | null;
  readonly places: number;
}
const SUMS: Into = { recipe: null, places: 1 };

/** Rows in blocks that fit; null where 16-bit operands or 32-bit sums might not hold the case. */
function multiply(
  machine: Machine,
  form: AccumulateForm,
  x: Codes | Gathered,
  product: Product,
  { recipe, places }: Into,
): Output | null {
  const wide = operandsOf(form, x, product);
  if (!wide) return null;
  const { outFeatures, inFeatures } = product;
  const operands = (machine.multipliesBytes(multiplyAdds(x, product)) && asBytes(wide)) || wide;
  const allRows = rowsIn(x);
  const values = allRows * outFeatures;
  const output = recipe ? codesFor(product, values) : new Int32Array(values);
  const packedLength = packedLengthOf(inFeatures, operands);
  const most = Math.max(4, Math.floor(MOST_PACKED_VALUES / packedLength / 4) * 4);
  const inPlanes = places > 1 && places <= most;
  const blockRows = inPlanes ? most - (most % places) : most;
  for (let row = 0; row < allRows; row += blockRows) {
    const rows = Math.min(blockRows, allRows - row);
    const part = operands.gathered
      ? gatheredPart(operands.x, operands.gathered, row, rows)
      : { x: operands.x.subarray(row * inFeatures, (row + rows) * inFeatures) };
    const into = output.subarray(row * outFeatures, (row + rows) * outFeatures);
    multiplyBlock(
      machine,
      { ...operands, ...part, rows, packedLength },
      product,
      { recipe, places: inPlanes ? places : 1 },
      into,
    );
  }
  return inPlanes || places === 1 ? output : transposedBytes(machine, output as Bytes, places, outFeatures);
}

interface Operands {
  readonly x: Uint8Array | Int8Array | Int16Array;
  /** Where x has the rows; null: one after the other. */
  readonly gathered: Places | null;
  readonly xZeroPoint: number;
  readonly weight: Int8Array | Int16Array;
  readonly paired: boolean;
  readonly bytes: boolean;
  /** Added to the codes before they are multiplied; pairs and bytes only. */
  readonly codeShift: number;
  readonly blockLength: number;
}

/** The case as the kernels take it, or null. */
function operandsOf(form: AccumulateForm, x: Codes | Gathered, product: Product): Operands | null {
  const { inFeatures, outFeatures, weight, input } = product;
  const xRange = valuesOf(x.data);
  const wRange = valuesOf(weight);
  const zeroPoints = rangeOf(product.weightZeroPoint);
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
    : Math.max(wRange.max - zeroPoints.min, zeroPoints.max - wRange.min);
  const wZeroLargest = Math.max(zeroPoints.max, -zeroPoints.min);
  if (xLargest > 32767 || wLargest > 32767) return null;
  if (form.pairs) {
    // products fit int16 only for codes 0..255 and weights of 8 bits
    if (xRange.min + codeShift < 0 || xRange.max + codeShift > 255 || wRange.min < -128 || wRange.max > 127)
      return null;
    if (inFeatures * xLargest * 2 * (wLargest + wZeroLargest) >= 2 ** 31) return null;
  } else if (inFeatures * xLargest * wLargest >= 2 ** 31) return null;
  return {
    x: x.data instanceof Int32Array ? new Int16Array(x.data) : x.data,
    gathered,
    xZeroPoint,
    weight,
    paired: form.pairs !== null,
    bytes: false,
    codeShift,
    blockLength: form.pairs?.blockLength ?? inFeatures,
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

function kindOf(values: Uint8Array | Int8Array | Int16Array): number {
  return values instanceof Uint8Array ? 0 : values instanceof Int8Array ? 1 : 2;
}

/** Weights pass through shared memory in parts, each a job of its own on the same activations. */
function multiplyBlock(
  machine: Machine,
  operands: Operands & { readonly rows: number; readonly packedLength: number },
  product: Product,
  { recipe, places }: Into,
  into: Output,
): void {
  const { x, gathered, weight, paired, bytes, codeShift, rows, packedLength } = operands;
  const { inFeatures, outFeatures } = product;
  const threads = machine.threadsFor(rows * inFeatures * outFeatures);
  const paddedRows = Math.ceil(rows / 4) * 4;
  const tileRows = Math.min(paddedRows, TILE_ROWS);
  const rowTiles = Math.ceil(paddedRows / tileRows);
  const stripBytes = weight.BYTES_PER_ELEMENT * inFeatures * TILE_CHANNELS;
  const wanted = Math.max(USUAL_WEIGHT_BYTES / stripBytes, (TILES_OF_A_THREAD * threads) / rowTiles);
  const strips = Math.max(1, Math.floor(Math.min(MOST_WEIGHT_BYTES / stripBytes, wanted)));
  const channelsOfPart = TILE_CHANNELS * strips;
  const scratchBytes = 3 * 4 * TILE_CHANNELS + packedLength * TILE_CHANNELS * 2 + tileRows * TILE_CHANNELS * 4;

  machine.reset();
  const staged = Math.min(outFeatures, channelsOfPart) * inFeatures * weight.BYTES_PER_ELEMENT;
  const xSource = machine.place(x);
  const subtracted = paired ? -codeShift : bytes ? codeShift : operands.xZeroPoint; // of bytes: the bits to flip
  const xSubtracted = machine.place(Int32Array.of(subtracted));
  const weightSource = machine.allocate(staged);
  const zeroPoints = machine.place(zeroPointsOf(product)) + 4;
  const outBytes = outFeatures * into.BYTES_PER_ELEMENT;
  const out = machine.allocate((rows + 8) * outBytes);
  const turned = places > 1 ? machine.allocate(rows * outBytes) : out;
  const requantization = recipe && placed(machine, recipe);
  const job: Partial<JobFields> = {
    tiles: 0,
    rows,
    channels: 0,
    inFeatures,
    paired: paired ? 1 : 0,
    bytes: bytes ? 1 : 0,
    refuted: 0,
    columns: bytes ? machine.allocate(rowTiles * packedLength * 8) : 0,
    blockLength: operands.blockLength,
    packedLength,
    tileRows,
    x: machine.allocate(paddedRows * packedLength * 2),
    base: gathered ? machine.place(gathered.base) : 0,
    offset: gathered ? machine.place(withThree(gathered.offset)) : 0,
    stage: gathered ? machine.allocate(4 * inFeatures * x.BYTES_PER_ELEMENT) : 0,
    xSums: machine.allocate(paddedRows * 4),
    weightKind: kindOf(weight),
    weight: weightSource,
    weightZeroPoints: zeroPoints,
    xZeroPoint: operands.xZeroPoint,
    scratch: machine.allocate(threads * scratchBytes),
    scratchBytes,
    out,
    outBytes,
    requantize: recipe ? 1 : 0,
    ...requantization,
  };
  machine.describe(job);
  machine.packActivations(kindOf(x), xSource, xSubtracted);
  for (let channel = 0; channel < outFeatures; channel += channelsOfPart) {
    const channels = Math.min(channelsOfPart, outFeatures - channel);
    machine.put(weight.subarray(channel * inFeatures, (channel + channels) * inFeatures), weightSource);
    machine.describe({
      ...job,
      refuted: machine.refuted ? 1 : 0,
      tiles: rowTiles * Math.ceil(channels / TILE_CHANNELS),
      channels,
      weightZeroPoints: zeroPoints + 4 * channel,
      out: out + channel * into.BYTES_PER_ELEMENT,
      ...(requantization && fromChannel(requantization, channel)),
    });
    machine.run();
  }
  const size = places * outBytes;
  if (places > 1)
    for (let at = 0; at < rows * outBytes; at += size) machine.transpose(out + at, turned + at, places, outFeatures);
  into.set(new (into.constructor as Int32ArrayConstructor)(machine.bytes as ArrayBuffer, turned, into.length));
}

/** Four offsets are read at a time: behind the last is the last, since 0 may lie outside of what is there. */
function withThree(offset: Int32Array): Int32Array {
  const longer = new Int32Array(offset.length + 3).fill(offset.at(-1) ?? 0);
  longer.set(offset);
  return longer;
}

/** One a channel, with a zero before the first, and three behind the last, which are read and not used. */
function zeroPointsOf({ weightZeroPoint, outFeatures }: Product): Int32Array {
  const values = new Int32Array(outFeatures + 4);
  if (weightZeroPoint.length === 1) values.fill(weightZeroPoint[0], 1, 1 + outFeatures);
  else values.set(weightZeroPoint, 1);
  return values;
}
