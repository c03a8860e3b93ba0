import { elementwiseSteps } from '../kernels/kernel.js';
import { kernels } from '../kernels/registry.js';
import type { NumericArray } from '../nouns/array.js';
import type { ElementwiseSteps, Kernel, QuantizeStep } from '../nouns/kernel.js';
import type { Layer, Producer } from '../nouns/model.js';
import type { DiagnosisReport } from '../nouns/report.js';
import type { ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { ulpDistance } from '../numeric/float.js';
import { countWhere } from './causes/count.js';
import type { CauseCode, CauseEvidence } from './evidence.js';
import { fixed } from './fixes.js';
import { enumeratedChanges, estimatedChanges } from './pointwiseChanges.js';
import { fixFor } from './sentences.js';
import { type CodeMap, FREEDOM } from './setup.js';
import type { Side } from './study.js';
import { unexplainedReport } from './unexplained.js';

export type PointwiseOp = 'relu' | 'relu6' | 'identity' | 'quantize' | 'dequantize';

/** By what the layer does, not by its name. */
export function pointwiseOpOf({ form }: Layer, steps: ElementwiseSteps): PointwiseOp {
  if (steps.quantize) return 'quantize';
  if (steps.dequantize) return 'dequantize';
  if (form?.kind !== 'elementwise' || !form.clamp) return 'identity';
  return form.clamp.upper === Number.POSITIVE_INFINITY ? 'relu' : 'relu6';
}

/** How a pointwise layer computes; a change moves one field. */
export interface PointwiseSetup {
  readonly op: PointwiseOp;
  readonly steps: ElementwiseSteps;
  readonly input: ValueParams;
  readonly output: ValueParams;
  readonly quantize: QuantizeStep | null;
  /** Where a ReLU clamps; none: not at all. */
  readonly relu: 'zero-point' | 'zero' | 'none';
  /** Whether relu6 clamps at 6. */
  readonly capped: boolean;
  readonly float64: boolean;
  readonly readX: CodeMap | null;
  readonly storeY: CodeMap | null;
}

export interface PointwiseChange {
  readonly causes: readonly CauseCode[];
  readonly freedom: number;
  readonly found?: CauseEvidence[CauseCode];
  apply(setup: PointwiseSetup): PointwiseSetup;
}

export interface PointwiseCase {
  readonly name: string;
  readonly op: PointwiseOp;
  readonly side: Side;
  readonly free: boolean;
  readonly kernel: Kernel;
  readonly steps: ElementwiseSteps;
  readonly producer: Producer;
  readonly input: ValueParams;
  readonly output: ValueParams;
  readonly mismatched: number;
  /** Values of all judged samples, of equal length; row-major [samples, features]. */
  readonly x: NumericArray;
  readonly y: NumericArray;
  readonly features: number;
  readonly firstSample: number;
  readonly shared: readonly PointwiseChange[];
}

/** Names what explains every differing value of a relu, relu6, identity, quantize or dequantize layer. */
export function diagnosePointwise(layer: PointwiseCase): {
  report: DiagnosisReport;
  changes: readonly PointwiseChange[];
} {
  const declared = declaredSetup(layer);
  const base = layer.shared.length > 0 && explainsAll(layer, withChanges(declared, layer.shared)) ? layer.shared : null;
  const best = base ? [base] : simplest(layer, declared);
  if (best.length > 0) return { report: explained(layer, declared, best), changes: best[0] };
  const rows = reordered(layer, declared);
  return { report: rows ?? unexplainedReport(layer.side, layer.mismatched, {}, basisOf(layer)), changes: [] };
}

export function declaredSetup({ op, steps, input, output }: PointwiseCase): PointwiseSetup {
  const relu = op === 'relu' || op === 'relu6' ? 'zero-point' : 'none';
  const common = { op, steps, input, output, quantize: steps.quantize, capped: op === 'relu6', float64: false };
  return { ...common, relu, readX: null, storeY: null };
}

/** The layer's function of one value. */
export function pointwiseFunction(setup: PointwiseSetup): (value: number) => number {
  const { readX, storeY } = setup;
  const core = coreFunction(setup);
  return (value) => {
    const computed = core(readX ? readX.apply(value) : value);
    return storeY ? storeY.apply(computed) : computed;
  };
}

function coreFunction(setup: PointwiseSetup): (value: number) => number {
  const { op, input, output, steps } = setup;
  if (op === 'quantize' && isQuantized(output)) return setup.quantize!.prepare(output);
  if (op === 'dequantize' && isQuantized(input)) {
    const { scale, zeroPoint } = input;
    return setup.float64 ? (code) => Math.fround((code - zeroPoint) * scale) : steps.dequantize!.prepare(input);
  }
  const zero = isQuantized(output) ? output.zeroPoint : 0;
  const lowest = isQuantized(output) ? output.quantMin : Number.NEGATIVE_INFINITY;
  const lo = setup.relu === 'none' ? lowest : Math.max(lowest, setup.relu === 'zero' ? 0 : zero);
  const top = isQuantized(output) ? output.quantMax : Number.POSITIVE_INFINITY;
  const hi = setup.capped ? Math.min(top, isQuantized(output) ? steps.bound.prepare(output)(6) : 6) : top;
  return (value) => Math.min(Math.max(value, lo), hi);
}

function withChanges(setup: PointwiseSetup, changes: readonly PointwiseChange[]): PointwiseSetup {
  return changes.reduce((changed, change) => change.apply(changed), setup);
}

function explainsAll({ x, y }: PointwiseCase, setup: PointwiseSetup): boolean {
  const apply = pointwiseFunction(setup);
  for (let i = 0; i < y.length; i++) if (!same(apply(x[i]), y[i])) return false;
  return true;
}

function same(a: number, b: number): boolean {
  return a === b || (!Number.isInteger(b) && ulpDistance(a, b) === 0) || (Number.isNaN(a) && Number.isNaN(b));
}

/** Singles, then pairs of different causes; all of the smallest size. */
function simplest(layer: PointwiseCase, declared: PointwiseSetup): (readonly PointwiseChange[])[] {
  const singles = [...enumeratedChanges(layer), ...estimatedChanges(layer, declared)];
  const found = singles.filter((change) => explainsAll(layer, change.apply(declared))).map((change) => [change]);
  const pairs =
    found.length > 0 || layer.mismatched < 3
      ? []
      : singles.flatMap((a, i) =>
          [...singles.slice(i + 1), ...estimatedChanges(layer, a.apply(declared))]
            .filter((b) => !b.causes.some((cause) => a.causes.includes(cause)))
            .map((b) => [a, b])
            .filter((pair) => explainsAll(layer, withChanges(declared, pair))),
        );
  const all: PointwiseChange[][] = [...found, ...pairs];
  const rank = (changes: readonly PointwiseChange[]) =>
    namesOf(changes).length * 100 + Math.max(...changes.map((change) => change.freedom));
  const best = Math.min(...all.map(rank));
  return all.filter((changes) => rank(changes) === best);
}

function namesOf(changes: readonly PointwiseChange[]): CauseCode[] {
  return [...new Set(changes.flatMap((change) => change.causes))];
}

function explained(
  layer: PointwiseCase,
  declared: PointwiseSetup,
  best: readonly (readonly PointwiseChange[])[],
): DiagnosisReport {
  const names = namesOf(best[0]);
  const evidence = Object.fromEntries(
    best[0].flatMap((change) =>
      change.causes.map((cause) => [cause, { ...evidenceOf(layer, declared, change), ...change.found }]),
    ),
  );
  const others = new Map(best.slice(1).map((changes) => [namesOf(changes).join('+'), namesOf(changes)]));
  others.delete(names.join('+'));
  const subject =
    layer.side === 'candidate' ? 'candidate' : names.every((name) => !OF_THE_FILE.has(name)) ? 'capture' : 'model';
  const explainedBy = layer.op === 'quantize' ? quantizingKernels(layer, declared, best[0]) : [layer.kernel.name];
  const context = {
    layer: layer.name,
    op: layer.op,
    subject,
    declaredKernel: layer.kernel.name,
    foundKernel: explainedBy.includes(layer.kernel.name) ? layer.kernel.name : (explainedBy[0] ?? null),
    explainedBy,
    evidence,
    producer: layer.producer,
    dynamic: false,
    quantizes: layer.op === 'quantize',
  } as const;
  return {
    causes: names,
    subject,
    kernel: context.foundKernel,
    explained: layer.mismatched,
    of: layer.mismatched,
    lost: 0,
    explained_by: explainedBy,
    indistinguishable: [...others.values()].map((causes) => ({ causes, kernel: null })),
    evidence: { ...evidence, basis: basisOf(layer) },
    ...fixed(subject, fixFor(names, context), layer.side === 'candidate' ? null : { mismatched_after_fix: 0 }),
  };
}

function basisOf({ y, features }: PointwiseCase) {
  return { samples: y.length / features };
}

/** Numbers of the file; every other change is in how or where the values were taken. */
const OF_THE_FILE: ReadonlySet<string> = new Set<CauseCode>([
  'output-scale-wrong',
  'output-zero-point-wrong',
  'input-scale-wrong',
  'activation-zero-point-missing',
  'signedness',
  'clamp-range',
]);

function quantizingKernels(
  layer: PointwiseCase,
  declared: PointwiseSetup,
  changes: readonly PointwiseChange[],
): string[] {
  const setup = withChanges(declared, changes);
  const parameters = changes.some((change) => change.freedom > 0) ? setup : declared;
  return kernels
    .filter((kernel) => {
      const quantize = elementwiseSteps(kernel, 'quantize')?.quantize ?? null;
      return quantize && explainsAll(layer, { ...parameters, readX: setup.readX, storeY: setup.storeY, quantize });
    })
    .map(({ name }) => name);
}

/** The first value that the change sets right, and ReLU's counts. */
function evidenceOf(layer: PointwiseCase, declared: PointwiseSetup, change: PointwiseChange): object {
  const { x, y, features, firstSample, output } = layer;
  const before = pointwiseFunction(declared);
  const i = y.findIndex((value: number, at: number) => !same(before(x[at]), value));
  const zeroPoint = isQuantized(output) ? output.zeroPoint : 0;
  const deciding = {
    sample: firstSample + Math.floor(i / features),
    channel: i % features,
    declared: before(x[i]),
    observed: y[i],
  };
  const [cause] = change.causes;
  if (cause === 'relu-at-zero') {
    return { zero_point: zeroPoint, between: countWhere(y, (v) => v >= 0 && v < zeroPoint), deciding };
  }
  if (cause === 'capture-before-relu') {
    return { zero_point: zeroPoint, below_zero_point: countWhere(y, (v) => v < zeroPoint) };
  }
  if (cause === 'capture-after-relu') {
    return {
      zero_point: zeroPoint,
      at_zero_point: countWhere(y, (v) => v === zeroPoint),
      replayed_below: countWhere(y, (v, at) => v === zeroPoint && before(x[at]) < zeroPoint),
    };
  }
  return cause.startsWith('rounding') || cause === 'zero-point-before-rounding' || cause === 'multiplier-precision'
    ? { deciding }
    : {};
}

/** Rows in another order: the same multiset of rows. */
function reordered(layer: PointwiseCase, declared: PointwiseSetup): DiagnosisReport | null {
  const { x, y, features } = layer;
  const rows = y.length / features;
  const apply = pointwiseFunction(declared);
  const text = (values: NumericArray, row: number) =>
    Array.from(values.subarray(row * features, (row + 1) * features)).join(',');
  const replayed = Float64Array.from(x, apply);
  const places = new Map<string, number[]>();
  const order = new Array<number>(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    if (text(replayed, row) === text(y, row)) order[row] = row;
    else {
      const key = text(replayed, row);
      places.set(key, [...(places.get(key) ?? []), row]);
    }
  }
  let moved = 0;
  for (let row = 0; row < rows; row++) {
    if (order[row] >= 0) continue;
    const from = places.get(text(y, row))?.shift();
    if (from === undefined) return null;
    order[row] = from;
    moved++;
  }
  if (moved < 2) return null;
  const shift = (order[0] + rows) % rows;
  const rotated = order.every((from, row) => from === (row + shift) % rows);
  const found = { ...(rotated ? { shift: shift > rows / 2 ? shift - rows : shift } : { permutation: order }), moved };
  const change: PointwiseChange = {
    causes: ['samples-misaligned'],
    freedom: FREEDOM.none,
    found,
    apply: (setup) => setup,
  };
  return explained(layer, declared, [[change]]);
}
