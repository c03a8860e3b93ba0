/**
 * Codes of float32 numbers that are known within bounds, some thousands at a time: with an object and three conversions for each, 16 million
 * took 3 s.
 */
import type { Bounded, CodeArray, TensorCall } from '../../nouns/kernel.js';
import type { Ladder } from '../../nouns/ladder.js';
import type { QuantParams } from '../../nouns/value.js';
import { climbed, ladderOf } from '../../numeric/ladder.js';
import { sizeOf } from '../../tensor/shape.js';
import { quantized, reachOf, roomForCodes } from './call.js';

/** Numbers of as many values of the output, from one on. */
export interface Reals {
  readonly from: number;
  readonly count: number;
  readonly low: Float32Array;
  readonly near: Float32Array;
  readonly high: Float32Array;
}

const AT_ONCE = 1 << 13;
/** Values from which 255 bisections of some 30 steps pay. */
const WORTH_LADDER = 1 << 16;
const MOST_CODES = 256;

/** In C order; of a call that asks for the first ones no others. code: keeps the order of numbers; write: the numbers. */
export function quantizedNear(
  call: TensorCall,
  code: (real: number) => number,
  write: (reals: Reals) => void,
): CodeArray | Bounded {
  const length = Math.min(call.most ?? Number.POSITIVE_INFINITY, call.samples * sizeOf(call.output.shape.dims));
  const into = new BoundedCodes(call, code);
  const most = Math.min(length, AT_ONCE);
  const [low, near, high] = [new Float32Array(most), new Float32Array(most), new Float32Array(most)];
  for (let from = 0; from < length; from += most) {
    const reals = { from, count: Math.min(most, length - from), low, near, high };
    write(reals);
    into.set(reals, from, 1);
  }
  return into.result;
}

/** What is filled with codes and their bounds, in any order; there are none where each code is certain. */
export class BoundedCodes {
  private readonly data: CodeArray;
  private readonly quantizer: Quantizer;
  private bounds: { readonly low: CodeArray; readonly high: CodeArray } | null = null;

  constructor(call: TensorCall, code: (real: number) => number) {
    this.data = roomForCodes(call);
    this.quantizer = quantizerFor(this.data.length, quantized(call.output), code);
  }

  get result(): CodeArray | Bounded {
    const { data, bounds } = this;
    return bounds ? { data, ...bounds } : data;
  }

  /** Of values from `start` on, `step` apart. */
  set({ count, low, near, high }: Omit<Reals, 'from'>, start: number, step: number): void {
    const { data, quantizer } = this;
    for (let i = 0, at = start; i < count; i++, at += step) {
      const least = codeOf(quantizer, low[i]);
      const most = codeOf(quantizer, high[i]);
      const own = least === most && near[i] >= low[i] && near[i] <= high[i] ? least : codeOf(quantizer, near[i]);
      data[at] = own;
      if (least !== most || this.bounds) this.bound(at, Math.min(least, own, most), Math.max(least, own, most));
    }
  }

  private bound(at: number, low: number, high: number): void {
    this.bounds ??= { low: this.data.slice(), high: this.data.slice() };
    this.bounds.low[at] = low;
    this.bounds.high[at] = high;
  }
}

/** ladder: where codes begin, of numbers within reach; found where many are asked for. */
interface Quantizer {
  readonly code: (real: number) => number;
  readonly ladder: Ladder | null;
  readonly reach: number;
}

function quantizerFor(count: number, params: QuantParams, code: (real: number) => number): Quantizer {
  const reach = reachOf(params);
  const isWorth = count >= WORTH_LADDER && params.quantMax - params.quantMin < MOST_CODES;
  return {
    code,
    ladder: isWorth && reach > 0 && reach < Infinity ? ladderOf('float32', code, -reach, reach) : null,
    reach,
  };
}

function codeOf({ code, ladder, reach }: Quantizer, real: number): number {
  return ladder !== null && Math.abs(real) < reach ? climbed(ladder, real) : code(real);
}
