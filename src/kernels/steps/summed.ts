/** Values that are added before anything else is computed, one float32 rounding each. */
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { float32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { reader } from './call.js';

/** The call on the sum of its inputs, of which the first has the sum's shape. */
export function summed(call: TensorCall): TensorCall {
  const [first] = call.inputs;
  const read = call.inputs.map((_, input) => reader(call, input));
  const data = float32s(first.data, (_, i) =>
    read.reduce((sum, at, input) => (input === 0 ? at(i) : f32(sum + at(i))), 0),
  );
  return { ...call, inputs: [{ ...first, data }] };
}

export function ofSum(steps: TensorSteps): TensorSteps {
  return { ...steps, equation: `${steps.equation}; x: its inputs, added`, run: (call) => steps.run(summed(call)) };
}
