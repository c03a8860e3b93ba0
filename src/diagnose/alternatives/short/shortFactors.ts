/**
 * Multipliers of few bits where no sums of products are scaled: of each input of a sum, of the product of two values, of a mean, of a function's
 * constant, of codes that are converted.
 */
import type { RealForm, RealValue } from '../../../kernels/realForm.js';
import { clampOfCodes } from '../../../kernels/steps/activation.js';
import { fill, quantized } from '../../../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../../../kernels/steps/quantize.js';
import { downward, halfAway, halfEven, halfUp } from '../../../kernels/steps/round.js';
import type { RescaleStep, RoundStep, TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { isQuantized } from '../../../nouns/value.js';
import { furthestOf } from '../../../numeric/extremes.js';
import { clamp } from '../../../numeric/integer.js';
import { roundHalfEven } from '../../../numeric/round.js';
import { believed, chanceOf, numbersLeft } from '../../estimate/chance.js';
import { viewOf } from '../../estimate/view.js';
import { type Change, type ElementwiseChange, FREEDOM, type TensorChange, withSteps } from '../../setup.js';
import { type ElementwiseStudy, isTensorStudy, type Study, type TensorStudy } from '../../study/study.js';
import { casesOf } from '../cases.js';
import { countOf, floatsOf, formOf, inSteps, stepsChange } from '../tensorSteps.js';
import { MOST_BITS, numberIn, numberOf, roundsOf, type Short, saturates, saturatingIn } from './shortMultiplier.js';

/** In steps, and of a value: what a double, and a real kept as float32, may be off by. */
const [SLACK, OF_FLOAT32] = [1e-6, 1e-7];
const FEWEST = 3;

/** What is multiplied, by what, and what that stands for. */
interface Factors<Change> {
  readonly values: readonly ArrayLike<number>[];
  readonly reals: readonly number[];
  readonly of: string;
  readonly with: (numbers: readonly number[], round: RoundStep) => Change;
}

/** Asked for by each scale that gives what is observed as well. */
const known = new WeakMap<Study, Change[]>();

/** Forms of few bits that give what is observed, where the real numbers do not. */
export function shortFactors(study: Study): Change[] {
  const found = known.get(study) ?? findFactors(study);
  known.set(study, found);
  return found;
}

function findFactors(study: Study): Change[] {
  if (casesOf(study) < FEWEST) return [];
  const all = isTensorStudy(study) ? ofTensor(study) : ofConversion(study as ElementwiseStudy);
  return all.flatMap((factors, i) => {
    const fits = fitting(study, factors);
    if (fits(factors.reals, halfEven)) return [];
    return shortForms(factors.reals).flatMap((form) =>
      ROUNDS.filter((round) => fits(form.numbers.map(numberOf), round)).map((round) =>
        changeOf(study, factors, form, round, i + 1),
      ),
    );
  });
}

/** Of a number that is a part of a power of 2 many results are ties. */
const ROUNDS = [halfEven, halfUp, halfAway, downward];

interface Form {
  readonly bits: number;
  readonly numbers: readonly Short[];
}

/** Each with its own shift, or all with one; of equal numbers those of the fewest bits. */
function shortForms(reals: readonly number[]): Form[] {
  const forms = new Map<string, Form>();
  const top = Math.max(...reals);
  for (let bits = 1; bits <= MOST_BITS; bits++) {
    for (const round of roundsOf(bits)) {
      for (const oneShift of reals.length > 1 ? [null, top] : [null]) {
        const numbers = reals.map((real) => numberIn(real, bits, round, oneShift));
        const key = numbers.map(numberOf).join();
        if (!forms.has(key)) forms.set(key, { bits, numbers });
      }
    }
    const numbers = saturates(reals, bits) ? reals.map((real) => saturatingIn(real, bits)) : [];
    const key = numbers.map(numberOf).join();
    if (numbers.length > 0 && !forms.has(key)) forms.set(key, { bits, numbers });
  }
  return [...forms.values()];
}

/** Whether multipliers give every value of the sketch. */
function fitting(study: Study, { values }: Factors<Change>) {
  const { lo, hi } = viewOf(study, study.declared, study.sketch);
  return (numbers: readonly number[], round: RoundStep) => {
    // floor gives what lies up to a step above
    const more = round === downward ? 0.5 : 0;
    for (let i = 0; i < lo.length; i++) {
      const v = values.reduce((sum, term, n) => sum + term[i] * numbers[n], -more);
      const slack = SLACK + Math.abs(v) * OF_FLOAT32;
      if (v < lo[i] - slack || v > hi[i] + slack) return false;
    }
    return true;
  };
}

/** Some terms, each by a real number, in steps of the output. */
export interface Multiplied {
  /** One that is taken off with its sign. */
  readonly terms: (call: TensorCall) => readonly RealValue[];
  readonly reals: readonly number[];
  readonly of: string;
}

function ofTensor(study: TensorStudy): Factors<TensorChange>[] {
  const joiner = formOf(study)?.signs?.includes(-1) ? ' - ' : ' + ';
  return multipliedIn(study).map(({ terms, reals, of }) => ({
    values: reals.map((_, n) => floatsOf(study, (call) => terms(call)[n], study.sketch)),
    reals,
    of,
    with: (numbers, round) => {
      const steps: TensorSteps = {
        kind: 'tensor',
        equation: `${round.equation} of ${numbers.map((number, n) => `d${n} * ${number}`).join(joiner)}, then + zp`,
        run(call) {
          const output = quantized(call.output);
          const all = terms(call);
          const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
          const v = (i: number) => all.reduce((sum, term, n) => sum + term(i) * numbers[n], 0);
          return fill(call, (i) => clamp(round.apply(v(i)) + output.zeroPoint, lo, hi));
        },
      };
      return stepsChange('multiplier-short', 'multiplier', steps);
    },
  }));
}

/** The likeliest first. */
export function multipliedIn(study: TensorStudy): Multiplied[] {
  const { inputs, output } = study.declared.params;
  const form = formOf(study);
  const { value, terms, signs } = form ?? {};
  if (!value || !isQuantized(output) || !inputs.every(isQuantized)) return [];
  const scales = inputs.filter(isQuantized).map(({ scale }) => scale);
  const step = output.scale;
  if (terms) {
    const signed = (call: TensorCall) =>
      terms(inSteps(call)).map((term, n): RealValue => (signs?.[n] === -1 ? (i) => -term(i) : term));
    return [{ terms: signed, reals: scales.map((own) => own / step), of: 's_x / s_y' }];
  }
  const of = (name: string, real: number, term: (call: TensorCall) => RealValue): Multiplied => {
    return { terms: (call) => [term(call)], reals: [real], of: name };
  };
  const codes = (call: TensorCall) => value(inSteps(call));
  if (PRODUCTS.includes(study.data.op)) return [of('(s_a * s_b) / s_y', (scales[0] * scales[1]) / step, codes)];
  const [scale] = scales;
  const count = form?.is === 'mean' ? countOf(study) : null;
  if (count !== null) {
    const sums = (call: TensorCall) => {
      const mean = codes(call);
      return (i: number) => roundHalfEven(mean(i) * count);
    };
    if (scale === step) return [of('1 / n', 1 / count, sums)];
    return [of('s_x / (n * s_y)', scale / (count * step), sums), of('s_x / s_y', scale / step, codes)];
  }
  return form?.is === 'table'
    ? numbersOf(form, scale, step).map(([name, real]) => of(name, real, inUnits(value, real * step)))
    : [];
}

export const PRODUCTS: readonly string[] = ['mul', 'matmul'];

/** What a function's results are multiplied by, as integers compute it. */
function numbersOf({ integers }: RealForm, scale: number, step: number): [name: string, real: number][] {
  const { divisor = 1, degree = 0 } = integers ?? {};
  const [below, all] = divisor === 1 ? ['s_y', step] : [`(${divisor} * s_y)`, divisor * step];
  return [
    ...(divisor === 1 ? [] : [[`1 / ${divisor}`, 1 / divisor] as [string, number]]),
    ...(degree === 0
      ? []
      : [[`${Array(degree).fill('s_x').join(' * ')} / ${below}`, scale ** degree / all] as [string, number]]),
    ['1 / s_y', 1 / step],
    ...(divisor === 1 ? [] : [[`1 / ${below}`, 1 / all] as [string, number]]),
  ];
}

function inUnits(value: (call: TensorCall) => RealValue, unit: number): (call: TensorCall) => RealValue {
  return (call) => {
    const real = value(call);
    return (i) => real(i) / unit;
  };
}

function ofConversion(study: ElementwiseStudy): Factors<ElementwiseChange>[] {
  const { input, output } = study.declared.params;
  if (!isQuantized(input) || !isQuantized(output)) return [];
  return [
    {
      values: [viewOf(study, study.declared, study.sketch).acc],
      reals: [input.scale / output.scale],
      of: 's_x / s_y',
      with: ([number], round) => {
        const rescale: RescaleStep = {
          name: 'short',
          equation: `${round.equation}, v = d * ${number}`,
          numpy: null,
          prepare: () => (centred) => round.apply(centred * number),
        };
        return {
          cause: 'multiplier-short',
          coordinate: 'multiplier',
          freedom: FREEDOM.none,
          label: rescale.equation,
          apply: (setup) => withSteps(setup, { rescale }),
        };
      },
    },
  ];
}

function changeOf(
  study: Study,
  { values, reals, of, with: made }: Factors<Change>,
  { bits, numbers }: Form,
  round: RoundStep,
  tried: number,
): Change {
  const factors = numbers.map(numberOf);
  const left = numbersLeft(values, viewOf(study, study.declared, study.sketch));
  const errors = factors.map((own, n) => own / reals[n] - 1);
  const worst = furthestOf(errors);
  return {
    ...made(factors, round),
    ...believed(tried * chanceOf(left, factors, reals)),
    found: {
      ...numbers[worst],
      ...(reals.length > 1 && { input: worst }),
      of,
      multiplier: reals[worst],
      relative_error: errors[worst],
      bits,
      ...(round === downward && { rounds: 'down' as const }),
    },
  };
}
