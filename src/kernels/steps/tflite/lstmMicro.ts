/**
 * TFLite Micro's LSTM on int8 values: of TFLite's it has no CIFG, peephole, projection or normalization; each product of a gate is a
 * FULLY_CONNECTED to int16, sigmoid and tanh come from its table of 256, products of gates are MULs. Source: micro/kernels/lstm_eval.cc.
 */
import type { NumericArray } from '../../../nouns/array.js';
import type { LstmAttributes, LstmGate } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps, Values } from '../../../nouns/kernel.js';
import type { FixedPointMultiplier } from '../../../nouns/written.js';
import { multiplyByFixedPointDoubleRounding, quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { clamp, saturateInt16, wrapInt32 } from '../../../numeric/integer.js';
import { truncate } from '../../../numeric/round.js';
import { quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { log2Of } from './lstm.js';
import {
  type GateName,
  type GateProducts,
  gateProducts,
  lacksMultiplier,
  lstmState,
  prepared,
  runLstm,
  type Step,
  scaleOf,
  sumOf,
} from './lstmParts.js';
import { LOGISTIC, TANH } from './tables16.js';

const times = multiplyByFixedPointDoubleRounding;
/** Of sums, and of what the functions give. */
const [SUMS, UNIT] = [2 ** -12, 2 ** -15];

interface Gate extends GateProducts {
  readonly apply: (sum: number) => number;
}

interface Layer {
  readonly gates: { readonly [name in GateName]: Gate };
  readonly kept: FixedPointMultiplier;
  readonly added: FixedPointMultiplier;
  readonly hidden: FixedPointMultiplier;
  readonly tanhOfCell: (code: number) => number;
  /** Not clipped: infinite. */
  readonly clip: number;
}

/** What a gate's sums are multiplied with. */
function gateReals({ stateScale }: LstmAttributes, own: LstmGate, input: number): readonly [number, number] {
  const over = (weightScale: number, scale: number) => (f32(weightScale) * f32(scale)) / SUMS;
  return [over(own.inputScale, input), over(own.recurrentScale, stateScale)];
}

/** Of products of gates: kept, added, hidden. */
function productReals({ cellScale, stateScale }: LstmAttributes): readonly [number, number, number] {
  const cell = f32(cellScale);
  return [(UNIT * cell) / cell, (UNIT * UNIT) / cell, (UNIT * UNIT) / f32(stateScale)];
}

function gateOf(call: TensorCall, name: GateName, own: LstmGate): Gate {
  const reals = gateReals(call.attributes as LstmAttributes, own, quantized(call.inputs[0]).scale);
  return {
    ...gateProducts(call, name, call.arrays![`${name}.bias`], reals),
    apply: name === 'cell' ? (sum) => TANH.interpolated(3 * sum) : (sum) => LOGISTIC.interpolated(3 * sum),
  };
}

/** Codes of a scale of 2^power in units of the table, which are 1 / (3 * 2^12). */
function tanhOf(power: number): (code: number) => number {
  const left = 12 + power;
  if (left >= 0) return (code) => TANH.interpolated(wrapInt32(code * 3 * 2 ** left));
  return (code) => TANH.interpolated(Math.floor((code * 3 + 2 ** (-left - 1)) / 2 ** -left));
}

const layerOf = prepared((call): Layer => {
  const own = call.attributes as LstmAttributes;
  const cell = f32(own.cellScale);
  const [kept, added, hidden] = productReals(own).map(quantizeMultiplier);
  return {
    gates: {
      input: gateOf(call, 'input', own.input!),
      forget: gateOf(call, 'forget', own.forget),
      cell: gateOf(call, 'cell', own.cell),
      output: gateOf(call, 'output', own.output),
    },
    kept,
    added,
    hidden,
    tanhOfCell: tanhOf(log2Of(own.cellScale).power),
    clip: own.cellClip > 0 ? truncate(clamp(f32(own.cellClip) / cell, -32768, 32767)) : Number.POSITIVE_INFINITY,
  };
});

function stepOf(call: TensorCall): (x: NumericArray, y: Int8Array) => Step {
  const { inputs, cells, stateZeroPoint } = call.attributes as LstmAttributes;
  const { gates, kept, added, hidden: hiddenBy, tanhOfCell, clip } = layerOf(call);
  const [hidden, cell] = call.state!;
  return (x, y) =>
    ({ first, count, input: from, output: to }) => {
      for (let b = 0; b < count; b++) {
        const [at, back] = [from + b * inputs, (first + b) * cells];
        const codes = new Int8Array(cells);
        for (let n = 0; n < cells; n++) {
          const of = ({ input, inputBy, recurrent, recurrentBy, apply }: Gate) => {
            const own = saturateInt16(times(sumOf(input, n, x, at, inputs), inputBy));
            const before = saturateInt16(times(sumOf(recurrent, n, hidden, back, cells), recurrentBy));
            return apply(saturateInt16(own + before));
          };
          const old = saturateInt16(times(of(gates.forget) * cell[back + n], kept));
          const more = saturateInt16(times(of(gates.input) * of(gates.cell), added));
          cell[back + n] = clamp(saturateInt16(old + more), -clip, clip);
          const product = of(gates.output) * tanhOfCell(cell[back + n]);
          codes[n] = clamp(times(product, hiddenBy) + stateZeroPoint, -128, 127);
        }
        hidden.set(codes, back);
        y.set(codes, to + b * cells);
      }
    };
}

/** Fits "has no LSTM with ...". */
function lacksOf({ attributes }: Pick<TensorCall, 'attributes'>, values?: Values): string | null {
  const own = attributes as LstmAttributes;
  const { input, forget, projectionScale } = own;
  if (!input) return 'its input gate left out (CIFG)';
  if (forget.peepholeScale !== null) return 'peephole weights';
  if (projectionScale !== null) return 'a projection';
  if (forget.normScale !== null) return 'layer normalization';
  const gates = [input, forget, own.cell, own.output];
  const reals = values ? gates.flatMap((gate) => gateReals(own, gate, scaleOf(values.input))) : [];
  return lacksMultiplier([...reals, ...productReals(own)]);
}

export const lstmMicro: TensorSteps = {
  ...tensorSteps(
    'gates of sat16(sat16(fp(wx)) + sat16(fp(wh))) in units of 2^-12, sigmoid and tanh from a table of 256, c = sat16(fp(f * c) + fp(i * g)), h = fp(o * tanh(c)) + zp',
    (call) => runLstm(call, stepOf(call)),
    'fixed-point',
  ),
  codes: ['int8'],
  departure: 'table-entry',
  state: lstmState,
  lacks: lacksOf,
};
