/** Operators that keep a state in tensors marked as variables: what they are on integers. Their first input is their only value. */
import type { Tensor } from '../../load/tflite/model.js';
import { dimsText, sameDims, sizeOf } from '../../tensor/shape.js';
import type { Node, Translation } from './node.js';

/** Positions of an LSTM's inputs. */
const GATES = {
  input: { input: 1, recurrent: 5, peephole: 9, bias: 12, norm: 20, sums: 0 },
  forget: { input: 2, recurrent: 6, peephole: 10, bias: 13, norm: 21, sums: 1 },
  cell: { input: 3, recurrent: 7, peephole: null, bias: 14, norm: 22, sums: 2 },
  output: { input: 4, recurrent: 8, peephole: 11, bias: 15, norm: 23, sums: 3 },
} as const;
type GateName = keyof typeof GATES;
const [PROJECTION, PROJECTION_BIAS, STATE, CELL] = [16, 17, 18, 19];
const HIDDEN = 4;
const SVDF_STATE = 4;
/** Of ACTIVATIONS in the schema. */
const TANH = 4;

/** x [batch, time, inputs], weights and biases of four gates, peephole, projection, states, normalization: 20 or 24 inputs. */
export function sequenceLstm(node: Node): Translation {
  const { inputs } = node.operator;
  if (inputs.length !== 20 && inputs.length !== 24) throw node.refuse(`expected 20 or 24 inputs, got ${inputs.length}`);
  const [x, w, y] = [node.needs(0), node.needs(GATES.output.input), node.output()];
  const op = 'sequence_lstm';
  const because = x.type.name === 'float32' ? ofFloats(w) : (stateless(node, [STATE, CELL]) ?? otherThanTanh(node));
  if (because) return { op, data: [0], notReplayed: because };
  const parts = new Parts(node);
  const [cells, steps] = [w.shape[0], x.shape.at(-1)!];
  const outputs = node.needs(GATES.output.recurrent).shape[1];
  if (x.shape.length !== 3 || !sameDims(y.shape, [...x.shape.slice(0, -1), outputs]))
    throw node.refuse(
      `expected [batch, time, ${steps}] to [batch, time, ${outputs}], got ${dimsText(x.shape)} to ${dimsText(y.shape)}`,
    );
  const batch = x.shape[node.flag('time_major') ? 1 : 0];
  const gate = (name: GateName) => parts.gate(name, { cells, steps, outputs });
  const isCoupled = !node.input(GATES.input.input);
  const peepholes = [GATES.forget, GATES.output, ...(isCoupled ? [] : [GATES.input])];
  const missing = peepholes.filter(({ peephole }) => !node.input(peephole));
  const isWithout = missing.length === peepholes.length && !node.input(GATES.input.peephole);
  if (missing.length > 0 && !isWithout)
    throw node.refuse(
      `expected peephole weights of all gates but the cell's, or of none, got none (input ${missing[0].peephole})`,
    );
  const gates = {
    input: isCoupled ? null : gate('input'),
    forget: gate('forget'),
    cell: gate('cell'),
    output: gate('output'),
  };
  const state = parts.state(STATE, 'int8', batch * outputs);
  const cell = parts.state(CELL, 'int16', batch * cells);
  const projection = node.input(PROJECTION) ? parts.projection(outputs, cells) : null;
  if (!projection && outputs !== cells)
    throw node.refuse(`expected as many outputs as cells without a projection, got ${outputs} and ${cells}`);
  const fields = {
    time_major: node.flag('time_major'),
    batch,
    gates,
    projection,
    hidden: parts.intermediate(HIDDEN, 'int8'),
    state,
    cell_scale: cell?.scale,
    cell_clip: node.number('cell_clip'),
    proj_clip: node.number('proj_clip'),
  };
  return { op, data: [0], fields: parts.because ? {} : fields, notReplayed: parts.because };
}

/** x [batch, inputs], features [units * rank, inputs], time [units * rank, steps], bias [units]?, state [batch, units * rank * steps]. */
export function svdf(node: Node): Translation {
  const { inputs } = node.operator;
  if (inputs.length !== 5) throw node.refuse(`expected 5 inputs, got ${inputs.length}`);
  const op = 'svdf';
  const [x, feature, time, y] = [node.needs(0), node.needs(1), node.needs(2), node.output()];
  const because = x.type.name === 'float32' ? ofFloats(feature, 'SVDF') : stateless(node, [SVDF_STATE]);
  if (because) return { op, data: [0], notReplayed: because };
  const rank = node.positive('rank');
  const [[batch, steps], [filters], memory] = [x.shape, feature.shape, time.shape.at(-1)!];
  const units = filters / rank;
  if (x.shape.length !== 2 || !Number.isInteger(units) || !sameDims(y.shape, [batch, units]))
    throw node.refuse(
      `expected [batch, inputs] to [batch, ${filters} / ${rank}], got ${dimsText(x.shape)} to ${dimsText(y.shape)}`,
    );
  const parts = new Parts(node);
  const type = node.needs(SVDF_STATE).type.name === 'int8' ? 'int8' : 'int16';
  const state = parts.state(SVDF_STATE, type, batch * filters * memory);
  const [own, ofTime] = [parts.weights(1, 'int8', [filters, steps]), parts.weights(2, type, [filters, memory])];
  const fields = {
    batch,
    rank,
    filters,
    feature: own?.array,
    feature_scale: own?.scale,
    time: ofTime?.array,
    time_scale: ofTime?.scale,
    bias: node.input(3) ? parts.array(3, 'int32', [units]) : null,
    state: { dtype: type, ...state },
  };
  return { op, data: [0], fields: parts.because ? {} : fields, notReplayed: parts.because };
}

