import { withInputZeroPoint } from '../../kernels/steps/lossyAccumulate.js';
import { isQuantized, type QuantParams, type ValueParams } from '../../nouns/value.js';
import { shiftsOf } from '../alternatives/functions/lookups.js';
import { isConvolution, patchOf, readOtherwise } from '../alternatives/geometry.js';
import { formOf } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { sharedIntegers, sharedIntervals } from '../estimate/scalar.js';
import { viewOf } from '../estimate/view.js';
import { choosesByScript, converts, readsCodes } from '../facts.js';
import type { CauseEvidence, FoundParameter, SomeChannels } from '../finding/evidence.js';
import {
  type Change,
  FREEDOM,
  inputOf,
  type ProductChange,
  type ProductSetup,
  type Setup,
  type TensorChange,
  type TensorSetup,
  withInput,
  withSteps,
} from '../setup.js';
import type { Scope } from '../study/data.js';
import { isProductStudy, isTensorStudy, type Study, type TensorStudy } from '../study/study.js';
import { scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentence, inputName, operands } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'input-zero-point-wrong': SomeChannels &
      Partial<FoundParameter> & {
        /** Of several, where it is not the first. */
        readonly input?: number;
        /** Of a layer that chooses it in each call: what is multiplied. */
        readonly multiplied?: string;
        /** Of several, those whose zero point is added. */
        readonly added_of?: readonly number[];
      };
  }
}

/** Of a step, what a kernel's float32 may move a value by: weights that nearly cancel make much of it. */
const FLOAT32 = 1e-3;

type Apply = (setup: Setup) => Setup;

/** Another number is subtracted from the input's codes: the middle one, or another value's zero point. */
export const inputZeroPointWrong: Cause<'input-zero-point-wrong'> = {
  code: 'input-zero-point-wrong',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [(study) => readsCodes(study) || choosesByScript(study), converts],
  whose: 'model',

  changes: (study) =>
    study.data.dynamic
      ? (OF_CALLS.map(ofEachCall) as Change[])
      : isTensorStudy(study) && study.free
        ? added(study)
        : [],

  afterSums: true,
  estimate: (study, base) => {
    if (isTensorStudy(study))
      return [...(base === study.declared ? ofFunction(study) : []), ...ofReals(study, base as TensorSetup)];
    const input = inputOf(base);
    if (!isQuantized(input)) return [];
    const { zeroPoint, quantMin, quantMax } = input;
    // a file that has none lacks it: activation-zero-point-missing
    if (study.data.dynamic || (zeroPoint === 0 && !study.free)) return [];
    // codes to codes, two roundings move each border between output codes by one of the input's: XNNPACK's do at 1/16
    const least = isProductStudy(study) || !isQuantized(study.declared.params.output) ? 1 : 2;
    return waysOf(study).flatMap((moved) =>
      distancesOf(study, base, moved(zeroPoint + 1))
        .filter((distance) => Math.abs(distance) >= least)
        .map((distance) => zeroPoint + distance)
        .filter((found) => found !== 0 && (study.free ? isMeant(input, found) : found >= quantMin && found <= quantMax))
        .map((found) => another(zeroPoint, found, moved)),
    );
  },

  // codes that are all off by 128
  twinsOf: (study, { cause, found: of }) => {
    const { of: what, declared, off_by, top_bit } = (of ?? {}) as CauseEvidence['signedness'];
    const input = inputOf(study.declared);
    const isOne = cause === 'signedness' && what === 'activation' && off_by === 128 && !top_bit;
    if (!isOne || study.declared.reads.length > 1 || !isQuantized(input)) return [];
    const found = input.zeroPoint + (declared === 'uint8' ? 128 : -128);
    return found === 0 ? [] : waysOf(study).map((moved) => another(input.zeroPoint, found, moved));
  },

  words: {
    title: (e) =>
      isAdded(e)
        ? `zero point of ${e.added_of ? operands(e.added_of) : `the ${inputName(e)}`} added`
        : `wrong ${inputName(e)} zero point`,
    explanation: (e) =>
      e.multiplied
        ? "Another number is taken off the input's codes than was added when it was quantized."
        : isAdded(e)
          ? 'A code stands for scale * (code - zero_point); the zero point is taken with the other sign.'
          : "What is subtracted from the input's codes is another number than the zero point that the file says.",
    ofOneLayer: true,
    evidence: (e) => [e.multiplied ? `multiplied is ${e.multiplied}` : foundSentence(`${inputName(e)} zero_point`, e)],
    fix: (e, context) =>
      e.multiplied
        ? "subtract from the input's codes the zero point that was added to them"
        : isAdded(e) && context.subject === 'candidate'
          ? 'subtract the zero point; an offset that is added (input_offset of CMSIS-NN and TFLite) is -zero_point'
          : foundFix(`${inputName(e)} zero_point`)(e, context),
    code: (e, context) =>
      e.multiplied || e.added_of
        ? []
        : scaleLine(
            inputName(e),
            'zero_point',
            e.input ? `x${e.input}_zero_point` : 'x_zero_point',
            e,
            context,
            e.input,
          ),
  },
};

/** One of codes of either sign, or taken off with the other sign, or twice; any other number is what something else comes to. */
function isMeant({ zeroPoint, quantMin, quantMax }: QuantParams, found: number): boolean {
  const most = quantMax - quantMin;
  return (found >= -(most + 1) / 2 && found <= most) || found === -zeroPoint || found === 2 * zeroPoint;
}

function another(declared: number, found: number, moved: (zeroPoint: number) => Apply): Change {
  return {
    cause: 'input-zero-point-wrong',
    coordinate: 'x_zero_point',
    freedom: FREEDOM.oneNumber,
    label: String(found),
    found: { declared, found },
    apply: moved(found),
  };
}

