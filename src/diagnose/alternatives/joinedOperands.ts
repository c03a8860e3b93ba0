/** Operands of a joined value that are copied into their places, whatever the others are brought to codes by. */
import { axisIn } from '../../kernels/steps/concat.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { strideOf } from '../../tensor/shape.js';
import { type Change, FREEDOM, inputOf, type TensorChange } from '../setup.js';
import type { Study } from '../study/study.js';

/** Beyond these, one or all. */
const MOST_IN_SETS = 3;

/** Of those that have another scale or zero point than the output. */
export function joinedAsTheyAre(study: Study): Change[] {
  const differing = operandsOf(study, false);
  const pairs = differing.length === MOST_IN_SETS ? differing.map((one) => differing.filter((i) => i !== one)) : [];
  const sets = [...differing.map((i) => [i]), ...pairs, ...(differing.length > 1 ? [differing] : [])];
  return sets.map(
    (inputs): TensorChange => ({
      cause: 'rescale-missing',
      coordinate: 'x_scale',
      ...(inputs.length === 1 && { input: inputs[0] }),
      freedom: FREEDOM.none,
      label: `codes of ${inputs.join()}`,
      found: { inputs, left: 'scale and zero point' },
      apply: (setup) => ({ ...setup, steps: withCopied(setup.steps, inputs) }),
    }),
  ) as Change[];
}

/** The same steps where an operand of the output's scale stays as it is, which a product of reals may round down; null: none has it. */
export function keepingEqual(study: Study, steps: TensorSteps): TensorSteps | null {
  const equal = operandsOf(study, true);
  return equal.length > 0 ? withCopied(steps, equal) : null;
}

/** Whether they have the output's scale and zero point. */
function operandsOf({ declared, data }: Study, areEqual: boolean): number[] {
  const { output } = declared.params;
  if (data.op !== 'cat' || !isQuantized(output)) return [];
  return declared.reads.flatMap((_, i) => {
    const { scale, zeroPoint } = inputOf(declared, i) as QuantParams;
    return (scale === output.scale && zeroPoint === output.zeroPoint) === areEqual ? i : [];
  });
}

const known = new WeakMap<TensorSteps, Map<string, TensorSteps>>();

/** The same object for the same steps: what is known of it is found again. */
function withCopied(steps: TensorSteps, taken: readonly number[]): TensorSteps {
  const ofSteps = known.get(steps) ?? new Map<string, TensorSteps>();
  known.set(steps, ofSteps);
  const key = taken.join();
  const copying = ofSteps.get(key) ?? { ...steps, run: (call: TensorCall) => copiedInto(steps, taken, call) };
  ofSteps.set(key, copying);
  return copying;
}

function copiedInto(steps: TensorSteps, taken: readonly number[], call: TensorCall): Int32Array {
  const computed = steps.run(call);
  const codes = int32s('data' in computed ? computed.data : computed, (code) => code);
  const axis = axisIn(call);
  const inner = strideOf(call.output.shape.dims, axis);
  const whole = call.output.shape.dims[axis] * inner;
  let before = 0;
  for (const [i, { data, shape }] of call.inputs.entries()) {
    const own = shape.dims[axis] * inner;
    for (let from = 0, to = before; taken.includes(i) && from < data.length; from += own, to += whole)
      codes.set(data.subarray(from, from + own), to);
    before += own;
  }
  return codes;
}
