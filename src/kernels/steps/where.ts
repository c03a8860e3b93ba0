/** Codes that a condition chooses, each from its parameters to the output's. */
import type { QuantizeStep, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { sizeOf } from '../../tensor/shape.js';
import { fill, fillReals, quantized, reader } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { tensorSteps } from './tensor.js';

/** A value of the output's parameters is copied, which dequantizing and quantizing would do too. */
export function whereFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps(`condition ? a : b, ${quantize.equation}`, (call) => {
    const [condition, readA, readB] = call.inputs.map((_, i) => reader(call, i));
    if (!isQuantized(call.output.params)) return fillReals(call, (i) => (condition(i) === 0 ? readB(i) : readA(i)));
    const code = quantize.prepare(quantized(call.output));
    const converted = (input: TensorValue) => {
      const real = dequantizeFloat32.prepare(quantized(input));
      return (x: number) => code(real(x));
    };
    const [, a, b] = call.inputs.map(converted);
    return fill(call, (i) => (condition(i) === 0 ? b(readB(i)) : a(readA(i))));
  });
}

/** Of floats, which are copied. */
export const whereOfFloats: TensorSteps = tensorSteps('condition ? a : b', (call) => {
  const [condition, a, b] = call.inputs.map((_, i) => reader(call, i));
  const length = call.samples * sizeOf(call.output.shape.dims);
  return Float32Array.from({ length }, (_, i) => (condition(i) === 0 ? b(i) : a(i)));
});
