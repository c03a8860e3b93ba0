import { isQuantized } from '../../nouns/value.js';
import { convertsIn } from '../facts.js';
import {
  type Change,
  FREEDOM,
  inputOf,
  type ProductChange,
  type ProductSetup,
  type Setup,
  withOutput,
  withParams,
} from '../setup.js';
import { observedRange } from '../study/observedRange.js';
import type { Study } from '../study/study.js';
import { everything, type Interval, isBounded, isEmpty, narrow, widened } from './interval.js';
import { type Index, indices, listed, permuteBias, taken } from './permutation.js';
import { bisected } from './scalar.js';
import { inputScale, inputsScaleIn, isNoise, scalesIn } from './scales.js';
import { type View, viewOf } from './view.js';

/** Values that decide which zero points are worth a full pass. */
const SAMPLE = 4000;
const MOST_CHANNELS = 4096;
const MOST_MOVED = 12;
/** Ties bound a factor from both sides: float32 rounding empties what they leave. */
const FLOAT32 = 2e-7;
/** All of 16 bits; an int32 output has 2^32. */
const MOST_ZERO_POINTS = 2 ** 16;

/** Causes whose numbers another zero point of the output hides. */
const HIDDEN_BY_A_CONSTANT: readonly string[] = [
  'bias-factor',
  'bias-shifted',
  'activation-zero-point-missing',
  'multiplier-short',
];

/** And which one that is left out hides: it clamps half of the codes. */
const HIDDEN_BY_NONE: readonly string[] = [...HIDDEN_BY_A_CONSTANT, 'scale-shifted', 'scale-per-tensor'];

/** Pairs of numbers that no estimator finds one after the other: a line, and one order of two lists. Those that say the same stand together. */
export function* jointChanges(study: Study, base: Setup): Generator<readonly (readonly Change[])[]> {
  yield* scaleAndZeroPoint(study, base);
  if (base.kind === 'product') for (const pair of scalesAndBiasesInOneOrder(base)) yield [pair as readonly Change[]];
}

/** None, and zero points next to the declared one: what is wrong with the biases is looked for on each, since a constant hides it. */
export function zeroPointsNear(study: Study): Change[] {
  const { declared } = study;
  const { output } = declared.params;
  if (declared.kind !== 'product' || !isQuantized(output)) return [];
  const near = Array.from({ length: 2 * MOST_MOVED + 1 }, (_, i) => output.zeroPoint + i - MOST_MOVED);
  // a ReLU shows its own
  const least = declared.params.activation === 'relu' ? [observedRange(study)[0]] : [];
  return [...new Set([...least, 0, ...near])]
    .filter((zp) => zp !== output.zeroPoint && zp >= output.quantMin && zp <= output.quantMax)
    .map((zeroPoint) =>
      outputChange(
        'output-zero-point-wrong',
        'y_zero_point',
        { zeroPoint },
        { declared: output.zeroPoint, found: zeroPoint },
      ),
    );
}

/** The causes whose numbers are looked for on one of them. */
export function hiddenBy({ found }: Change): readonly string[] {
  return (found as { found?: number }).found === 0 ? HIDDEN_BY_NONE : HIDDEN_BY_A_CONSTANT;
}

