/** Sums whose sign is lost where they are read: what hypotheses are made of; no kernel has one. */
import type { AccumulateStep } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { INT32_MAX } from '../../numeric/integer.js';
import { exactSums } from '../../products/exactSums.js';
import { scriptedInt32Bias } from './bias.js';
import { toInt32 } from './toInt32.js';

export interface UnsignedSumsStep extends AccumulateStep {
  /** As many are kept of a sum, and read without a sign. */
  readonly bits: number;
}

/** A negative sum is 2^bits too large; from 31 bits on it is as large as an int32 may be, which all scales take beyond every code. */
function unsigned(bits: number, holdsBias: boolean): UnsignedSumsStep {
  const read = (sum: number) => {
    if (sum >= 0) return bits < 31 ? sum % 2 ** bits : sum;
    return bits < 31 ? sum - Math.floor(sum / 2 ** bits) * 2 ** bits : INT32_MAX;
  };
  const of = `sum of (x - zx) * (w - zw)${holdsBias ? ' and the bias' : ''}`;
  return {
    name: `unsigned${bits}${holdsBias ? 'WithBias' : ''}`,
    equation: `the low ${bits} bits of the ${of}, without a sign`,
    bits,
    ...(holdsBias && { holdsBias: true }),
    run(x, product, fast = null) {
      const sums = exactSums(x, product, fast);
      const { overflowed } = toInt32(sums);
      const held = holdsBias ? scriptedInt32Bias(product) : null;
      // the bias is taken out again: it is added in its own step
      const data = int32s(sums, (sum, i) => {
        const bias = held ? held[i % held.length] : 0;
        return Math.min(INT32_MAX, read(sum + bias) - bias);
      });
      return { data, overflowed };
    },
    numpy: (product) => {
      const bias = holdsBias ? (scriptedInt32Bias(product)?.[0] ?? 0) : 0;
      const added = bias === 0 ? '' : ` + ${bias}`;
      const low = bits < 31 ? `acc % ${2 ** bits}` : `acc if acc >= 0 else ${INT32_MAX}`;
      const without = bias === 0 ? [] : [`acc = min(${INT32_MAX}, acc - ${bias})  # the bias, added below`];
      return [`acc = int(((x - zx) * (w - zw)).sum())${added}`, `acc = ${low}`, ...without];
    },
    c: null,
  };
}

/** Accumulators as wide as multipliers of an FPGA and its students make them. */
const WIDTHS = [16, 18, 20, 22, 24, 32];

export const unsignedSums: readonly UnsignedSumsStep[] = WIDTHS.flatMap((bits) => [
  unsigned(bits, false),
  unsigned(bits, true),
]);
