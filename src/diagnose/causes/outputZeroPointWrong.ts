import { clampOfCodes } from '../../kernels/steps/activation.js';
import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import { halfAway, halfDown, halfEven, halfUp } from '../../kernels/steps/round.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { smallestOf } from '../../numeric/extremes.js';
import { clamp, greatestCommonDivisor } from '../../numeric/integer.js';
import { nthOf } from '../../numeric/nth.js';
import { formOf, scriptsRounding, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { byShift, shiftOfCodes } from '../estimate/rescaledCodes.js';
import { viewOf } from '../estimate/view.js';
import { convertsIn, writesCodes } from '../facts.js';
import type { FoundParameter, SomeChannels } from '../finding/evidence.js';
import {
  type Change,
  type CodeMap,
  FREEDOM,
  inputOf,
  type ProductChange,
  type Setup,
  withOutput,
  withParams,
} from '../setup.js';
import { observedRange } from '../study/observedRange.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import { scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentence } from '../words/parts.js';
import { hasRelu } from './relu.js';
import { roundingFloor } from './rounding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'output-zero-point-wrong': SomeChannels &
      Partial<FoundParameter> & {
        /** Where a fused activation clamps all the same, in codes. */
        readonly clamped?: readonly [number, number];
        /** Codes that leave the range by it keep their low bits. */
        readonly wraps?: true;
        /** It is added to the sums. */
        readonly before_scaling?: true;
        /** The layer gives codes that it reads, and has no zero point of its own: all of them are moved by found - declared. */
        readonly moved?: true;
      };
  }
}

/** Values that a median needs. */
const SAMPLE = 1000;

/** The output's zero point is another than the file says. */
export const outputZeroPointWrong: Cause<'output-zero-point-wrong'> = {
  code: 'output-zero-point-wrong',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes, (study) => convertsIn(study.declared) || hasRelu(study) || study.free],
  whose: 'model',

  changes: (study) => (isProductStudy(study) ? addedToSums(study) : []),

  afterSums: true,
  estimate: (study, base) => {
    const { output } = base.params;
    if (!isQuantized(output)) return [];
    const moved = base === study.declared ? movedCodes(study, output) : null;
    if (moved) return [moved];
    if (!convertsIn(base) && !hasRelu(study)) return [];
    // a ReLU of its own clamps at it
    const middle = convertsIn(base) ? whereErrorsLie(study, base) : observedRange(study)[0];
    if (middle === null) return [];
    return (
      // one that is left out clamps what would show where it lies
      [...new Set([middle, middle - 1, middle + 1, ...(study.free && base !== study.declared ? [0] : [])])]
        // what is added in RTL or firmware may be no code
        .filter((zp) => zp !== output.zeroPoint && (study.free || (zp >= output.quantMin && zp <= output.quantMax)))
        .flatMap((zeroPoint): Change[] => {
          const own = outputZeroPoint(output.zeroPoint, zeroPoint);
          const stores = movedBy(zeroPoint - output.zeroPoint, output);
          const moved = takesItsInputs(study, base, zeroPoint)
            ? { ...own, found: { ...own.found, moved: true as const }, apply: (setup: Setup) => ({ ...setup, stores }) }
            : own;
          if (!study.free) return [moved];
          if (hasActivation(base)) return [moved, clampedAsDeclared(moved, base)];
          return isReluInClamp(base) && zeroPoint > output.quantMin ? [moved, withItsRelu(moved)] : [moved];
        })
    );
  },

  twinsOf: (study, { cause, found }) => {
    if (cause === 'rounding-ceil') return [...offAlike(study), ...besideFloor(study)];
    if (cause === 'input-zero-point-wrong')
      return isTensorStudy(study) ? besideMean(study, (found ?? {}) as Partial<FoundParameter>) : [];
    return cause === outputZeroPointWrong.code ? [] : offAlike(study);
  },

  evidence: ({ study, change }) => {
    const input = inputOf((study as Study).declared);
    const { found } = (change.found ?? {}) as Partial<FoundParameter>;
    return isQuantized(input) && input.zeroPoint === found ? { of_input: true as const } : {};
  },

  words: {
    title: (e) =>
      e.moved
        ? `all codes moved${e.found === undefined ? '' : ` by ${movedText(e)}`}`
        : e.before_scaling
          ? 'output zero point added before scaling'
          : isSubtracted(e)
            ? 'output zero point subtracted'
            : 'wrong output zero point',
    explanation: (e) =>
      e.moved
        ? `The layer gives codes that it reads as they are; each is ${isWithout(e) ? 'less the zero point' : 'another by one number'}.`
        : e.before_scaling
          ? 'The zero point is a code: added to a sum, it is scaled with it, and next to nothing of it is left.'
          : isSubtracted(e)
            ? 'The zero point is added to what was rounded; it is taken with the other sign.'
            : "The output's zero point is another than the file says.",
    ofOneLayer: true,
    evidence: (e) => [
      e.before_scaling
        ? `output zero_point ${e.declared}, times s_x * s_w / s_y`
        : e.moved
          ? `every code ${movedText(e)}, the zero point is ${e.declared}`
          : foundSentence('output zero_point', e),
      e.wraps ? 'what leaves the range keeps its low bits' : null,
      e.clamped ? `clamped to ${e.clamped[0]}..${e.clamped[1]}, as with the declared one` : null,
    ],
    fix: (e, context) =>
      e.moved
        ? isWithout(e)
          ? 'give the codes as they are read: subtract no zero point from them'
          : 'give the codes as they are read: add nothing to them'
        : e.before_scaling
          ? 'add the zero point of the output after the sum is scaled and rounded'
          : foundFix('output zero_point')(e, context),
    code: (e, context) => (e.moved ? [] : scaleLine('output', 'zero_point', 'y_zero_point', e, context)),
  },
};

