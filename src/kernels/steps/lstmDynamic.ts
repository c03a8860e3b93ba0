/**
 * ONNX Runtime's DynamicQuantizeLSTM: what each product reads is quantized by its own range, all steps of the input at once and the
 * hidden state at every step; gates, cells and states are float32. Source: core/providers/cpu/rnn (uni_directional_lstm.cc,
 * rnn_helpers.cc), mlas; x86.
 */
import type { NamedArrays } from '../../nouns/array.js';
import type { DynamicLstmAttributes } from '../../nouns/attributes.js';
import type { AccumulateStep, DynamicStep, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { Shape } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { mlasLogistic, mlasTanh } from '../../numeric/mlas.js';
import { quantizedRows, realSums, type ScaledWeights, scaledWeights } from './codeSums.js';
import { tensorSteps } from './tensor.js';

/** Steps and sequences of a call. */
interface Extents {
  readonly time: number;
  readonly batch: number;
}

interface Direction {
  readonly input: ScaledWeights;
  readonly recurrent: ScaledWeights;
  /** [4 cells], both biases added; null: none. */
  readonly bias: Float32Array | null;
  /** [3 cells]: gates i, o, f. */
  readonly peephole: Float32Array | null;
}

/** Of [batch, cells] each. */
interface States {
  readonly hidden: Float32Array;
  readonly cell: Float32Array;
}

/** From this many sequences on, or of few cells from two on, they are computed by threads, each with a range of its own. */
const BY_THREADS = 5;
const FEW_CELLS = 256;

function extentsOf({ timeMajor }: DynamicLstmAttributes, samples: number, { dims: [other] }: Shape): Extents {
  return timeMajor ? { time: samples, batch: other } : { time: other, batch: samples };
}

/** How many sequences take their range together. */
function togetherOf({ cells }: DynamicLstmAttributes, { batch }: Extents, threads: number): number {
  const isParallel = batch >= BY_THREADS || (batch >= 2 && cells <= FEW_CELLS);
  return isParallel ? Math.ceil(batch / threads) : batch;
}

/** sums: what its products are, where another kernel's are not. */
export function lstmDynamicOf(sums: string, accumulate: AccumulateStep, dynamic: DynamicStep): TensorSteps {
  const run = (call: TensorCall) => new Lstm(call as TensorCall<DynamicLstmAttributes>, accumulate, dynamic).run();
  const steps = tensorSteps(
    `gates of f32(wx + wh) + b, each product of codes quantized by its own range (wx: of a call, wh: of a step) in ${sums}, MLAS sigmoid and tanh in float32`,
    run,
  );
  // the kernels that have it differ in their sums alone
  return { ...steps, departure: 'int16-saturation', shareOf, ofX86: true };
}

const shareOf: NonNullable<TensorSteps['shareOf']> = ({ attributes }, samples, shape, threads) => {
  const own = attributes as DynamicLstmAttributes;
  const extents = extentsOf(own, samples, shape);
  // of one cell the range is the value itself, which its code then is exactly
  return own.cells === 1 ? extents.batch : togetherOf(own, extents, threads);
};

class Lstm {
  private readonly extents: Extents;
  private readonly together: number;
  private readonly logistic: (x: number) => number;
  private readonly tanh: (x: number) => number;

  constructor(
    private readonly call: TensorCall<DynamicLstmAttributes>,
    private readonly accumulate: AccumulateStep,
    private readonly dynamic: DynamicStep,
  ) {
    const { attributes, samples, inputs, threads, host } = call;
    this.extents = extentsOf(attributes, samples, inputs[0].shape);
    this.together = togetherOf(attributes, this.extents, threads);
    const hasFma = host.cpu !== 'sse';
    this.logistic = (x) => mlasLogistic(x, hasFma);
    this.tanh = (x) => mlasTanh(x, hasFma);
  }

  run(): Float32Array {
    const { cells, directions, gives, timeMajor } = this.call.attributes;
    const { time, batch } = this.extents;
    const size = directions * cells;
    const output = new Float32Array(batch * size * (gives === 'steps' ? time : 1));
    for (let direction = 0; direction < directions; direction++) {
      const last = this.steps(direction, (step, hidden) => {
        if (gives !== 'steps') return;
        for (let b = 0; b < batch; b++) {
          const at = timeMajor
            ? (step * directions + direction) * batch + b
            : (b * time + step) * directions + direction;
          output.set(hidden.subarray(b * cells, (b + 1) * cells), at * cells);
        }
      });
      for (let b = 0; gives !== 'steps' && b < batch; b++)
        output.set(last[gives].subarray(b * cells, (b + 1) * cells), b * size + direction * cells);
    }
    return output;
  }

  /** All steps of a direction; each: what a step leaves. */
  private steps(index: number, each: (step: number, hidden: Float32Array) => void): States {
    const { attributes, arrays } = this.call;
    const { cells, isReversed } = attributes;
    const { time, batch } = this.extents;
    const own = directionsOf(arrays!, attributes)[index];
    const sums = this.inputSums(own.input);
    const states = { hidden: this.begin(index, 1), cell: this.begin(index, 2) };
    for (let t = 0; t < time; t++) {
      const step = index === 1 || isReversed ? time - 1 - t : t;
      const gates = sums.subarray(step * batch * 4 * cells, (step + 1) * batch * 4 * cells);
      for (let b = 0; b < batch; b += this.together) {
        const count = Math.min(this.together, batch - b);
        this.add(states.hidden.subarray(b * cells, (b + count) * cells), own.recurrent, gates, b);
      }
      for (let b = 0; b < batch; b++) this.cells(own, gates.subarray(b * 4 * cells, (b + 1) * 4 * cells), states, b);
      each(step, states.hidden);
    }
    return states;
  }

  /** Of all steps, [time, batch, 4 cells]: their codes have one range. */
  private inputSums(weights: ScaledWeights): Float32Array {
    const { attributes, inputs } = this.call;
    const { time, batch } = this.extents;
    const { inputs: size, cells, timeMajor } = attributes;
    const given = inputs[0].data as Float32Array;
    const rows = new Float32Array(given.length);
    for (let step = 0; step < time; step++)
      for (let b = 0; b < batch; b++) {
        const from = (timeMajor ? step * batch + b : b * time + step) * size;
        rows.set(given.subarray(from, from + size), (step * batch + b) * size);
      }
    const sums = new Float32Array(time * batch * 4 * cells);
    this.add(rows, weights, sums, 0);
    return sums;
  }

  /** What the products of these rows give is added to rows of `sums` from `first` on. */
  private add(rows: Float32Array, weights: ScaledWeights, sums: Float32Array, first: number): void {
    const { data, input } = quantizedRows(rows, this.dynamic);
    const own = realSums(data, input, weights, this.accumulate);
    const at = first * weights.product.outFeatures;
    for (let i = 0; i < own.length; i++) sums[at + i] = f32(sums[at + i] + own[i]);
  }

  /** One step of one sequence; gates: its sums, i, o, f, c. */
  private cells({ bias, peephole }: Direction, gates: Float32Array, { hidden, cell }: States, sequence: number): void {
    const { cells, inputForget, clip } = this.call.attributes;
    const most = clip === null ? Infinity : f32(clip);
    for (let n = 0; n < cells; n++) {
      const at = sequence * cells + n;
      const sumOf = (gate: number) => {
        const sum = f32(
          gates[gate * cells + n] + (peephole && gate < 3 ? f32(cell[at] * peephole[gate * cells + n]) : 0),
        );
        return clamp(f32(sum + (bias ? bias[gate * cells + n] : 0)), -most, most);
      };
      const input = this.logistic(sumOf(0));
      const forget = inputForget ? f32(1 - input) : this.logistic(sumOf(2));
      const candidate = this.tanh(sumOf(3));
      cell[at] = f32(f32(cell[at] * forget) + f32(input * candidate));
      hidden[at] = f32(this.tanh(cell[at]) * this.logistic(sumOf(1)));
    }
  }

  /** The state that a call is given, or zeros. input: which it is. */
  private begin(direction: number, input: 1 | 2): Float32Array {
    const { attributes, inputs } = this.call;
    const { cells, directions } = attributes;
    const { batch } = this.extents;
    const state = new Float32Array(batch * cells);
    const given = inputs.at(input)?.data as Float32Array | undefined;
    for (let b = 0; given && b < batch; b++) {
      const from = (b * directions + direction) * cells;
      state.set(given.subarray(from, from + cells), b * cells);
    }
    return state;
  }
}

const known = new WeakMap<NamedArrays, readonly Direction[]>();

function directionsOf(arrays: NamedArrays, attributes: DynamicLstmAttributes): readonly Direction[] {
  const made =
    known.get(arrays) ?? Array.from({ length: attributes.directions }, (_, i) => directionOf(arrays, attributes, i));
  known.set(arrays, made);
  return made;
}

function directionOf(
  arrays: NamedArrays,
  { inputs, cells, directions }: DynamicLstmAttributes,
  index: number,
): Direction {
  const part = (name: string) => {
    const all = arrays[name];
    const size = all ? all.length / directions : 0;
    return all?.subarray(index * size, (index + 1) * size);
  };
  const weightsOf = (name: 'weight' | 'recurrent', rows: number): ScaledWeights => {
    const [codes, scale, zeroPoint] = [part(name)!, part(`${name}.scale`) as Float32Array, part(`${name}.zero_point`)!];
    return scaledWeights(codes, [rows, 4 * cells], scale, zeroPoint.subarray(0, 1)); // the runtime refuses several
  };
  const bias = part('bias') as Float32Array | undefined;
  return {
    input: weightsOf('weight', inputs),
    recurrent: weightsOf('recurrent', cells),
    bias: bias ? bias.subarray(0, 4 * cells).map((own, i) => f32(own + bias[4 * cells + i])) : null,
    peephole: (part('peephole') as Float32Array | undefined) ?? null,
  };
}
