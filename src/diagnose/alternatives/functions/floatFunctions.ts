/** What a layer of floats may compute in place of its own function: each value is as near as any library computes it. */
import { FUNCTIONS, realFormOf, realsOf } from '../../../kernels/reals.js';
import { fillReals } from '../../../kernels/steps/call.js';
import type { NumericArray } from '../../../nouns/array.js';
import type { Computed, TensorSteps } from '../../../nouns/kernel.js';
import { isQuantized } from '../../../nouns/value.js';
import { furthestOf } from '../../../numeric/extremes.js';
import { sameDims } from '../../../tensor/shape.js';
import type { TensorSetup } from '../../setup.js';
import type { Study, TensorStudy } from '../../study/study.js';
import { hasCases, hasCasesAmong } from '../cases.js';
import { slopedOf } from './lookups.js';

/** A part of the value, and beside it: what float32 leaves of a function in whatever library. */
const [SLACK, LEAST_SLACK] = [2 ** -21, 2 ** -24];
const EXAMPLES = [-3, -0.7, 0.3, 1.9];
/** What roundings of two float32 values leave of their ratio. */
const ROOM = 2 ** -22;
/** Fewer values are a number times others by chance. */
const FEWEST = 16;

/** Of so many values each function takes a tenth of a second and more, a row of millions seconds. */
const MOST_VALUES = 1 << 18;

/** Whether each of some dozen functions may be computed of what is looked at. */
export function mayTryFunctions({ free, subset }: TensorStudy): boolean {
  return free && subset.observed.length <= MOST_VALUES;
}

/** Other functions by their names; alone: those that stand in the op's place where nothing else explains. */
export function functionsOfFloats(study: TensorStudy, which: 'others' | 'alone'): [name: string, TensorSteps][] {
  if (!mayTryFunctions(study)) return [];
  const { attributes } = study.declared.params;
  const form = realFormOf(study.data.op);
  const isTable = form?.is === 'table';
  const asItIs = which === (isTable ? 'others' : 'alone') && isOneForOne(study) ? [itself()] : [];
  // of what is above 0 a ReLU is x itself, which says less
  if (isTable && which === 'alone') return [];
  const others = form?.picks?.(attributes) ? {} : (form?.[isTable ? 'alone' : which] ?? {});
  return [
    ...asItIs,
    ...(isTable ? ofOneValue(form.of?.(attributes)) : []),
    ...Object.entries(others).map(([name, value]): [string, TensorSteps] => [
      name,
      stepsOf(name, (call) => within(fillReals(call, value(call)), study.declared.steps.run(call))),
    ]),
  ];
}

/** Whether it makes a value of each. */
function isOneForOne({ data, declared }: TensorStudy): boolean {
  const { inputs, output } = data.whole!.ready.shapes;
  return inputs.length === 1 && !isQuantized(declared.params.inputs[0]) && sameDims(inputs[0].dims, output.dims);
}

function itself(): [name: string, TensorSteps] {
  return [ITSELF, ofEach(ITSELF, (x) => x)];
}

/** Of a layer that is left out. */
export const ITSELF = 'x itself';

/** Whether a setup leaves what is declared in so many values: what is as near to either tells nothing. */
export function departs(study: TensorStudy, setup: TensorSetup, fewest: number): boolean {
  const { data, low, high } = study.outputs(setup, study.subset);
  const declared = study.values(study.declared);
  const [least, most] = [low ?? data, high ?? data];
  return hasCasesAmong(study as Study, fewest, (i) => declared[i] < least[i] || declared[i] > most[i]);
}

