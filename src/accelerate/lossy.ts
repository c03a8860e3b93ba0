/** Sums that lose something after every product: eight channels side by side, in order of k. */
import type { Codes, Product } from '../nouns/kernel.js';
import type { LossyForm } from '../nouns/sumForms.js';
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
  const codes = new Int16Array((x.rows + (x.rows & 1)) * inFeatures);
  for (let i = 0; i < x.data.length; i++) codes[i] = x.data[i] - input.zeroPoint;
  const source = machine.place(codes);
  const panel = machine.allocate(4 * PANEL * inFeatures);
  const start = machine.allocate(4 * PANEL);
  const out = machine.allocate(4 * PANEL * (x.rows + 1));
  const ints = (address: number, length: number) => new Int32Array(machine.bytes as ArrayBuffer, address, length);
  const [weights, starts, found] = [ints(panel, PANEL * inFeatures), ints(start, PANEL), ints(out, PANEL * x.rows)];
  for (let first = 0; first < outFeatures; first += PANEL) {
    const channels = Math.min(PANEL, outFeatures - first);
    for (let c = 0; c < channels; c++) {
      const zeroPoint = weightZeroPointOf(product, first + c);
      const own = (first + c) * inFeatures;
      for (let k = 0, at = c; k < inFeatures; k++, at += PANEL) weights[at] = (weight[own + k] - zeroPoint) & 0xffff;
      starts[c] = Math.min(Math.max(form.start?.[first + c] ?? 0, form.least), form.most);
    }
    machine.lossySums(form, { x: source, w: panel, start, rows: x.rows, length: inFeatures, out });
    for (let row = 0; row < x.rows; row++) {
      for (let c = 0; c < channels; c++) sums[row * outFeatures + first + c] = found[row * PANEL + c];
    }
  }
}
