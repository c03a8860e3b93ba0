/**
 * TFLite Micro's LSTM on int8 values: of TFLite's it has no CIFG, peephole, projection or normalization; each product of a gate is a
 * FULLY_CONNECTED to int16, sigmoid and tanh come from its table of 256, products of gates are MULs. Source: micro/kernels/lstm_eval.cc.
 */
import type { NumericArray } from '../../../nouns/array.js';
import type { LstmAttributes, LstmGate } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import type { FixedPointMultiplier } from '../../../nouns/written.js';
import { multiplyByFixedPointDoubleRounding, quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { clamp, saturateInt16, wrapInt32 } from '../../../numeric/integer.js';
import { truncate } from '../../../numeric/round.js';
import { quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { log2Of } from './lstm.js';
import { type GateName, lstmState, prepared, type Rows, rowsOf, runLstm, type Step, sumOf } from './lstmParts.js';
import { LOGISTIC, TANH } from './tables16.js';

const times = multiplyByFixedPointDoubleRounding;
/** Of sums, and of what the functions give. */
const [SUMS, UNIT] = [2 ** -12, 2 ** -15];

interface Gate {
  readonly input: Rows;
  readonly inputBy: FixedPointMultiplier;
  readonly recurrent: Rows;
  readonly recurrentBy: FixedPointMultiplier;
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

function gateOf(call: TensorCall, name: GateName, own: LstmGate): Gate {
  const { cells, stateScale, stateZeroPoint } = call.attributes as LstmAttributes;
  const input = quantized(call.inputs[0]);
  const array = (part: string) => call.arrays![`${name}.${part}`];
  const by = (weightScale: number, scale: number) => quantizeMultiplier((f32(weightScale) * f32(scale)) / SUMS);
  return {
    input: rowsOf(array('input'), input.zeroPoint, array('bias'), cells),
    inputBy: by(own.inputScale, input.scale),
    recurrent: rowsOf(array('recurrent'), stateZeroPoint, null, cells),
    recurrentBy: by(own.recurrentScale, stateScale),
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
  return {
    gates: {
      input: gateOf(call, 'input', own.input!),
      forget: gateOf(call, 'forget', own.forget),
      cell: gateOf(call, 'cell', own.cell),
      output: gateOf(call, 'output', own.output),
    },
    kept: quantizeMultiplier((UNIT * cell) / cell),
    added: quantizeMultiplier((UNIT * UNIT) / cell),
    hidden: quantizeMultiplier((UNIT * UNIT) / f32(own.stateScale)),
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
function lacksOf({ attributes }: Pick<TensorCall, 'attributes'>): string | null {
  const { input, forget, projectionScale } = attributes as LstmAttributes;
  if (!input) return 'its input gate left out (CIFG)';
  if (forget.peepholeScale !== null) return 'peephole weights';
  if (projectionScale !== null) return 'a projection';
  return forget.normScale === null ? null : 'layer normalization';
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
