/**
 * TFLite's LSTM on int8 values and int16 gates (8x8_16), alike in all its resolvers: sums scaled by int32 multipliers and added with
 * saturation, sigmoid and tanh in gemmlowp's 16-bit fixed point. Source: tensorflow/lite/kernels lstm_eval.cc, portable_tensor_utils.cc.
 */

import type { NumericArray } from '../../../nouns/array.js';
import type { LstmAttributes, LstmGate } from '../../../nouns/attributes.js';
import type { TensorCall, TensorSteps, Values } from '../../../nouns/kernel.js';
import type { FixedPointMultiplier } from '../../../nouns/written.js';
import {
  multiplyByFixedPointDoubleRounding,
  quantizeMultiplier,
  roundingDivideByPot,
} from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { hyperbolicTangent, inverseSquareRoot, logistic } from '../../../numeric/gemmlowp.js';
import { clamp, saturateInt16, wrapInt16, wrapInt32 } from '../../../numeric/integer.js';
import { roundHalfAway, truncate } from '../../../numeric/round.js';
import { once } from '../../../once.js';
import { quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import {
  type GateName,
  type GateProducts,
  gateProducts,
  int16Table,
  lacksMultiplier,
  lstmState,
  prepared,
  type Rows,
  rowsOf,
  runLstm,
  type Step,
  scaleOf,
  sumOf,
} from './lstmParts.js';

const times = multiplyByFixedPointDoubleRounding;
const HALF = 32768;
/** i * g has 30 fraction bits. */
const LEAST_POWER = -30;

/** log2 of a scale to the nearest whole number, and whether it is that. */
export function log2Of(scale: number): { readonly power: number; readonly isExact: boolean } {
  const log = f32(f32(Math.log(f32(scale))) * f32(1 / f32(Math.log(2))));
  const power = roundHalfAway(log);
  return { power, isExact: Math.abs(log - power) < 1e-3 };
}

interface Norm {
  readonly weight: NumericArray;
  readonly bias: NumericArray;
  readonly multiplier: FixedPointMultiplier;
  /** In place of a variance below 1. */
  readonly guard: number;
}

interface Gate extends GateProducts {
  readonly peephole: { readonly weight: NumericArray; readonly by: FixedPointMultiplier } | null;
  readonly norm: Norm | null;
  /** Sigmoid, or tanh, by code + 2^15. */
  readonly table: Int16Array;
}

interface Layer {
  readonly gates: { readonly [name in GateName]: Gate | null };
  readonly cellPower: number;
  /** null: the kernel has no tanh of so small a scale, and reads what lies in its memory: the input gate. */
  readonly tanhOfCell: Int16Array | null;
  readonly hidden: FixedPointMultiplier;
  readonly projection: { readonly rows: Rows; readonly by: FixedPointMultiplier } | null;
  /** 0: none. */
  readonly cellClip: number;
  readonly projClip: number;
}

const SIGMOID = once(() => int16Table((code) => logistic(code, 3, 16)));
const TANH = [0, 1, 2, 3, 4, 5, 6].map((bits) => once(() => int16Table((code) => hyperbolicTangent(code, bits, 16))));

/** What a gate's sums are multiplied with; a norm's multiplier is shifted by 12 bits more. */
function gateReals({ stateScale, cellScale }: LstmAttributes, own: LstmGate, input: number) {
  const sums = f32(own.scale ?? 2 ** -12);
  const over = (weightScale: number, scale: number) => f32(f32(f32(weightScale) * f32(scale)) / sums);
  const { peepholeScale, normScale } = own;
  return {
    input: over(own.inputScale, input),
    recurrent: over(own.recurrentScale, stateScale),
    peephole: peepholeScale === null ? null : f32((2 ** log2Of(cellScale).power * f32(peepholeScale)) / sums),
    norm: normScale === null ? null : f32(normScale) * 2 ** 12,
  };
}

function hiddenReals({ hiddenScale, projectionScale, stateScale }: LstmAttributes) {
  const hidden = f32(hiddenScale);
  return {
    hidden: f32((2 ** -15 / hidden) * 2 ** -15),
    projection: projectionScale === null ? null : f32(f32(f32(projectionScale) * hidden) / f32(stateScale)),
  };
}

function gateOf(call: TensorCall, name: GateName, own: LstmGate): Gate {
  const array = (part: string) => call.arrays![`${name}.${part}`];
  const by = gateReals(call.attributes as LstmAttributes, own, quantized(call.inputs[0]).scale);
  const isNormed = own.normScale !== null;
  return {
    ...gateProducts(call, name, isNormed ? null : array('bias'), [by.input, by.recurrent]),
    peephole: by.peephole === null ? null : { weight: array('peephole'), by: quantizeMultiplier(by.peephole) },
    norm: isNormed ? normOf(array('norm'), array('bias'), own.normScale!) : null,
    table: name === 'cell' ? TANH[3]() : SIGMOID(),
  };
}

function normOf(weight: NumericArray, bias: NumericArray, scale: number): Norm {
  const guard = Math.max(1, truncate(f32(10000 * f32(scale))));
  const { multiplier, exponent } = quantizeMultiplier(f32(scale));
  return { weight, bias, guard, multiplier: { multiplier, exponent: exponent + 12 } };
}

const layerOf = prepared((call): Layer => {
  const own = call.attributes as LstmAttributes;
  const { power } = log2Of(own.cellScale);
  const output = quantized(call.output);
  const by = hiddenReals(own);
  const clipOf = (clip: number, scale: number, least: number, most: number) =>
    clip > 0 ? truncate(clamp(f32(f32(clip) / f32(scale)), least, most)) : 0;
  const projectionBias = call.arrays!['projection.bias'] ?? null;
  return {
    gates: {
      input: own.input && gateOf(call, 'input', own.input),
      forget: gateOf(call, 'forget', own.forget),
      cell: gateOf(call, 'cell', own.cell),
      output: gateOf(call, 'output', own.output),
    },
    cellPower: power,
    tanhOfCell: TANH[15 + power]?.() ?? null,
    hidden: quantizeMultiplier(by.hidden),
    projection:
      by.projection === null
        ? null
        : {
            rows: rowsOf(call.arrays!['projection.weight'], -own.hiddenZeroPoint, projectionBias, own.outputs),
            by: quantizeMultiplier(by.projection),
          },
    cellClip: clipOf(own.cellClip, own.cellScale, -32768, 32767),
    projClip: clipOf(own.projClip, output.scale, -128, 127),
  };
});

/** The codes of one gate, of `count` sequences from `first` on. */
function gateCodes(
  { input, inputBy, recurrent, recurrentBy, peephole, norm, table }: Gate,
  { inputs, outputs, cells }: LstmAttributes,
  { first, count, input: at }: Parameters<Step>[0],
  x: NumericArray,
  [hidden, cell]: readonly Int32Array[],
): Int32Array {
  const sums = new Int32Array(count * cells);
  for (let b = 0, i = 0; b < count; b++) {
    for (let n = 0; n < cells; n++, i++) {
      const own = saturateInt16(times(sumOf(input, n, x, at + b * inputs, inputs), inputBy));
      const back = sumOf(recurrent, n, hidden, (first + b) * outputs, outputs);
      sums[i] = saturateInt16(times(back, recurrentBy) + own);
    }
  }
  // as many values as outputs, one behind the other, although cells are meant
  for (let i = 0; peephole && i < count * outputs; i++) {
    const product = wrapInt32(peephole.weight[i % outputs] * cell[first * cells + i]);
    sums[i] = saturateInt16(times(product, peephole.by) + sums[i]);
  }
  for (let b = 0; norm && b < count; b++) normalize(sums.subarray(b * cells, (b + 1) * cells), norm);
  for (let i = 0; i < sums.length; i++) sums[i] = table[sums[i] + HALF];
  return sums;
}

function normalize(sums: Int32Array, { weight, bias, multiplier, guard }: Norm): void {
  const n = sums.length;
  let [sum, squares] = [0, 0];
  for (const code of sums) {
    sum += code;
    squares += code * code;
  }
  const mean = truncate((sum * 1024) / n);
  const variance = truncate((squares * truncate(2 ** 20 / n) - mean * mean) / 2 ** 20);
  const root = inverseSquareRoot(variance < 1 ? guard : variance);
  for (let i = 0; i < n; i++) {
    const normal = times(1024 * sums[i] - mean, root);
    const weighted = wrapInt32(Math.imul(normal, weight[i]) + bias[i]);
    const rounded = truncate((weighted + (weighted > 0 ? 512 : -512)) / 1024);
    sums[i] = saturateInt16(times(rounded, multiplier));
  }
}

function stepOf(call: TensorCall): (x: NumericArray, y: Int8Array) => Step {
  const own = call.attributes as LstmAttributes;
  const layer = layerOf(call);
  const { gates, cellPower, cellClip, tanhOfCell } = layer;
  const [hidden, cell] = call.state!;
  const { cells, outputs, stateZeroPoint } = own;
  // what is projected has its zero point taken away, not added: it saturates elsewhere
  const hiddenZeroPoint = layer.projection ? -own.hiddenZeroPoint : own.hiddenZeroPoint;
  return (x, y) => (place) => {
    const { first, count, output: at } = place;
    const codes = (gate: Gate) => gateCodes(gate, own, place, x, [hidden, cell]);
    const [forget, modulation] = [codes(gates.forget!), codes(gates.cell!)];
    const input = gates.input && codes(gates.input);
    for (let i = 0, k = first * cells; i < count * cells; i++, k++) {
      const kept = wrapInt16(roundingDivideByPot(forget[i] * cell[k], 15));
      const taken = input ? input[i] : 32767 - forget[i];
      const added = wrapInt16(roundingDivideByPot(taken * modulation[i], 30 + cellPower));
      cell[k] = saturateInt16(kept + added);
      if (cellClip > 0) cell[k] = clamp(cell[k], -cellClip, cellClip);
    }
    const made = codes(gates.output!); // int8 in place
    for (let i = 0, k = first * cells; i < count * cells; i++, k++) {
      const product = made[i] * (tanhOfCell ? tanhOfCell[cell[k] + HALF] : input![i]);
      made[i] = clamp(times(product, layer.hidden) + hiddenZeroPoint, -128, 127);
    }
    for (let b = 0, i = 0; b < count; b++) {
      for (let n = 0; n < outputs; n++, i++) {
        const code = layer.projection
          ? projected(layer, sumOf(layer.projection.rows, n, made, b * cells, cells), stateZeroPoint)
          : made[i];
        hidden[first * outputs + i] = code;
        y[at + i] = code;
      }
    }
  };
}

function projected({ projection, projClip }: Layer, sum: number, zeroPoint: number): number {
  const code = clamp(times(sum, projection!.by) + zeroPoint, -128, 127);
  return projClip > 0 ? clamp(code, -projClip, projClip) : code;
}

/** Whether TFLite has no tanh of a cell state's scale: what it multiplies by the output gate then is the input gate. */
export function isWithoutTanh(attributes: unknown): boolean {
  const { power, isExact } = log2Of((attributes as LstmAttributes).cellScale);
  return isExact && power < -15 && power >= LEAST_POWER;
}

/** Fits "has no LSTM with ..."; null: nothing. */
function lacksOf({ attributes }: Pick<TensorCall, 'attributes'>, values?: Values): string | null {
  const own = attributes as LstmAttributes;
  const { cellScale, outputs, cells, forget, input } = own;
  const { power, isExact } = log2Of(cellScale);
  if (!isExact || power > -9 || power < LEAST_POWER) return 'a cell state whose scale is none of 2^-30 to 2^-9';
  if (!input && isWithoutTanh(attributes))
    return 'a cell state of a scale below 2^-15 and without an input gate (CIFG)';
  if (forget.peepholeScale !== null && outputs > cells) return 'peephole weights and more outputs than cells';
  const gates = [input, forget, own.cell, own.output].filter((gate) => gate !== null);
  const reals = values ? gates.flatMap((gate) => Object.values(gateReals(own, gate, scaleOf(values.input)))) : [];
  return lacksMultiplier([...reals, ...Object.values(hiddenReals(own))]);
}

const GATES = 'gates of sat16(fp(wx) + fp(wh)) in units of 2^-12, sigmoid and tanh in 16-bit fixed point';
const CELLS = 'c = sat16(f * c / 2^15 + i * g / 2^(30+e))';

const lstm = (hidden: string): TensorSteps => ({
  ...tensorSteps(`${GATES}, ${CELLS}, h = ${hidden}`, (call) => runLstm(call, stepOf(call)), 'fixed-point'),
  codes: ['int8'],
  departure: 'table-entry',
  state: lstmState,
  lacks: lacksOf,
});

export const lstmTflite = lstm('fp(o * tanh(c)) + zp');
/** Of such a cell state. */
export const lstmWithoutTanh: TensorSteps = {
  ...lstm('fp(o * i) + zp, not of tanh(c), as it has no tanh for a scale below 2^-15'),
  departure: 'kernel-defect',
};