/** Where each value is off by as much: few sums are all rounded up. */
function offAlike(study: Study): Change[] {
  const { output } = study.declared.params;
  if (!isQuantized(output) || !convertsIn(study.declared)) return [];
  const { observed } = study.subset;
  const declared = study.values(study.declared);
  const at = observed.findIndex(
    (code: number, i: number) => !isAtBound(code, output) && !isAtBound(declared[i], output),
  );
  const found = output.zeroPoint + observed[at] - declared[at];
  return at < 0 || found === output.zeroPoint ? [] : [outputZeroPoint(output.zeroPoint, found)];
}

/** Between codes what is rounded down lies one below what is rounded up. */
function besideFloor(study: Study): Change[][] {
  const { output } = study.declared.params;
  if (!isQuantized(output)) return [];
  const floors = roundingFloor.changes?.(study) ?? [];
  return floors.map((own) => [own, outputZeroPoint(output.zeroPoint, output.zeroPoint + 1)]);
}

/** Of one scale a mean moves by as many codes as its input's zero point, but for ties: these go another way. */
function besideMean(study: TensorStudy, { declared, found }: Partial<FoundParameter>): (Change | Change[])[] {
  const { inputs, output } = study.declared.params;
  const isOne = isQuantized(output) && isQuantized(inputs[0]) && inputs[0].scale === output.scale;
  if (!isOne || formOf(study)?.is !== 'mean' || declared === undefined || found === undefined) return [];
  const own = outputZeroPoint(output.zeroPoint, output.zeroPoint + declared - found);
  const scripts = [halfEven, halfUp, halfAway, halfDown].flatMap((round) => scriptsRounding(study, round));
  return [own, ...scripts.map((steps) => [stepsChange('pool-rounding', 'round', steps) as Change, own])];
}

const movedText = ({ declared, found }: Partial<FoundParameter>): string =>
  found! < declared! ? `${found! - declared!}` : `+${found! - declared!}`;
/** All that is left of codes is their distance from the zero point. */
const isWithout = ({ declared, found }: Partial<FoundParameter>): boolean => found === 0 && declared !== 0;

const isAtBound = (code: number, { quantMin, quantMax }: QuantParams) => code === quantMin || code === quantMax;

export function outputZeroPoint(declared: number, found: number): Change {
  return {
    cause: 'output-zero-point-wrong',
    coordinate: 'y_zero_point',
    freedom: FREEDOM.oneNumber,
    label: String(found),
    found: { declared, found },
    apply: (setup) => withOutput(setup, { zeroPoint: found }),
  };
}

const isSubtracted = ({ declared, found }: Partial<FoundParameter>) => declared !== undefined && found === -declared;

/** Of a candidate: (acc + bias + zero_point) * multiplier, clamped as declared. */
function addedToSums(study: ProductStudy): Change[] {
  const { declared, free, data } = study;
  const { output, activation } = declared.params;
  if (!free || data.dynamic || !isQuantized(output) || output.zeroPoint === 0) return [];
  const { steps, params } = declared;
  const bounds = clampOfCodes(activation, output, steps.bound);
  const biases = int32BiasFloat64.prepare(params);
  const own = biases.unit === 'int32' ? biases.values : new Int32Array(params.outFeatures);
  const biasInt32 = own.map((b) => b + output.zeroPoint);
  const change: ProductChange = {
    cause: 'output-zero-point-wrong',
    coordinate: 'y_zero_point',
    freedom: FREEDOM.none,
    label: 'added to sums',
    found: { declared: output.zeroPoint, found: 0, before_scaling: true },
    apply: (setup) =>
      withOutput(withParams(setup, { bias: null, biasInt32, activation: { clamp: bounds } }), { zeroPoint: 0 }),
  };
  return study.agreesOnSubset(change.apply(declared)) ? [change as Change] : [];
}

