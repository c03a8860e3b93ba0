import { dynamicStep } from '../../kernels/steps/dynamic.js';
import { withInputScale } from '../../kernels/steps/otherInputScale.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { precise } from '../../text.js';
import { byOtherScales } from '../alternatives/scalesInMultipliers.js';
import { formOf } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { scaleOfCurve } from '../estimate/curveScale.js';
import { bisected, type LineOf, refinedScaleIntervals, sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { isNoise, isTiny, movesTiesOnly, scalesIn } from '../estimate/scales.js';
import { biasParts, type View, viewOf } from '../estimate/view.js';
import { choosesByScript, converts, readsCodes } from '../facts.js';
import type { FoundParameter, SomeChannels } from '../finding/evidence.js';
import {
  type Change,
  FREEDOM,
  inputOf,
  type ProductChange,
  type Setup,
  type TensorSetup,
  withInput,
  withSteps,
} from '../setup.js';
import type { Scope } from '../study/data.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import { scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentence, inputName } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'input-scale-wrong': SomeChannels &
      Partial<FoundParameter> & {
        /** Of several, where it is not the first. */
        readonly input?: number;
        /** Another of the layer's that it is, in its place; exchanged: the output's is the input's. */
        readonly taken?: 'output';
        readonly exchanged?: true;
        /** Of a layer that chooses it in each call: what sums are multiplied by in its place. */
        readonly in_place?: '1' | 's_x * s_x';
      };
  }
}

/** The activations' scale is another than the file says. */
export const inputScaleWrong: Cause<'input-scale-wrong'> = {
  code: 'input-scale-wrong',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [(study) => readsCodes(study) || choosesByScript(study), converts],
  whose: 'model',

  changes: (study) => {
    if (!study.free) return [];
    if (study.data.dynamic) return OF_CALLS.map(ofEachCall);
    if (isTensorStudy(study)) return [...leftOut(study), ...ofOutput(study)];
    return isProductStudy(study) ? ofMultipliers(study) : [];
  },

  afterSums: true,
  estimate: (study, base) =>
    study.data.dynamic
      ? []
      : base.kind === 'tensor'
        ? [...ofOperands(study, base), ...ofCurve(study as TensorStudy, base)]
        : [...ofFirst(study, base), ...ofAddend(study, base)],

  words: {
    title: (e) =>
      e.found === 1 || e.in_place === '1'
        ? `${inputName(e)} scale left out`
        : e.in_place
          ? 'input scale multiplied in twice'
          : e.exchanged
            ? 'scales of input and output exchanged'
            : e.taken
              ? `${inputName(e)} read with the ${e.taken}'s scale`
              : 'wrong input scale',
    explanation: (e) =>
      e.in_place
        ? 'Sums are multiplied by another number than the scale that the codes of the call were made with.'
        : e.found === 1
          ? `The ${inputName(e)}'s codes are taken as if a step of theirs were 1.`
          : e.exchanged
            ? "Sums are multiplied by s_y * s_w / s_x: each scale stands in the other's place."
            : `The ${inputName(e)}'s scale is another than the file says.`,
    ofOneLayer: true,
    evidence: (e) => [e.in_place ? `multiplied by ${e.in_place}, not s_x` : foundSentence(`${inputName(e)} scale`, e)],
    fix: (e, context) =>
      e.in_place
        ? 'multiply sums by the scale that was chosen for the call, once'
        : e.found === 1 && e.declared !== undefined && context.subject === 'candidate'
          ? `multiply by the ${inputName(e)} scale ${precise(e.declared)}`
          : e.exchanged && context.subject === 'candidate'
            ? 'multiply by s_x * s_w / s_y'
            : foundFix(`${inputName(e)} scale`)(e, context),
    code: (e, context) =>
      e.in_place
        ? []
        : scaleLine(inputName(e), 'scale', e.input ? `x${e.input}_scale` : 'x_scale', e, context, e.input),
  },
};

type OfCall = readonly [inPlace: '1' | 's_x * s_x', of: (scale: number) => number];

const OF_CALLS: readonly OfCall[] = [
  ['1', () => 1],
  ['s_x * s_x', (scale) => scale * scale],
];

function ofEachCall([inPlace, of]: OfCall): Change {
  const change: ProductChange = {
    cause: 'input-scale-wrong',
    coordinate: 'x_scale',
    freedom: FREEDOM.none,
    label: inPlace,
    found: { in_place: inPlace },
    apply: (setup) => {
      const own = setup.steps.dynamic!;
      return withSteps(setup, {
        dynamic: dynamicStep({ ...own, multiplier: withInputScale(own.multiplier, inPlace, of) }),
      });
    },
  };
  return change as Change;
}

/** Of what is no sum: of that an estimate finds it, beside all else that it may be. */
function leftOut(study: TensorStudy): Change[] {
  const { value, terms, is } = formOf(study) ?? {};
  if (!value || terms || is === 'mean') return [];
  return study.declared.params.inputs.flatMap((own, input) =>
    isQuantized(own) && own.scale !== 1 ? otherScale(own.scale, 1, input) : [],
  );
}

/** Of a product: left out, or one taken for the other where it multiplies, and where it divides. */
function ofMultipliers(study: ProductStudy): Change[] {
  const { input: own, output } = study.declared.params;
  if (!isQuantized(own) || !isQuantized(output)) return [];
  const missing = own.scale === 1 ? [] : byOtherScales(study, { input: 1 }, numbersOf(otherScale(own.scale, 1, 0)));
  if (own.scale === output.scale) return missing as Change[];
  const exchanged = byOtherScales(
    study,
    { input: output.scale, output: own.scale },
    {
      ...numbersOf(otherScale(own.scale, output.scale, 0, 'output')),
      label: 'exchanged',
      found: { declared: own.scale, found: output.scale, taken: 'output', exchanged: true },
    },
  );
  return [...missing, ...exchanged] as Change[];
}