function ofFloats(w: Tensor, called = 'LSTM'): string {
  if (w.type.name === 'float32') return `${called} of float32 values has no model`;
  return `a hybrid ${called} (float32 values, ${w.type.name} weights) has no model`;
}

function otherThanTanh(node: Node): string | null {
  if (node.number('activation') !== TANH) return 'its activation is not tanh';
  const clips = [node.number('cell_clip'), node.number('proj_clip')];
  if (!clips.every((clip) => clip >= 0 && Number.isFinite(clip))) return 'its clip is no number from 0 on';
  return node.flag('diagonal_recurrent') ? 'its recurrent weights are a diagonal' : null;
}

/** A state that other nodes read, or that is no state. */
function stateless({ graph, operator }: Node, positions: readonly number[]): string | null {
  for (const position of positions) {
    const index = operator.inputs[position] ?? -1;
    const isOwn = index >= 0 && !graph.computed.has(index) && !graph.isConstant(index);
    if (!isOwn) return 'its state is no variable of its own';
    const readers = graph.main.operators.filter(({ inputs }) => inputs.includes(index));
    if (readers.length > 1) return `its state ${graph.key(index)} is another node's too`;
  }
  return null;
}

interface Scaled {
  readonly scale: number;
  readonly zero_point: number;
}

/** Reads the tensors of a node; the first that cannot be taken is why it is not replayed. */
class Parts {
  because: string | null = null;

  constructor(private readonly node: Node) {}

  gate(name: GateName, { cells, steps, outputs }: { cells: number; steps: number; outputs: number }): object {
    const at = GATES[name];
    const isNormed = this.node.input(GATES.forget.norm) !== null;
    const norm = isNormed ? this.weights(at.norm, 'int16', [cells]) : null;
    const peephole =
      at.peephole !== null && this.node.input(GATES.output.peephole)
        ? this.weights(at.peephole, 'int16', [cells])
        : null;
    const [input, recurrent] = [
      this.weights(at.input, 'int8', [cells, steps]),
      this.weights(at.recurrent, 'int8', [cells, outputs]),
    ];
    return {
      input: input?.array,
      input_scale: input?.scale,
      recurrent: recurrent?.array,
      recurrent_scale: recurrent?.scale,
      bias: this.array(at.bias, 'int32', [cells]),
      ...(peephole ? { peephole: peephole.array, peephole_scale: peephole.scale } : {}),
      ...(norm ? { norm: norm.array, norm_scale: norm.scale, scale: this.intermediate(at.sums)?.scale } : {}),
    };
  }

  projection(outputs: number, cells: number): object {
    const weight = this.weights(PROJECTION, 'int8', [outputs, cells]);
    const hasBias = this.node.input(PROJECTION_BIAS) !== null;
    return {
      weight: weight?.array,
      scale: weight?.scale,
      bias: hasBias ? this.array(PROJECTION_BIAS, 'int32', [outputs]) : null,
    };
  }

  state(position: number, type: string, count: number): Scaled | null {
    const tensor = this.node.needs(position);
    if (sizeOf(tensor.shape) !== count)
      throw this.node.refuse(`expected a state of ${count} values (input ${position}), got ${dimsText(tensor.shape)}`);
    return this.scaled(tensor, type);
  }

  intermediate(position: number, type?: string): Scaled | null {
    const index = this.node.operator.intermediates[position];
    if (index === undefined)
      throw this.node.refuse(`expected 5 intermediates, got ${this.node.operator.intermediates.length}`);
    return this.scaled(this.node.graph.tensor(index), type);
  }

  weights(position: number, type: string, shape: readonly number[]) {
    const array = this.array(position, type, shape);
    const scaled = array && this.scaled(this.node.needs(position), type, true);
    return scaled && { array, scale: scaled.scale };
  }

  array(position: number, type: string, shape: readonly number[]): object | null {
    const tensor = this.node.needs(position);
    if (!sameDims(tensor.shape, shape))
      throw this.node.refuse(`expected ${dimsText(shape)} (input ${position}), got ${dimsText(tensor.shape)}`);
    const what = this.node.graph.key(tensor.index);
    if (!tensor.data || tensor.unusual) return this.not(`${what} is ${tensor.unusual ?? 'computed'}`);
    return tensor.type.name === type ? this.node.graph.array(tensor.index) : this.not(`${what} is ${tensor.type.name}`);
  }

  private scaled({ index, type, quantization }: Tensor, wanted?: string, isCentred = false): Scaled | null {
    const what = this.node.graph.key(index);
    if (wanted && type.name !== wanted) return this.not(`${what} is ${type.name}`);
    if (!quantization) return this.not(`the scale of ${what} is not in the file`);
    if (!quantization.single) return this.not(`${what} has several scales`);
    const { scale, zeroPoint } = quantization.single;
    return isCentred && zeroPoint !== 0 ? this.not(`${what} has a zero point`) : { scale, zero_point: zeroPoint };
  }

  private not(because: string): null {
    this.because ??= because;
    return null;
  }
}
