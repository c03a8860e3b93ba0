/** Values one after the other along an axis, requantized where their parameters are not the output's. */
import type { AxisAttributes } from '../../nouns/attributes.js';
import type { CodeArray, QuantizeStep, TensorCall, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { clamp } from '../../numeric/integer.js';
import { axisOf, checkedAxes } from '../../tensor/axes.js';
import { strideOf } from '../../tensor/shape.js';
import { isChannelsLast } from '../../tensor/strides.js';
import { clampOfCodes } from './activation.js';
import { type AtenWay, inVectors, oneByOne } from './atenVectors.js';
import { inWholeVectors, quantized, rememberedOf, roomForCodes } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { quantizeDivision, quantizeFma, quantizeTwoRoundings } from './quantize.js';
import { tensorSteps } from './tensor.js';

/** channels_last images along the channels: those of an input that fill vectors of 8 in vectors, the others one by one. */
export const concatAten: TensorSteps = tensorSteps('quantize(dequantize(x)) of each input', (call) => {
  const axis = axisIn(call);
  const isImages = axis === 0 && call.inputs.every((input) => input.shape.dims.length === 3 && isChannelsLast(input));
  if (!isImages)
    return joined(call, axis, (input) =>
      converted(call, input, { dequantize: dequantizeFloat32, quantize: quantizeFma }),
    );
  const way = inVectors(call.vectors, 'float64');
  return joined(call, axis, (input) => {
    const [from, to] = [quantized(input), quantized(call.output)];
    if (from.scale === to.scale && from.zeroPoint === to.zeroPoint) return rectified(call, (x) => x);
    const vectors = inWholeVectors(call, input.shape.dims[0], 8);
    const [body, rest] = [converted(call, input, way), converted(call, input, oneByOne)];
    return (x, channel) => (channel < vectors ? body : rest)(x);
  });
});

/** PT2E's reference graph. */
export function concatFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps(`quantize(dequantize(x)) of each input, ${quantize.equation}`, (call) =>
    joined(call, axisIn(call), (input) => converted(call, input, { dequantize: dequantizeFloat32, quantize })),
  );
}

/** ONNX Runtime: an input with the output's parameters is copied, which its table would do too. */
export const concatOnnxRuntime = concatFloats(quantizeDivision);

export function axisIn({ inputs: [{ shape }], attributes }: TensorCall): number {
  return checkedAxes(axisOf((attributes as AxisAttributes).dim, shape));
}

function converted(call: TensorCall, input: TensorValue, { dequantize, quantize }: AtenWay) {
  const params = quantized(input);
  const real = dequantize.prepare(params);
  const code = quantize.prepare(quantized(call.output));
  return rememberedOf(
    input,
    rectified(call, (x) => code(real(x))),
  );
}

function rectified({ activation, output }: TensorCall, code: (x: number) => number): (x: number) => number {
  const [lo, hi] = clampOfCodes(activation, quantized(output), quantizeTwoRoundings);
  return (x) => clamp(code(x), lo, hi);
}

/** code: of an input's code at an index of the axis. */
export function joined(
  call: TensorCall,
  axis: number,
  codeOf: (input: TensorValue) => (x: number, index: number) => number,
): CodeArray {
  const { inputs, output } = call;
  const { dims } = output.shape;
  const inner = strideOf(dims, axis);
  const out = roomForCodes(call);
  let before = 0;
  for (const input of inputs) {
    const code = codeOf(input);
    const { data } = input;
    const own = input.shape.dims[axis];
    for (let from = 0, to = before * inner; from < data.length; to += (dims[axis] - own) * inner) {
      for (let index = 0; index < own; index++)
        for (const end = from + inner; from < end; from++, to++) out[to] = code(data[from], index);
    }
    before += own;
  }
  return out;
}
