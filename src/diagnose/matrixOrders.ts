/** Orders along k of a matrix's weights, as a rule that a person would write. */
import type { Product } from '../nouns/kernel.js';
import { viewOf } from './estimate/view.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from './setup.js';
import type { ProductStudy } from './study/study.js';

/** Values on which an order is tried before it is replayed. */
const TRIED = 24;
/** Half a step of rounding, one of another rule. */
const REACH = 1.01;
/** Multiply-adds for shifts by ever more places. */
const MOST_EFFORT = 1e8;

/** Where weight [out, k] is taken from, in the declared matrix; -1: nowhere. */
type Order = (out: number, k: number) => number;
type Named = readonly [order: string, of: 'weights' | 'input', from: Order];

/** The orders that give some values of the sketch, nearly. */
export function matrixOrders(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { params } = study.declared;
  if (base.params.weight !== params.weight || params.inFeatures < 2) return [];
  const fits = mayFit(study, base);
  return ordersOf(params)
    .filter(([, , from]) => fits(from))
    .map(([order, of, from]) => change(params, order, of, from));
}

function ordersOf({ inFeatures: inputs, outFeatures: outputs }: Product): Named[] {
  const row = (out: number) => out * inputs;
  const memory: Named[] =
    inputs === outputs
      ? []
      : [
          ['[in, out] memory read as [out, in]', 'weights', (n, k) => at(n * inputs + k, outputs, inputs)],
          ['[out, in] memory read as [in, out]', 'weights', (n, k) => k * outputs + n],
        ];
  const sides = Array.from({ length: Math.max(0, inputs - 3) }, (_, i) => i + 2).filter((side) => inputs % side === 0);
  const planes = sides
    .filter((side) => side < inputs)
    .map((a): Named => {
      const b = inputs / a;
      return [
        `k = (a, b) of ${a} x ${b} taken as (b, a): HWC for CHW or the reverse`,
        'weights',
        (n, k) => row(n) + (k % b) * a + Math.floor(k / b),
      ];
    });
  return [...memory, ['reversed along k', 'weights', (n, k) => row(n) + inputs - 1 - k], ...planes, ...shifts(inputs)];
}

/** Place i of the transpose's memory, [inputs, outputs], in the declared matrix. */
function at(i: number, outputs: number, inputs: number): number {
  return (i % outputs) * inputs + Math.floor(i / outputs);
}

/** The input by n places early or late, with nothing before it, or with its end. */
function shifts(inputs: number): Named[] {
  const most = Math.min(inputs - 1, Math.max(16, Math.floor(MOST_EFFORT / (TRIED * inputs * 4))));
  return Array.from({ length: most }, (_, i) => i + 1).flatMap((n) =>
    [n, -n].flatMap((by): Named[] => [
      [`shifted by ${by}`, 'input', (out, k) => (k + by >= 0 && k + by < inputs ? out * inputs + k + by : -1)],
      [`rotated by ${by}`, 'input', (out, k) => out * inputs + ((k + by + inputs) % inputs)],
    ]),
  );
}

function zeroPointOf({ weightZeroPoint }: Product, out: number): number {
  return weightZeroPoint[weightZeroPoint.length > 1 ? out : 0];
}

function mayFit(study: ProductStudy, base: ProductSetup): (from: Order) => boolean {
  const scope = study.sketch;
  const view = viewOf(study, base, scope);
  const codes = study.engine.codes(base, scope);
  const zeroPoint = base.params.input.zeroPoint;
  const { weight, inFeatures } = base.params;
  const all = [...view.acc.keys()].filter((i) => Number.isFinite(view.lo[i]) && Number.isFinite(view.hi[i]));
  const stride = Math.max(1, Math.floor(all.length / TRIED));
  const tried = all.filter((_, i) => i % stride === 0);
  return (from) =>
    tried.length > 8 &&
    tried.every((i) => {
      const [row, n] = [Math.floor(i / view.channels), i % view.channels];
      const own = zeroPointOf(base.params, n);
      let sum = 0;
      for (let k = 0; k < inFeatures; k++) {
        const index = from(n, k);
        if (index >= 0) sum += (codes.data[row * codes.cols + k] - zeroPoint) * (weight[index] - own);
      }
      const v = sum * view.stepsPerUnit[n] + view.biasSteps[n];
      return v > view.lo[i] - REACH && v < view.hi[i] + REACH;
    });
}

function change(params: Product, order: string, of: 'weights' | 'input', from: Order): ProductChange {
  const { weight, inFeatures } = params;
  let taken: Product['weight'] | null = null;
  return {
    cause: 'k-order',
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label: order,
    found: { of, order, matrix: true },
    apply: (setup) => {
      taken ??= weight.map((_, i) => {
        const out = Math.floor(i / inFeatures);
        const index = from(out, i % inFeatures);
        return index < 0 ? zeroPointOf(params, out) : weight[index];
      });
      return withParams(setup, { weight: taken });
    },
  };
}