function numbersOf({ apply: _, forms: __, ...numbers }: Change) {
  return numbers;
}

/** A curve reads its input with the scale of what it writes. */
function ofOutput(study: TensorStudy): Change[] {
  const { inputs, output } = study.declared.params;
  const [own] = inputs;
  const { value, is } = formOf(study) ?? {};
  if (!value || is === 'mean' || inputs.length > 1 || !isQuantized(own) || !isQuantized(output)) return [];
  return own.scale === output.scale ? [] : [otherScale(own.scale, output.scale, 0, 'output')];
}

function otherScale(declared: number, scale: number, input: number, taken?: 'output'): Change {
  return {
    cause: 'input-scale-wrong',
    coordinate: 'x_scale',
    input,
    freedom: FREEDOM.none,
    label: `${scale} of input ${input}`,
    found: { declared, found: scale, ...(input > 0 && { input }), ...(taken && { taken }) },
    apply: (setup) => withInput(setup, { scale }, input),
  };
}

function ofCurve(study: TensorStudy, base: TensorSetup): Change[] {
  const interval = study.free ? scaleOfCurve(study, base) : null;
  const declared = (inputOf(base) as QuantParams).scale;
  if (!interval || movesTiesOnly(interval, declared)) return [];
  return scalesIn(interval)
    .filter((scale) => !isNoise(scale, declared))
    .map((scale) => ({
      ...otherScale(declared, scale, 0),
      freedom: FREEDOM.oneNumber,
      tiny: isTiny(scale, declared),
      found: { declared, found: scale, interval: [interval.lo, interval.hi] },
    }));
}

function ofFirst(study: Study, base: Setup): Change[] {
  const input = inputOf(base);
  if (!isQuantized(input)) return [];
  return scalesOf(study, base, 0, (view) => {
    const { scaling, fixed, slack } = biasParts(view, base);
    return {
      slope: (i, n) => (view.acc[i] * view.stepsPerUnit[n] + scaling(n)) / input.scale,
      offset: (_, n) => fixed(n),
      slack: slack + view.ofLargerScales,
    };
  });
}

/** Of a second value that a product adds. */
function ofAddend(study: Study, base: Setup): Change[] {
  const addend = base.kind === 'product' ? base.params.addend : undefined;
  if (!addend || !isQuantized(addend)) return [];
  return scalesOf(study, base, 1, (view) => ({
    slope: (i) => view.added![i] / addend.scale,
    offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n] - view.added![i],
  }));
}

/** What of each value an operand's scale moves, in steps. */
function partOf(study: Study, base: TensorSetup, input: number, view: View, scope: Scope) {
  const { scale } = inputOf(base, input) as QuantParams;
  const twice = viewOf(study, withInput(base, { scale: 2 * scale }, input), scope);
  return (i: number) => (twice.acc[i] - view.acc[i]) * view.stepsPerUnit[0];
}

/** Whether all of each value moves with an operand's scale, as with the output's: of a product. */
export function isFactor(study: Study, base: TensorSetup, input: number): boolean {
  const view = viewOf(study, base, study.sketch);
  const moved = partOf(study, base, input, view, study.sketch);
  return view.acc.every((real, i) => Math.abs(moved(i) - real * view.stepsPerUnit[0]) < 1e-3);
}

/** Each operand that the result follows in a line of its own, of one beside a constant (batch_norm's); what moves with all of it is the output's scale. */
function ofOperands(study: Study, base: TensorSetup): Change[] {
  const { inputs } = base.params;
  const isCurve = inputs.length < 2 && formOf(study as TensorStudy)?.is === 'table';
  return inputs.flatMap((own, input) => {
    if (isCurve || !isQuantized(own)) return [];
    if (isFactor(study, base, input)) return [];
    return scalesOf(study, base, input, (view, scope) => {
      const moved = partOf(study, base, input, view, scope);
      return {
        slope: (i) => moved(i) / own.scale,
        offset: (i) => view.acc[i] * view.stepsPerUnit[0] - moved(i),
      };
    });
  });
}

function scalesOf(study: Study, base: Setup, input: number, line: LineOf): Change[] {
  const declared = (inputOf(base, input) as QuantParams).scale;
  const intervals = sharedIntervals(study, base, line);
  const interval = intervals && sharedInterval(intervals);
  // where a scale of 0 fits as well, the operand took no part
  if (!interval || interval.lo <= 0 || movesTiesOnly(interval, declared)) return [];
  const withScale = (scale: number) => withInput(base, { scale }, input);
  const exactly = bisected(study, base, line, interval, withScale);
  const halved = exactly === null ? [] : [Math.fround(exactly), exactly];
  // an int32 bias is counted in units of the first
  const refined = input === 0 ? refinedScaleIntervals(study, base, interval, withScale) : [interval];
  return [...halved, ...refined.flatMap(scalesIn)]
    .filter((scale) => scale > 0 && !isNoise(scale, declared))
    .map(
      (scale): Change => ({
        cause: 'input-scale-wrong',
        coordinate: 'x_scale',
        ...(input > 0 && { input }),
        freedom: scale === 1 ? FREEDOM.none : FREEDOM.oneNumber,
        tiny: isTiny(scale, declared),
        label: input === 0 ? String(scale) : `${scale} of input ${input}`,
        found: { declared, found: scale, interval: [interval.lo, interval.hi], ...(input > 0 && { input }) },
        apply: (setup) => withInput(setup, { scale }, input),
      }),
    );
}
