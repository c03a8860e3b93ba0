import { clampOfCodes } from '../../kernels/steps/activation.js';
import type { NumericArray } from '../../nouns/array.js';
import type { TensorValue } from '../../nouns/kernel.js';
import type { TensorLayer } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { type Bytes, emptyLike, float32s, int32s, isBytes, lookedUp } from '../../numeric/array.js';
import { clamp } from '../../numeric/integer.js';
import { opByName } from '../../ops/named.js';
import { batchOf } from '../../replay/calls.js';
import type { Replayed } from '../../replay/replayed.js';
import { replayTensor } from '../../replay/tensor.js';
import { sizeOf } from '../../tensor/shape.js';
import type { TensorSetup } from '../setup.js';
import { firstMissOf } from './agree.js';
import { runsOf } from './arrays.js';
import type { Outputs, Scope } from './data.js';
import type { Engine } from './engine.js';
import type { TensorContext } from './tensorContext.js';
import { COST, type Work } from './work.js';

/** Values of which the first are computed by themselves, and how many these are. */
const [MANY, FIRST] = [1 << 16, 1 << 12];

/** Whole values, sample by sample in the call that each belongs to: a row is a sample, and a channel one of its features. */
export class TensorEngine implements Engine<TensorSetup> {
  readonly wholeScopes = false;

  /** What a value takes, of a matrix or a window more than of what is computed of one. */
  private readonly ofValue: number;

  constructor(
    private readonly context: TensorContext,
    private readonly work?: Work,
  ) {
    const { layer, shapes } = context.ready;
    const terms = opByName(layer.op)?.terms?.(shapes.inputs, layer.form!) ?? 0;
    this.ofValue = COST.value + terms * COST.term;
  }

  outputs(setup: TensorSetup, scope: Scope): Outputs {
    const { length } = scope.observed;
    this.work?.add(length * this.ofValue + this.callsOf(scope) * (COST.call + scope.inputs.length * COST.input));
    return this.computed(setup, scope);
  }

  private computed(setup: TensorSetup, scope: Scope, most?: number): Outputs {
    const { length } = scope.observed;
    const runs = runsOf(scope.samples);
    const [{ stores }, only] = [setup, runs.length === 1];
    // of one run there is nothing to be joined: a row may have millions of values
    let data: Outputs['data'] = isQuantized(setup.params.output)
      ? new Int32Array(only ? 0 : length)
      : new Float32Array(only ? 0 : length);
    let bounds: { low: NumericArray; high: NumericArray } | null = null;
    const inputs = scope.inputs.map(({ data: values }, i) => {
      const read = setup.reads[i];
      return read ? applied(values, read.apply) : values;
    });
    let row = 0;
    for (const [from, to] of runs) {
      const given = inputs.map((values, i) => rows(values, scope.inputs[i].cols, row, to - from));
      const part = this.clamped(setup, this.replay(setup, given, from, most));
      const at = (row * length) / scope.samples.length;
      if (only) {
        data = part.data;
        bounds = part.low && part.high && { low: part.low, high: part.high };
        break;
      }
      data.set(part.data, at);
      if (part.low && part.high) {
        bounds ??= { low: data.slice(), high: data.slice() };
        bounds.low.set(part.low, at);
        bounds.high.set(part.high, at);
      } else if (bounds) {
        bounds.low.set(part.data, at);
        bounds.high.set(part.data, at);
      }
      row += to - from;
    }
    if (stores) return { data: applied(data, stores.apply), low: null, high: null };
    return { data, low: bounds?.low ?? null, high: bounds?.high ?? null };
  }

  /** A kernel takes fields that it has no steps for as others: what comes of that is no other reading of the layer. */
  mayFollow({ steps, params: { attributes } }: TensorSetup): boolean {
    return !steps.lacks?.({ attributes, activation: 'none' });
  }

  /** Of many values the first ones are asked for by themselves, where the steps can: at them most hypotheses fail. */
  firstMiss(setup: TensorSetup, scope: Scope): number {
    const { observed } = scope;
    if (setup.steps.inOrder && observed.length > MANY && this.callsOf(scope) === 1) {
      const miss = firstMissOf(this.computed(setup, scope, FIRST), observed.subarray(0, FIRST));
      if (miss >= 0) return miss;
    }
    return firstMissOf(this.outputs(setup, scope), scope.observed);
  }

  forget(): void {}

  private callsOf({ samples }: Scope): number {
    const { ends } = this.context.inCalls;
    const calls = runsOf(samples).map(([from, to]) => batchOf(ends, to - 1) - batchOf(ends, from) + 1);
    return calls.reduce((sum, own) => sum + own, 0);
  }

  /** A kernel that leaves no range clamps nothing: to narrower bounds than declared what it gives is. */
  private clamped(
    { params: { output, activation } }: TensorSetup,
    replayed: Replayed,
  ): Pick<Replayed, 'data' | 'low' | 'high'> {
    const { output: own, form } = this.context.ready.layer as TensorLayer;
    if (!isQuantized(output))
      return activation === 'relu' && form.activation !== 'relu' ? positive(replayed) : replayed;
    if (!own || !isQuantized(own)) return replayed;
    const inCodes = activation === 'relu' || activation === form.activation ? activation : 'none';
    const [lo, hi] = clampOfCodes(inCodes, output, null);
    const isNarrower = lo > own.quantMin || hi < own.quantMax || inCodes !== form.activation;
    if (!isNarrower) return replayed;
    const within = (codes: NumericArray) => applied(codes, (code) => clamp(code, lo, hi));
    const { data, low, high } = replayed;
    return { data: within(data), low: low && within(low), high: high && within(high) };
  }

  private replay(
    { steps, params }: TensorSetup,
    inputs: readonly TensorValue['data'][],
    firstSample: number,
    most?: number,
  ) {
    const { ready, inCalls } = this.context;
    const { attributes, activation, output, everywhere } = params;
    const own = ready.layer as TensorLayer;
    const layer = { ...own, form: { ...own.form, attributes, activation }, output };
    const samples = inputs.map((data, i) => {
      const cols = sizeOf(ready.shapes.inputs[i].dims);
      return { rows: data.length / cols, cols, data };
    });
    const facts = { ...inCalls, firstSample, ...(everywhere && { everywhere }), ...(most && { most }) };
    return replayTensor(steps, layer, { ...ready, inputs: params.inputs }, samples, facts);
  }
}

/** Floats behind a ReLU that their steps know nothing of. */
function positive({ data, low, high }: Pick<Replayed, 'data' | 'low' | 'high'>) {
  const above = (values: NumericArray) => float32s(values, (v) => Math.max(v, 0));
  return { data: float32s(data, (v) => Math.max(v, 0)), low: low && above(low), high: high && above(high) };
}

/** Of codes of 8 bits each is computed once; bytes where all are. */
function applied(codes: NumericArray, apply: (code: number) => number): Int32Array | Bytes {
  if (!isBytes(codes)) return int32s(codes, apply);
  const least = codes instanceof Int8Array ? -128 : 0;
  const table = Int32Array.from({ length: 256 }, (_, bits) => apply(((bits - least) & 255) + least));
  const bytes = emptyLike(codes, 256);
  bytes.set(table);
  return lookedUp(codes, bytes.every((code, i) => code === table[i]) ? bytes : table);
}

function rows(values: NumericArray, cols: number, from: number, count: number): NumericArray {
  return values.subarray(from * cols, (from + count) * cols);
}