/** Another slope below 0: by the value that is furthest from it. */
export function slopesOfFloats(study: TensorStudy): [name: string, TensorSteps][] {
  const { data, declared, subset } = study;
  const sloped = slopedOf(study);
  if (!sloped || !mayTryFunctions(study) || isQuantized(declared.params.output) || !hasCases(study as Study, FEWEST))
    return [];
  const x = subset.inputs[0].data;
  let least = 0;
  for (let i = 0; i < x.length; i++) if (x[i] < x[least]) least = i;
  const slope = subset.observed[least] / sloped.of(x[least]);
  if (!(x[least] < 0) || !Number.isFinite(slope)) return [];
  const own = declared.params.attributes as object;
  const field = data.op === 'leaky_relu' ? 'negativeSlope' : 'alpha';
  const apply = realFormOf(data.op)!.of!({ ...own, [field]: slope });
  const name = `${data.op} of ${plainest(slope, Math.abs(slope) * ROOM)}`;
  return [[name, ofEach(name, apply)]];
}

/** own: the op's own function, which is none. */
function ofOneValue(own: ((x: number) => number) | undefined): [name: string, TensorSteps][] {
  const isOwn = (apply: (x: number) => number) =>
    !own || EXAMPLES.every((x) => Math.abs(apply(x) - own(x)) <= SLACK * Math.abs(own(x)));
  return Object.entries(FUNCTIONS).flatMap(([name, apply]): [string, TensorSteps][] =>
    isOwn(apply) ? [] : [[name, ofEach(name, apply)]],
  );
}

/** A number that every declared value is multiplied with, or that is added: a constant of the file that is another. */
export interface FloatConstant {
  readonly times?: number;
  readonly plus?: number;
}

export function constantsOfFloats(study: TensorStudy): [FloatConstant, TensorSteps][] {
  const { observed } = study.subset;
  if (!mayTryFunctions(study) || isQuantized(study.declared.params.output) || !hasCases(study as Study, FEWEST))
    return [];
  const declared = study.values(study.declared);
  const [largest, smallest] = [furthestOf(declared), nearestOf(declared)];
  const [times, plus] = [observed[largest] / declared[largest], observed[smallest] - declared[smallest]];
  const timesText = plainest(times, Math.abs(times) * ROOM);
  const plusText = plainest(plus, Math.max(Math.abs(observed[smallest]), Math.abs(declared[smallest])) * ROOM);
  const made = (name: string, of: (v: number) => number): TensorSteps =>
    stepsOf(name, (call) => {
      const own = study.declared.steps.run(call);
      return within(Float32Array.from('low' in own ? own.data : own, of), own);
    });
  const isMeant = (number: number, without: number) => number !== without && Number.isFinite(number);
  return [
    ...(isMeant(times, 1) && times !== 0
      ? [[{ times: timesText }, made(`times ${timesText}`, (v) => v * times)] as [FloatConstant, TensorSteps]]
      : []),
    ...(isMeant(plus, 0)
      ? [[{ plus: plusText }, made(`plus ${plusText}`, (v) => v + plus)] as [FloatConstant, TensorSteps]]
      : []),
  ];
}

/** Of two float32 values: the plainest number that they leave. room: by how much it may be another. */
function plainest(number: number, room: number): number {
  const digits = [1, 2, 3, 4, 5].find((count) => Math.abs(Number(number.toPrecision(count)) - number) <= room);
  return Number(number.toPrecision(digits ?? 6));
}

/** The index of what is nearest to 0. */
function nearestOf(values: ArrayLike<number>): number {
  let nearest = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i]) < Math.abs(values[nearest])) nearest = i;
  return nearest;
}

function stepsOf(name: string, run: TensorSteps['run']): TensorSteps {
  return { kind: 'tensor', equation: `${name}, of floats`, run };
}

/** A function of each value by itself. */
function ofEach(name: string, apply: (x: number) => number): TensorSteps {
  return stepsOf(name, (call) => within(fillReals(call, realsOf(apply)(call))));
}

/** own: what is declared, and within what it is known. */
function within(data: Float32Array, own?: Computed): Computed {
  const open = own && 'low' in own ? (i: number) => own.high[i] - own.low[i] : () => 0;
  const off = (sign: number) =>
    Float32Array.from(data as NumericArray, (v, i) => v + sign * (Math.abs(v) * SLACK + LEAST_SLACK + open(i)));
  return { data, low: off(-1), high: off(1) };
}
