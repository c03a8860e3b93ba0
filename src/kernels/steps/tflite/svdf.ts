/**
 * TFLite's SVDF on int8 values, a state of int16 (under TFLite Micro also of int8): the products of a step are rescaled into the state,
 * the state of the last steps times weights is summed, a rank of filters a unit, and rescaled again. An activation is not applied, the
 * output's range is it. Source: tensorflow/lite/kernels svdf.cc, internal/reference/svdf.h, micro/kernels/svdf_common.cc.
 */
import type { SvdfAttributes } from '../../../nouns/attributes.js';
import type { State, TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { multiplyByFixedPointDoubleRounding, quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { f32 } from '../../../numeric/float.js';
import { clamp, wrapInt8, wrapInt32 } from '../../../numeric/integer.js';
import { sizeOf } from '../../../tensor/shape.js';
import { quantized } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { lacksMultiplier, rowsOf, scaleOf, sumOf } from './lstmParts.js';

const sequences = (dims: readonly number[]) => sizeOf(dims.slice(0, -1));

function batchOf({ inputs: [{ shape }], samples }: TensorCall): number {
  return sequences([samples, ...shape.dims]);
}

/** The real number 0. */
function begin(call: TensorCall): State {
  const { filters, memory, stateZeroPoint } = call.attributes as SvdfAttributes;
  return [new Int32Array(batchOf(call) * filters * memory).fill(stateZeroPoint)];
}

/** What products are multiplied with, into the state and out of it. */
function realsOf(own: SvdfAttributes, input: number, output: number): readonly [number, number] {
  const state = f32(own.stateScale);
  return [f32(f32(f32(input) * f32(own.featureScale)) / state), f32(f32(state * f32(own.timeScale)) / f32(output))];
}

function run(call: TensorCall): Int8Array {
  const own = call.attributes as SvdfAttributes;
  const { inputs, filters, memory, rank, stateDtype, stateZeroPoint } = own;
  const { feature, time, bias } = call.arrays!;
  const [x, y] = [call.inputs[0], call.output].map(quantized);
  const [state] = call.state!;
  const features = rowsOf(feature, x.zeroPoint, null, filters);
  const [toState, toOutput] = realsOf(own, x.scale, y.scale).map(quantizeMultiplier);
  const [lo, hi] = stateDtype === 'int8' ? [-128, 127] : [-32768, 32767];
  const [batch, units] = [batchOf(call), filters / rank];
  const output = new Int8Array(batch * units);
  state.copyWithin(0, 1);
  for (let b = 0; b < batch; b++) {
    for (let unit = 0; unit < units; unit++) {
      let sum = bias?.[unit] ?? 0;
      for (let filter = unit * rank; filter < (unit + 1) * rank; filter++) {
        const at = (b * filters + filter) * memory;
        const steps = multiplyByFixedPointDoubleRounding(
          sumOf(features, filter, call.inputs[0].data, b * inputs, inputs),
          toState,
        );
        const code = clamp(steps, lo, hi) + stateZeroPoint;
        state[at + memory - 1] = stateDtype === 'int8' ? wrapInt8(code) : code;
        for (let step = 0; step < memory; step++)
          sum = wrapInt32(sum + (state[at + step] - stateZeroPoint) * time[filter * memory + step]);
      }
      output[b * units + unit] = clamp(multiplyByFixedPointDoubleRounding(sum, toOutput) + y.zeroPoint, -128, 127);
    }
  }
  return output;
}

const svdf = (lacks: (own: SvdfAttributes) => string | null): TensorSteps => ({
  ...tensorSteps(
    'clamp(fp(b + sum of s * wt) + zp), s = sat(fp(sum of dx * wf)) of the last steps',
    run,
    'fixed-point',
  ),
  codes: ['int8'],
  state: { begin, sequences: (_, dims) => sequences(dims) },
  lacks: ({ attributes }, values) => {
    const own = attributes as SvdfAttributes;
    return lacks(own) ?? (values ? lacksMultiplier(realsOf(own, scaleOf(values.input), scaleOf(values.output))) : null);
  },
});

/** It reads an int8 state as int16. */
export const svdfTflite = svdf(({ stateDtype }) => (stateDtype === 'int8' ? 'an int8 state' : null));
/** Without a bias it ends. */
export const svdfMicro = svdf(({ hasBias }) => (hasBias ? null : 'its bias left out'));
