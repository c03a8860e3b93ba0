/** Multipliers of few bits where whole values are added or multiplied: of each input, or of the product. */
import type { RealValue } from '../kernels/realForm.js';
import { clampOfCodes } from '../kernels/steps/activation.js';
import { fill, quantized } from '../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../kernels/steps/quantize.js';
import { downward, halfEven, halfUp } from '../kernels/steps/round.js';
import type { RoundStep, TensorCall, TensorSteps } from '../nouns/kernel.js';
import { isQuantized } from '../nouns/value.js';
import { clamp } from '../numeric/integer.js';
import { sizeOf } from '../tensor/shape.js';
import { viewOf } from './estimate/view.js';
import type { TensorChange, TensorSetup } from './setup.js';
import { MOST_BITS, numberIn, numberOf, roundsOf, type Short } from './shortMultiplier.js';
import type { TensorStudy } from './study/study.js';
import { formOf, inSteps, stepsChange } from './tensorSteps.js';

/** In steps: what a double may be off by. */
const SLACK = 1e-6;
const FEWEST = 3;

/** What is multiplied, in codes less their zero points, and by what. */
interface Factors {
  readonly terms: (call: TensorCall) => readonly RealValue[];
  readonly reals: readonly number[];
  readonly of: string;
}

function factorsOf(study: TensorStudy): Factors | null {
  const { inputs, output } = study.declared.params;
  const { value, terms } = formOf(study) ?? {};
  if (!value || !isQuantized(output) || !inputs.every(isQuantized)) return null;
  const scales = inputs.filter(isQuantized).map(({ scale }) => scale);
  if (terms) {
    return { terms: (call) => terms(inSteps(call)), reals: scales.map((own) => own / output.scale), of: 's_x / s_y' };
  }
  if (study.data.op !== 'mul') return null;
  const real = scales.reduce((product, own) => product * own, 1) / output.scale;
  return { terms: (call) => [value(inSteps(call))], reals: [real], of: '(s_a * s_b) / s_y' };
}

/** So many differing values tell how many bits, where they are more than these. */
const [FEW_BITS, MANY_VALUES] = [8, 16];

/** Forms of few bits that give what is observed, where the real numbers do not, and the values tell which. */
export function toldShortFactors(study: TensorStudy): TensorChange[] {
  const isTold = study.data.mismatched >= MANY_VALUES;
  return shortFactors(study).filter(({ rare }) => isTold || !rare);
}

export function shortFactors(study: TensorStudy): TensorChange[] {
  const factors = factorsOf(study);
  if (!factors || study.data.mismatched < FEWEST) return [];
  const { reals } = factors;
  const fits = fitting(study, factors);
  if (fits(reals, halfEven)) return [];
  return shortForms(reals).flatMap(({ bits, numbers }) =>
    [halfEven, halfUp, downward]
      .filter((round) => fits(numbers.map(numberOf), round))
      .map((round) => changeOf(factors, bits, numbers, round)),
  );
}

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
      for (const oneShift of [null, top]) {
        const numbers = reals.map((real) => numberIn(real, bits, round, oneShift));
        const key = numbers.map(numberOf).join();
        if (!forms.has(key)) forms.set(key, { bits, numbers });
      }
    }
  }
  return [...forms.values()];
}

/** Whether multipliers give every value of the sketch. */
function fitting(study: TensorStudy, { terms, reals }: Factors) {
  const scope = study.sketch;
  const values = reals.map((_, n) => {
    const run: TensorSteps['run'] = (call) => {
      const term = terms(call)[n];
      return Float32Array.from({ length: call.samples * sizeOf(call.output.shape.dims) }, (_, i) => term(i));
    };
    const { declared } = study;
    const setup: TensorSetup = {
      ...declared,
      steps: { kind: 'tensor', equation: 'term', run },
      params: { ...declared.params, output: { dtype: 'float32' } },
      stores: null,
    };
    return study.engine.outputs(setup, scope).data;
  });
  const { lo, hi } = viewOf(study, study.declared, scope);
  return (factors: readonly number[], round: RoundStep) => {
    // floor gives what lies up to a step above
    const more = round === downward ? 0.5 : 0;
    for (let i = 0; i < lo.length; i++) {
      const v = values.reduce((sum, term, n) => sum + term[i] * factors[n], -more);
      if (v < lo[i] - SLACK || v > hi[i] + SLACK) return false;
    }
    return true;
  };
}

function changeOf({ terms, reals, of }: Factors, bits: number, numbers: readonly Short[], round: RoundStep) {
  const factors = numbers.map(numberOf);
  const steps: TensorSteps = {
    kind: 'tensor',
    equation: `${round.equation} of ${numbers.map(({ k, n }, i) => `d${i} * ${k} * 2^-${n}`).join(' + ')}, then + zp`,
    run(call) {
      const output = quantized(call.output);
      const all = terms(call);
      const [lo, hi] = clampOfCodes(call.activation, output, quantizeTwoRoundings);
      const v = (i: number) => all.reduce((sum, term, n) => sum + term(i) * factors[n], 0);
      return fill(call, (i) => clamp(round.apply(v(i)) + output.zeroPoint, lo, hi));
    },
  };
  const errors = factors.map((own, n) => own / reals[n] - 1);
  const input = errors.reduce((worst, e, n) => (Math.abs(e) > Math.abs(errors[worst]) ? n : worst), 0);
  const found = {
    ...numbers[input],
    input,
    of,
    multiplier: reals[input],
    relative_error: errors[input],
    bits,
    ...(round === downward && { rounds: 'down' as const }),
  };
  return stepsChange('multiplier-short', 'multiplier', steps, found, bits > FEW_BITS);
}
