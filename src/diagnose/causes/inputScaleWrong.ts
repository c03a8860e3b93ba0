import { isQuantized, type QuantParams } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { bisected, type LineOf, refinedScaleIntervals, sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { isNoise, isTiny, movesTiesOnly, scalesIn } from '../estimate/scales.js';
import { biasParts, type View, viewOf } from '../estimate/view.js';
import type { FoundParameter, SomeChannels } from '../evidence.js';
import { converts, readsCodes } from '../facts.js';
import { type Change, FREEDOM, inputOf, type Setup, type TensorSetup, withInput } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { Study } from '../study/study.js';
import { scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentence } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'input-scale-wrong': SomeChannels &
      Partial<FoundParameter> & {
        /** Of several, where it is not the first. */
        readonly input?: number;
      };
  }
}

/** The activations' scale is another than the file says. */
export const inputScaleWrong: Cause<'input-scale-wrong'> = {
  code: 'input-scale-wrong',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [readsCodes, converts],
  whose: 'model',

  afterSums: true,
  estimate: (study, base) =>
    base.kind === 'tensor' ? ofOperands(study, base) : [...ofFirst(study, base), ...ofAddend(study, base)],

  words: {
    title: 'wrong input scale',
    explanation: (e) => `The ${nameOf(e)}'s scale is another than the file says.`,
    ofOneLayer: true,
    evidence: (e) => [foundSentence(`${nameOf(e)} scale`, e)],
    fix: (e, context) => foundFix(`${nameOf(e)} scale`)(e, context),
    code: (e, context) => scaleLine(nameOf(e), 'scale', e.input ? `x${e.input}_scale` : 'x_scale', e, context, e.input),
  },
};

function nameOf({ input }: { readonly input?: number }): string {
  return input ? `${['second', 'third', 'fourth'][input - 1] ?? `${input + 1}th`} input` : 'input';
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

/** Of several operands, each of which the result follows in a line of its own; what moves with all of it is the output's scale. */
function ofOperands(study: Study, base: TensorSetup): Change[] {
  const { inputs } = base.params;
  return inputs.flatMap((own, input) => {
    if (inputs.length < 2 || !isQuantized(own)) return [];
    const doubled = withInput(base, { scale: 2 * own.scale }, input);
    const part = (view: View, scope: Scope) => {
      const twice = viewOf(study, doubled, scope);
      return (i: number) => (twice.acc[i] - view.acc[i]) * view.stepsPerUnit[0];
    };
    const whole = viewOf(study, base, study.sketch);
    const ofSketch = part(whole, study.sketch);
    if (whole.acc.every((real, i) => Math.abs(ofSketch(i) - real * whole.stepsPerUnit[0]) < 1e-3)) return [];
    return scalesOf(study, base, input, (view, scope) => {
      const moved = part(view, scope);
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
  if (!interval || movesTiesOnly(interval, declared)) return [];
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
        freedom: FREEDOM.oneNumber,
        tiny: isTiny(scale, declared),
        label: input === 0 ? String(scale) : `${scale} of input ${input}`,
        found: { declared, found: scale, interval: [interval.lo, interval.hi], ...(input > 0 && { input }) },
        apply: (setup) => withInput(setup, { scale }, input),
      }),
    );
}
