/** What of a line's values becomes one, in real numbers: deviations and norms, and what is taken for them. */
import type { TensorCall } from '../nouns/kernel.js';
import type { RealForm, RealValue } from './realForm.js';
import { linesOf } from './steps/lines.js';

type Folded = (line: readonly number[]) => number;

const folded = (of: Folded) => (call: TensorCall) => {
  const lineOf = linesOf(call);
  return ((i) => of(lineOf(i))) satisfies RealValue;
};

const averageOf = (line: readonly number[], of: (x: number) => number) =>
  line.reduce((sum, x) => sum + of(x), 0) / line.length;
const squares: Folded = (line) => averageOf(line, (x) => x * x);
const variance =
  (correction: number): Folded =>
  (line) => {
    const mean = averageOf(line, (x) => x);
    return (averageOf(line, (x) => (x - mean) ** 2) * line.length) / (line.length - correction);
  };
const rootOf =
  (of: Folded): Folded =>
  (line) =>
    Math.sqrt(of(line));

const BOTH = [0, 1];
const overText = (correction: number) => (correction === 0 ? 'n' : 'n - 1');

/** name: of the other of the two, by either count. */
function spreadForm(
  name: string,
  of: (correction: number) => Folded,
  others: Readonly<Record<string, Folded>>,
): RealForm {
  const asOther = BOTH.map((correction) => [`${name} over ${overText(correction)}`, of(correction)] as const);
  const all = [...asOther, ...Object.entries(others)];
  return { alone: Object.fromEntries(all.map(([own, line]) => [own, folded(line)])) };
}

export const spreads: Readonly<Record<'var' | 'std', RealForm>> = {
  var: spreadForm('std', (correction) => rootOf(variance(correction)), { 'mean of x * x': squares }),
  std: spreadForm('var', variance, {
    'sqrt(mean of x * x)': rootOf(squares),
    'mean of |x - mean|': (line) => {
      const mean = averageOf(line, (x) => x);
      return averageOf(line, (x) => Math.abs(x - mean));
    },
  }),
};

export const vectorNorm: RealForm = {
  alone: {
    'sum of |x|': folded((line) => line.reduce((sum, x) => sum + Math.abs(x), 0)),
    'sum of x * x': folded((line) => squares(line) * line.length),
    'largest |x|': folded((line) => line.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0)),
  },
};