type WithActivation = Exclude<Setup, { kind: 'elementwise' }>;

function hasActivation(setup: Setup): setup is WithActivation {
  return setup.kind !== 'elementwise' && setup.params.activation !== 'none';
}

/** Integer code has the bounds of a fused activation as constants of their own: a zero point that is missing leaves them. */
function clampedAsDeclared(moved: Change, base: WithActivation): Change {
  const { activation, output } = base.params;
  const bound = base.kind === 'product' ? base.steps.bound : quantizeTwoRoundings;
  const clamped = clampOfCodes(activation, output as QuantParams, bound);
  return {
    ...moved,
    label: `${moved.label}, clamped to ${clamped.join('..')}`,
    found: { ...moved.found, clamped },
    apply: (setup) => moved.apply(withParams<Setup>(setup, { activation: { clamp: clamped } })),
  };
}

/** The declared clamp makes a ReLU of 0 and below, and a file has none besides: another zero point shows that there is one. */
function isReluInClamp({ kind, params: { output } }: Setup): boolean {
  return kind === 'product' && isQuantized(output) && output.zeroPoint === output.quantMin;
}

function withItsRelu(moved: Change): Change {
  return {
    ...moved,
    label: `${moved.label}, with a ReLU`,
    apply: (setup) => moved.apply(withParams<Setup>(setup, { activation: 'relu' })),
  };
}

/** Of codes that stay what they are. */
function movedCodes(study: Study, output: QuantParams): Change | null {
  const mayStay = !convertsIn(study.declared) || isTensorStudy(study);
  const shift = mayStay ? shiftOfCodes(study) : null;
  const zeroPoint = output.zeroPoint + (shift?.by ?? 0);
  if (!shift || (isTensorStudy(study) && !takesItsInputs(study, study.declared, zeroPoint))) return null;
  const own = outputZeroPoint(output.zeroPoint, zeroPoint);
  const moved = movesCodes(study) && { moved: true as const };
  return {
    ...own,
    found: { ...own.found, ...moved, ...(shift.wraps && { wraps: true }) },
    apply: byShift(output, shift),
  };
}

/** What is not a pool has a zero point to convert to, or to clamp at. */
function movesCodes({ declared }: Study): boolean {
  return declared.kind === 'tensor' || (declared.kind === 'elementwise' && declared.params.clamp === null);
}

/** A pool's codes have the zero point of what it reads: one of its own is added to them. */
function takesItsInputs(study: Study, base: Setup, zeroPoint: number): boolean {
  return isTensorStudy(study) && study.free && study.sameOnSubset(withOutput(base, { zeroPoint }), base);
}

function movedBy(codes: number, { quantMin, quantMax }: QuantParams): CodeMap {
  return { name: `moved by ${codes}`, apply: (code) => clamp(code + codes, quantMin, quantMax) };
}

/** Away from the clamps y - zero_point - v is the error of the zero point, within half a step: the median of these. */
function whereErrorsLie(study: Study, base: Setup): number | null {
  const view = viewOf(study, base, study.sketch);
  const { observed } = study.sketch;
  const least = isReluInClamp(base) ? smallestOf(observed) : Number.NEGATIVE_INFINITY; // a clamp is no error
  const errors: number[] = [];
  const stride = strideThrough(view.acc.length, view.channels);
  for (let i = 0; i < view.acc.length; i += stride) {
    const n = i % view.channels;
    if (
      observed[i] > least &&
      Number.isFinite(view.lo[i]) &&
      Number.isFinite(view.hi[i]) &&
      Number.isFinite(view.acc[i])
    ) {
      errors.push((view.lo[i] + view.hi[i]) / 2 - view.acc[i] * view.stepsPerUnit[n] - view.biasSteps[n]);
    }
  }
  const { output } = base.params;
  if (errors.length === 0 || !isQuantized(output)) return null;
  return output.zeroPoint + nearest(nthOf(Float64Array.from(errors), Math.floor(errors.length / 2)));
}

/** About SAMPLE steps through all values that meet every channel: coprime to their number. */
function strideThrough(values: number, channels: number): number {
  let stride = Math.max(1, Math.floor(values / SAMPLE));
  while (greatestCommonDivisor(stride, channels) > 1) stride++;
  return stride;
}

function nearest(x: number): number {
  return Math.floor(x + 0.5);
}
