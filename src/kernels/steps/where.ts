/** Codes that a condition chooses, each from its parameters to the output's. */
import type { QuantizeStep, TensorSteps, TensorValue } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { fill, fillReals, quantized, reader } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { tensorSteps } from './tensor.js';

/** Of floats, which are copied. */
export const whereOfFloats: TensorSteps = tensorSteps('condition ? a : b', (call) => {
  const [condition, a, b] = call.inputs.map((_, i) => reader(call, i));
  return fillReals(call, (i) => (condition(i) === 0 ? b(i) : a(i)));
});

/** A value of the output's parameters is copied, which dequantizing and quantizing would do too. */
export function whereFloats(quantize: QuantizeStep): TensorSteps {
  return tensorSteps(`${whereOfFloats.equation}, ${quantize.equation}`, (call) => {
    if (!isQuantized(call.output.params)) return whereOfFloats.run(call);
    const code = quantize.prepare(quantized(call.output));
    const converted = (input: TensorValue) => {
      const real = dequantizeFloat32.prepare(quantized(input));
      return (x: number) => code(real(x));
    };
    const [, a, b] = call.inputs.map(converted);
    const [condition, readA, readB] = call.inputs.map((_, i) => reader(call, i));
    return fill(call, (i) => (condition(i) === 0 ? b(readB(i)) : a(readA(i))));
  });
}
