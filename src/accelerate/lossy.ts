/** Sums that lose something after every product: eight channels side by side, in order of k. */
import type { Codes, Product } from '../nouns/kernel.js';
import type { LossyForm } from '../nouns/sumForms.js';
import { clamp } from '../numeric/integer.js';
import { largestDifference, weightZeroPointOf } from '../products/exactSums.js';
import type { Machine } from './job.js';

/** Channels of a panel. */
const PANEL = 8;
const LARGEST = 2 ** 15 - 1;
/** Activations (16 bits) in shared memory at a time. */
const MOST_VALUES = 8 << 20;

/** [rows, outFeatures]; null where codes or weights less their zero points leave 16 bits. */
export function lossySums(machine: Machine, form: LossyForm, x: Codes, product: Product): Int32Array | null {
  const { inFeatures, outFeatures, weight, input } = product;
  const largest = Math.max(
    largestDifference(x.data, [input.zeroPoint]),
    largestDifference(weight, product.weightZeroPoint),
  );
  if (x.cols !== inFeatures || inFeatures === 0 || largest > LARGEST) return null;
  const sums = new Int32Array(x.rows * outFeatures);
  const most = Math.max(2, 2 * Math.floor(MOST_VALUES / inFeatures / 2));
  for (let from = 0; from < x.rows; from += most) {
    const to = Math.min(x.rows, from + most);
    const part = { rows: to - from, cols: inFeatures, data: x.data.subarray(from * inFeatures, to * inFeatures) };
    sumRows(machine, form, part, product, sums.subarray(from * outFeatures, to * outFeatures));
  }
  return sums;
}

function sumRows(machine: Machine, form: LossyForm, x: Codes, product: Product, sums: Int32Array): void {
  const { inFeatures, outFeatures, weight, input } = product;
  machine.reset();
  // two rows at a time
  const source = machine.place(centred(x.data, input.zeroPoint, (x.rows + (x.rows & 1)) * inFeatures));
  const panel = machine.allocate(4 * PANEL * inFeatures);
  const start = machine.allocate(4 * PANEL);
  const out = machine.allocate(4 * PANEL * (x.rows + 1));
  const ints = (address: number, length: number) => new Int32Array(machine.bytes as ArrayBuffer, address, length);
  const [weights, starts, found] = [ints(panel, PANEL * inFeatures), ints(start, PANEL), ints(out, PANEL * x.rows)];
  for (let first = 0; first < outFeatures; first += PANEL) {
    const channels = Math.min(PANEL, outFeatures - first);
    for (let c = 0; c < channels; c++) {
      const own = weight.subarray((first + c) * inFeatures, (first + c + 1) * inFeatures);
      putEvery(PANEL, own, weightZeroPointOf(product, first + c), weights.subarray(c));
      starts[c] = clamp(form.start?.[first + c] ?? 0, form.least, form.most);
    }
    machine.lossySums(form, { x: source, w: panel, start, rows: x.rows, length: inFeatures, out });
    takePanel(found, channels, sums.subarray(first), outFeatures);
  }
}

// Loops in functions of their own: with all of them in one V8 takes 20 ms and more to compile it.

function centred(codes: Codes['data'], zeroPoint: number, length: number): Int16Array {
  const differences = new Int16Array(length);
  for (let i = 0; i < codes.length; i++) differences[i] = codes[i] - zeroPoint;
  return differences;
}

/** 16 bits each. */
function putEvery(step: number, weights: Product['weight'], zeroPoint: number, target: Int32Array): void {
  for (let k = 0, at = 0; k < weights.length; k++, at += step) target[at] = (weights[k] - zeroPoint) & 0xffff;
}

function takePanel(panel: Int32Array, channels: number, target: Int32Array, width: number): void {
  for (let from = 0, to = 0; from < panel.length; from += PANEL, to += width) {
    for (let c = 0; c < channels; c++) target[to + c] = panel[from + c];
  }
}
