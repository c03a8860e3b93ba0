/** Integer biases that lose their high bits, or are one for all channels: what RTL and firmware make of a list of int32. */
import { int32BiasFloat64 } from '../kernels/steps/bias.js';
import { isQuantized } from '../nouns/value.js';
import { clamp, wrapInt8, wrapInt16 } from '../numeric/integer.js';
import { giveAll, OTHER_BASE } from './estimate/otherSums.js';
import { viewOf } from './estimate/view.js';
import { FREEDOM, type ProductChange, withParams } from './setup.js';
import type { ProductStudy } from './study/study.js';

/** Of the evidence of bias-value. */
export interface NarrowBiases {
  /** All are the declared ones, rounded to int32 and kept in fewer bits. */
  readonly width?: { readonly bits: 8 | 16; readonly overflow: 'wrap' | 'clamp' };
  /** The channel whose bias all have. */
  readonly all_of?: number;
}

type Made = (values: Int32Array) => Int32Array;

const RULES: readonly (readonly [NarrowBiases, Made])[] = [
  ...([16, 8] as const).flatMap((bits): [NarrowBiases, Made][] => {
    const most = 2 ** (bits - 1) - 1;
    return [
      [{ width: { bits, overflow: 'wrap' } }, (values) => values.map(bits === 8 ? wrapInt8 : wrapInt16)],
      [{ width: { bits, overflow: 'clamp' } }, (values) => values.map((b) => clamp(b, -most - 1, most))],
    ];
  }),
  [{ all_of: 0 }, (values) => values.map(() => values[0])],
];

/** Two channels of one bias are two in another order as well. */
const FEWEST_CHANNELS = 3;

/** Those that give what was observed, whatever rounds it to nearest. */
export function narrowBiases(study: ProductStudy): ProductChange[] {
  const { declared, sketch } = study;
  if (!study.free || study.channels < FEWEST_CHANNELS || !isQuantized(declared.params.output)) return [];
  const own = int32BiasFloat64.prepare(study.engine.restrict(declared.params, sketch));
  const whole = int32BiasFloat64.prepare(declared.params);
  if (own.unit !== 'int32' || whole.unit !== 'int32') return [];
  const view = viewOf(study, declared, sketch);
  const fits = (biases: Int32Array) => giveAll(view, (acc, n) => acc + biases[n], OTHER_BASE);
  // what may be 0 is no bias at all
  if (fits(own.values) || fits(own.values.map(() => 0))) return [];
  const ofSketch = (made: Int32Array) => own.values.map((_, n) => made[sketch.channels?.[n] ?? n]);
  return RULES.flatMap(([found, made]): ProductChange | [] => {
    const biasInt32 = made(whole.values);
    if (!fits(ofSketch(biasInt32))) return [];
    return {
      cause: 'bias-value',
      coordinate: 'bias_values',
      freedom: FREEDOM.none,
      label: JSON.stringify(found),
      found,
      apply: (setup) => withParams(setup, { bias: null, biasInt32 }),
    };
  });
}
