/** Products whose every channel reads one of its own: no sum over channels, so that eight of them are multiplied side by side. */
import type { Gathered, Product } from '../nouns/kernel.js';
import { codesFor, copyCodes, placed, SUMS_AT_ONCE } from './finish.js';
import { gatheredPart } from './gatheredPart.js';
import type { Machine } from './job.js';
import type { Recipe } from './recipe.js';

/** Centred codes and weights are 16 bits, and no sum leaves 32. */
const [LARGEST_ZERO_POINT, MOST_TAPS] = [1024, 1 << 12];

/** Codes [rows, channels]; x.offset: of each tap, the cell of the first channel. Null where the operands are no bytes. */
export function depthwiseCodes(
  machine: Machine,
  recipe: Recipe,
  channels: readonly Product[],
  x: Gathered,
): Uint8Array | Int8Array | null {
  const { data, base, offset } = x;
  const [{ input, weight }] = channels;
  const isByte = (data instanceof Uint8Array || data instanceof Int8Array) && weight instanceof Int8Array;
  const isSmall = Number.isInteger(input.zeroPoint) && Math.abs(input.zeroPoint) <= LARGEST_ZERO_POINT;
  if (!isByte || !isSmall || offset.length > MOST_TAPS || base.length === 0) return null;
  const width = channels.length;
  const weights = byPairs(channels, offset.length);
  if (!weights) return null;
  const codes = codesFor(channels[0], base.length * width);
  const most = Math.max(1, Math.floor(SUMS_AT_ONCE / width));
  const pairs = offset.length % 2 === 0 ? offset : Int32Array.of(...offset, offset[0]); // times 0
  const cells = Int32Array.of(...offset, ...offset.map((at) => at + width - 1));
  for (let row = 0; row < base.length; row += most) {
    const rows = Math.min(most, base.length - row);
    const part = gatheredPart(data, { base, offset: cells }, row, rows);
    machine.reset();
    const requantization = placed(machine, recipe);
    const fields = {
      x: machine.place(part.x),
      base: machine.place(part.gathered.base),
      offset: machine.place(pairs),
      weight: machine.place(weights.weight),
      inFeatures: pairs.length,
    };
    const seeds = machine.place(weights.seeds);
    const [sums, out] = [machine.allocate(4 * rows * width), machine.allocate(rows * width)];
    machine.describe({ ...requantization, ...fields, rows, channels: width, out, outBytes: width });
    machine.depthwise(data instanceof Int8Array, seeds, sums);
    machine.finish(sums);
    copyCodes(machine, out, codes.subarray(row * width, (row + rows) * width));
  }
  return codes;
}

/** Centred weights, [taps / 2, channels, 2], padded to pairs and to eight channels; what the zero point takes from each channel's sums. */
function byPairs(channels: readonly Product[], taps: number): { weight: Int16Array; seeds: Int32Array } | null {
  const padded = Math.ceil(channels.length / 8) * 8;
  const centred = new Int16Array(Math.ceil(taps / 2) * padded * 2);
  const seeds = new Int32Array(padded);
  for (const [channel, { input, weight, weightZeroPoint }] of channels.entries()) {
    if (weight.length !== taps || !(Math.abs(weightZeroPoint[0]) <= LARGEST_ZERO_POINT)) return null;
    for (let tap = 0; tap < taps; tap++) {
      const own = weight[tap] - weightZeroPoint[0];
      centred[((tap >> 1) * padded + channel) * 2 + (tap & 1)] = own;
      seeds[channel] -= input.zeroPoint * own;
    }
  }
  return { weight: centred, seeds };
}