/** The offset that integer kernels add is the zero point's negative; who hands over the zero point adds it. */
function added({ declared }: TensorStudy): TensorChange[] {
  const every = declared.reads.map((_, i) => i);
  if (every.length < 2) return []; // a function's is looked up: ofFunction
  const zeroPoints = every.map((i) => zeroPointOf(inputOf(declared, i)));
  return [...every.map((i) => [i]), every]
    .filter((inputs) => inputs.every((i) => zeroPoints[i] !== 0))
    .map((inputs) => ({
      cause: 'input-zero-point-wrong',
      coordinate: 'x_zero_point',
      ...(inputs.length === 1 && { input: inputs[0] }),
      freedom: FREEDOM.none,
      label: `added of ${inputs.join()}`,
      found: { added_of: inputs },
      apply: (setup) => inputs.reduce((read, i) => withInput(read, { zeroPoint: -zeroPoints[i] }, i), setup),
    }));
}

const zeroPointOf = (params: ValueParams) => (isQuantized(params) ? params.zeroPoint : 0);

function isAdded({ declared, found, added_of }: Partial<CauseEvidence['input-zero-point-wrong']>): boolean {
  return added_of !== undefined || (declared !== undefined && found === -declared);
}

type OfCall = readonly [multiplied: string, of: (zeroPoint: number) => number];

const OF_CALLS: readonly OfCall[] = [
  ['(x - 128)', () => 128],
  ['(x + zx)', (zeroPoint) => -zeroPoint],
  ['(x - zx - 1)', (zeroPoint) => zeroPoint + 1],
  ['(x - zx + 1)', (zeroPoint) => zeroPoint - 1],
];

function ofEachCall([multiplied, of]: OfCall): ProductChange {
  return {
    cause: 'input-zero-point-wrong',
    coordinate: 'x_zero_point',
    freedom: FREEDOM.none,
    label: multiplied,
    found: { multiplied },
    apply: (setup) => withSteps(setup, { accumulate: withInputZeroPoint(setup.steps.accumulate, multiplied, of) }),
  };
}

/** Each code is looked up where another one belongs; that it has no zero point is a cause of its own. */
function ofFunction(study: TensorStudy): TensorChange[] {
  const { zeroPoint } = inputOf(study.declared) as QuantParams;
  const others = shiftsOf(study).filter(({ by, round }) => !round && zeroPoint + by !== 0);
  return others.map(({ by }) => ({
    cause: 'input-zero-point-wrong',
    coordinate: 'x_zero_point',
    freedom: FREEDOM.oneNumber,
    label: String(zeroPoint + by),
    found: { declared: zeroPoint, found: zeroPoint + by },
    apply: (setup) => withInput(setup, { zeroPoint: zeroPoint + by }),
  }));
}

/** What moves in a line with it: a mean, a sum, a product, what is joined. */
function ofReals(study: TensorStudy, base: TensorSetup): TensorChange[] {
  const { value, is } = formOf(study) ?? {};
  if (!study.free || !value || is === 'table' || !isQuantized(base.params.output)) return [];
  return base.params.inputs.flatMap((own, input) => {
    if (!isQuantized(own)) return [];
    const { zeroPoint } = own;
    const moved = withInput(base, { zeroPoint: zeroPoint + 1 }, input);
    const intervals = sharedIntervals(study, base, (view, scope) => {
      const { acc } = viewOf(study, moved, scope);
      return {
        slope: (i) => (acc[i] - view.acc[i]) * view.stepsPerUnit[0],
        offset: (i) => view.acc[i] * view.stepsPerUnit[0],
        slack: FLOAT32,
      };
    });
    return (intervals ? sharedIntegers(intervals) : [])
      .map((distance) => zeroPoint + distance)
      .filter((found) => found !== zeroPoint && found !== 0)
      .map((found) => ({
        cause: 'input-zero-point-wrong' as const,
        coordinate: 'x_zero_point' as const,
        ...(base.params.inputs.length > 1 && { input }),
        freedom: FREEDOM.oneNumber,
        label: `${found} of input ${input}`,
        found: { declared: zeroPoint, found, ...(input > 0 && { input }) },
        apply: (setup: TensorSetup) => withInput(setup, { zeroPoint: found }, input),
      }));
  });
}

/** Who has another number may pad with it, or with the right one. */
function waysOf(study: Study): ((zeroPoint: number) => Apply)[] {
  const moved =
    (zeroPoint: number): Apply =>
    (setup) =>
      withInput(setup, { zeroPoint });
  if (!isProductStudy(study) || !isConvolution(study) || !patchOf(study.declared).taps.hasHoles) return [moved];
  const padded = (fill: number): Apply => {
    const label = `padding ${fill}`;
    const read = readOtherwise(study, { cause: 'input-zero-point-wrong', label, found: {}, reading: () => ({ fill }) });
    return (setup) => read.apply(moved(fill)(setup) as ProductSetup);
  };
  return [moved, padded];
}

/** By how much it may be another: each value moves in a line with it. */
function distancesOf(study: Study, base: Setup, moved: Apply): number[] {
  const intervals = sharedIntervals(study, base, (view, scope) => {
    const acc = sumsOf(study, moved(base), scope);
    return {
      slope: (i, n) => (acc[i] - view.acc[i]) * view.stepsPerUnit[n],
      offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
      slack: isQuantized(base.params.output) ? FLOAT32 : 0,
    };
  });
  return intervals ? sharedIntegers(intervals) : [];
}

/** As `viewOf` has them, without what bounds them. */
function sumsOf(study: Study, setup: Setup, scope: Scope): ArrayLike<number> {
  return isProductStudy(study) && setup.kind === 'product'
    ? study.engine.accumulator(setup, scope)
    : viewOf(study, setup, scope).acc;
}