/** y = zero_point + v * factor: for each zero point the interval of the factor; few zero points leave one. */
function* scaleAndZeroPoint(study: Study, base: Setup): Generator<readonly (readonly Change[])[]> {
  const { output } = base.params;
  if (!isQuantized(output) || !convertsIn(base) || output.quantMax - output.quantMin >= MOST_ZERO_POINTS) return;
  const view = viewOf(study, base);
  if (Number.isNaN(view.acc[0])) return; // a choice of codes, as of a pool, has no sums
  const stride = Math.max(1, Math.floor(view.acc.length / SAMPLE));
  for (let zeroPoint = output.quantMin; zeroPoint <= output.quantMax; zeroPoint++) {
    const moved = zeroPoint - output.zeroPoint;
    if (moved === 0 || isEmpty(factorFor(view, moved, stride))) continue;
    const factor = factorFor(view, moved, 1);
    if (isEmpty(factor) || !isBounded(factor) || factor.lo <= 0) continue;
    const shift = outputChange(
      'output-zero-point-wrong',
      'y_zero_point',
      { zeroPoint },
      { declared: output.zeroPoint, found: zeroPoint },
    );
    const interval = { lo: output.scale / factor.hi, hi: output.scale / factor.lo };
    const line = ({ acc, stepsPerUnit, biasSteps }: View) => ({
      slope: (i: number, n: number) => acc[i] * stepsPerUnit[n] + biasSteps[n],
      offset: () => moved,
    });
    const at = (own: number) => withOutput(base, { scale: output.scale / own, zeroPoint });
    const halved = bisected(study, base, line, factor, at);
    const ofInput = inputsScaleIn(base, interval);
    for (const scale of [...ofInput, ...(halved === null ? [] : [output.scale / halved]), ...scalesIn(interval)]) {
      if (isNoise(scale, output.scale)) continue;
      const found = {
        declared: output.scale,
        found: scale,
        interval: [interval.lo, interval.hi] as const,
        ...(ofInput.includes(scale) && { of_input: true as const }),
      };
      yield [
        [outputChange('output-scale-wrong', 'y_scale', { scale }, found), shift],
        ...inputsOwn(base, output.scale / scale, factor).map((own) => [own, shift]),
      ];
    }
  }
}

/** Of codes made of codes the scale may be the input's as well. */
function inputsOwn(base: Setup, factor: number, { lo, hi }: Interval): Change[] {
  const input = inputOf(base);
  if (base.kind !== 'elementwise' || !isQuantized(input)) return [];
  const { scale } = input;
  return [inputScale(scale, scale * factor, { lo: scale * lo, hi: scale * hi }) as Change];
}

function factorFor(view: View, moved: number, stride: number): Interval {
  const factor = everything();
  for (let i = 0; i < view.acc.length && !isEmpty(widened(factor, FLOAT32)); i += stride) {
    const channel = i % view.channels;
    const steps = view.acc[i] * view.stepsPerUnit[channel] + view.biasSteps[channel];
    narrow(factor, steps, view.lo[i] - moved, view.hi[i] - moved);
  }
  return isEmpty(factor) ? widened(factor, FLOAT32) : factor;
}

function outputChange(
  cause: 'output-scale-wrong' | 'output-zero-point-wrong',
  coordinate: 'y_scale' | 'y_zero_point',
  params: { scale?: number; zeroPoint?: number },
  found: NonNullable<Change['found']>,
): Change {
  return {
    cause,
    coordinate,
    freedom: FREEDOM.oneNumber,
    label: JSON.stringify(params),
    found,
    apply: (setup) => withOutput(setup, params),
  };
}

type Way = Pick<Index, 'from'> & Partial<Index> & { readonly shift?: number };

/** One after the other: of 4096 channels there are as many. */
function* ordersOf(count: number): Generator<Way> {
  for (let shift = 1; shift < count; shift++) yield { shift, from: (n) => (n + shift) % count };
  yield { ...(count === 2 && { shift: 1 }), from: (n) => count - 1 - n };
  yield* indices(count);
}

/** Scales and biases of other channels, both in the same order: a rotation, the reversal, or another index. */
function* scalesAndBiasesInOneOrder(base: ProductSetup): Generator<readonly ProductChange[]> {
  const { weightScale } = base.params;
  const count = weightScale.length;
  if (count < 2 || count > MOST_CHANNELS || (!base.params.bias && !base.params.biasInt32)) return;
  for (const { from, by, shift } of ordersOf(count)) {
    const found = shift === undefined ? { permutation: listed(count, from), ...(by && { by }) } : { shift };
    const scales = taken(weightScale, from);
    const biases = permuteBias(base.params, from);
    yield [
      {
        cause: 'scale-shifted',
        coordinate: 'w_scale',
        freedom: FREEDOM.permutationOrPatch,
        label: String(shift ?? by ?? 'reversed'),
        found,
        apply: (setup) => withParams(setup, { weightScale: scales }),
      },
      {
        cause: 'bias-shifted',
        coordinate: 'bias_values',
        freedom: FREEDOM.permutationOrPatch,
        label: String(shift ?? by ?? 'reversed'),
        found,
        apply: (setup) => withParams(setup, biases),
      },
    ];
  }
}
