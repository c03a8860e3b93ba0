/** Convolutions: the product engine on patches, and its rows put back into the layout of the output. */
import type { NumericArray } from '../nouns/array.js';
import type { Accelerator, CodeArray, Codes, Fast, Product, ProductSteps } from '../nouns/kernel.js';
import { isQuantized, type Shape, type ValueParams } from '../nouns/value.js';
import type { Patch, PlacedPatch, Taps } from '../nouns/window.js';
import { emptyLike, int32s } from '../numeric/array.js';
import { groupsOf } from '../products/groups.js';
import { fastCodes, fastFromRows, fastToRows } from '../products/multiply.js';
import { gather, type Patches, tapsOf, windowDims } from '../tensor/patches.js';
import { fromRows, toRows } from '../tensor/rows.js';
import { channelStride, channelsOf } from '../tensor/shape.js';
import { gatheredPatches, planesOf } from './padded.js';
import { replayProduct } from './product.js';
import { areCertain, type Replayed } from './replayed.js';

/** Codes of patches in memory at once: 16 MiB of bytes. */
const MOST_CODES = 1 << 24;

/** Where the windows of a layer stand. */
export function placed(patch: Patch, input: Shape, output: Shape): PlacedPatch {
  const { window, groups } = patch;
  const places = input.dims.filter((_, axis) => axis !== input.channelAxis);
  let taps: Taps | null = null;
  return {
    ...patch,
    get taps() {
      taps ??= tapsOf(window, places); // as many numbers as patches have cells, which the accelerator does without
      return taps;
    },
    input: places,
    output: windowDims(window, places),
    inChannels: channelsOf(input) / groups,
    outChannels: channelsOf(output) / groups,
  };
}

/** Padding is the input's zero point: real 0. */
export function patchesFor({ window, groups, input: places, output }: PlacedPatch, input: ValueParams): Patches {
  return { taps: tapsOf(window, places, [...output]), groups, fill: isQuantized(input) ? input.zeroPoint : 0 };
}

/** x: [samples, ...shape]; the result likewise. */
export function replayPatches(
  steps: ProductSteps,
  product: Product,
  x: Codes,
  { inputs: [shape], output }: { readonly inputs: readonly Shape[]; readonly output: Shape },
  fast: Fast,
): Replayed {
  const data = fast && acceleratedPatches(steps, product, x, { shape, output }, fast);
  const inRows = () => byRows(steps, product, x, { shape, output }, fast);
  if (!data) return inRows();
  return {
    rows: data.length / product.outFeatures,
    cols: product.outFeatures,
    data,
    low: null,
    high: null,
    get accumulator() {
      return inRows().accumulator;
    },
    overflowed: 0,
  };
}

/** Codes in the layout of the output by the accelerator, which takes patches through an offset table; null where it declines. */
function acceleratedPatches(
  steps: ProductSteps,
  product: Product,
  x: Codes,
  { shape, output }: { readonly shape: Shape; readonly output: Shape },
  fast: Accelerator,
): Uint8Array | Int8Array | null {
  if (steps.float || steps.dynamic || product.addend) return null;
  if (isNarrow(product)) return depthwise(steps, product, x, { shape, output }, fast);
  const patches = gatheredPatches(x, shape, product.patch!, product.input.zeroPoint);
  return patches && fastCodes(steps, product, patches, fast, channelStride(output));
}

/** Channels by themselves; null where a channel reads several, or the accelerator declines. */
function depthwise(
  steps: ProductSteps,
  product: Product,
  x: Codes,
  { shape, output }: { readonly shape: Shape; readonly output: Shape },
  fast: Accelerator,
) {
  const { input, outFeatures } = product;
  const patch = product.patch!;
  if (patch.inChannels !== 1 || patch.outChannels !== 1) return null;
  const planes = output.channelAxis === 0 ? planesOf(x, shape, patch) : null;
  const codes = planes && fast.depthwise(steps, product, planes);
  if (codes) return codes;
  const last = { dims: [...patch.input, outFeatures], channelAxis: patch.input.length };
  const patches = gatheredPatches({ ...x, data: fastToRows(x.data, shape, fast) }, last, patch, input.zeroPoint);
  const rows = patches && fast.depthwise(steps, product, patches);
  return rows && fastFromRows(rows, output, fast);
}

/** Below these it multiplies more zeros than weights. */
const FEWEST_CHANNELS = 2;

function isNarrow(product: Product): boolean {
  return product.outFeatures / groupsOf(product) < FEWEST_CHANNELS;
}

function byRows(
  steps: ProductSteps,
  product: Product,
  x: Codes,
  { shape, output }: { readonly shape: Shape; readonly output: Shape },
  fast: Fast,
): Replayed {
  const samples = toRows(x.data, shape);
  const { outFeatures } = product;
  const added = x.addend && toRows(x.addend, output);
  const patches = patchesFor(product.patch!, product.input);
  const { positions, taps } = patches.taps;
  const cols = taps * channelsOf(shape);
  const rows = x.rows * positions;
  const most = Math.max(1, Math.floor(MOST_CODES / cols));
  // whole samples, where one fits
  const rowsAtOnce = most < positions ? most : most - (most % positions);
  const parts: Replayed[] = [];
  for (let from = 0; from < rows; from += rowsAtOnce) {
    const to = Math.min(rows, from + rowsAtOnce);
    const data = gather(samples, shape, patches, from, to);
    const at = patches.taps.hasHoles ? int32s({ length: to - from }, (_, i) => (from + i) % positions) : null;
    const addend = added?.subarray(from * outFeatures, to * outFeatures);
    const codes = { rows: to - from, cols, data, ...(at && { positions: at }), ...(addend && { addend }) };
    parts.push(replayProduct(steps, product, codes, fast));
  }
  return inLayout(parts, output);
}

function inLayout(parts: readonly Replayed[], shape: Shape): Replayed {
  const [first] = parts;
  const whole = <A extends NumericArray>(of: (part: Replayed) => A): A => {
    if (parts.length === 1) return fromRows(of(first), shape);
    const like = of(first);
    const joined = emptyLike(
      like,
      parts.reduce((sum, part) => sum + of(part).length, 0),
    );
    for (let i = 0, at = 0; i < parts.length; at += of(parts[i++]).length) joined.set(of(parts[i]), at);
    return fromRows(joined, shape);
  };
  const data = whole((part) => part.data);
  const certain = areCertain(parts) ? (data as CodeArray) : null;
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    cols: first.cols,
    data,
    low: certain ?? (first.low && whole(({ low }) => low!)),
    high: certain ?? (first.high && whole(({ high }) => high!)),
    get accumulator() {
      return first.accumulator && whole(({ accumulator }) => accumulator!);
    },
    overflowed: parts.reduce((sum, { overflowed }) => sum + overflowed, 0),
  };
}
