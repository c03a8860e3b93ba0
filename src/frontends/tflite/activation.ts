/** Activations that an operator fuses, by the schema's numbers. */
import { quantizeDivisionHalfAway, quantizeOffsetFirst } from '../../kernels/steps/quantize.js';
import type { QuantParams } from '../../nouns/value.js';
import { RANGES } from '../../ops/fields/valueParams.js';
import type { RawParams } from './graph.js';
import type { Node } from './node.js';

interface Activation {
  readonly name: string;
  /** In real units; null: it is no clamp. */
  readonly bounds: readonly [lower: number, upper: number] | null;
}

const ANY = Number.POSITIVE_INFINITY;
const ACTIVATIONS: readonly Activation[] = [
  { name: 'none', bounds: [-ANY, ANY] },
  { name: 'relu', bounds: [0, ANY] },
  { name: 'relu_n1_to_1', bounds: [-1, 1] },
  { name: 'relu6', bounds: [0, 6] },
  { name: 'tanh', bounds: null },
  { name: 'sign_bit', bounds: null },
];

export function activationOf(node: Node): Activation {
  const code = node.number('activation');
  const activation = ACTIVATIONS[code];
  if (activation) return activation;
  throw node.refuse(`expected an activation of 0..${ACTIVATIONS.length - 1}, got ${code}`);
}

/**
 * The codes between which an activation leaves everything as it is; null where runtimes make different ones of it: TFLite's kernels
 * round 6 / scale away from zero and add the zero point, XNNPACK adds first and rounds to even.
 */
export function clampCodes({ bounds }: Activation, params: RawParams): readonly [lo: number, hi: number] | null {
  const [quantMin, quantMax] = RANGES[params.dtype as keyof typeof RANGES];
  const quant = { ...params, scale: params.scale!, zeroPoint: params.zero_point!, quantMin, quantMax } as QuantParams;
  const [away, even] = [quantizeDivisionHalfAway, quantizeOffsetFirst].map((step) => step.prepare(quant));
  const codes = bounds!.map((real) => {
    if (!Number.isFinite(real)) return real < 0 ? quantMin : quantMax;
    return away(real) === even(real) ? away(real) : null;
  });
  const [lo, hi] = codes;
  return lo === null || hi === null ? null : [lo, hi];
}
