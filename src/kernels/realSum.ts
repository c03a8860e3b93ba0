import type { TensorCall } from '../nouns/kernel.js';
import type { RealForm, RealValue } from './realForm.js';
import { summed } from './steps/summed.js';

type Value = (call: TensorCall) => RealValue;
type Values = Readonly<Record<string, Value>>;

const ofSum =
  (value: Value): Value =>
  (call) =>
    value(summed(call));

const itself = ofSum((call) => {
  const { data } = call.inputs[0];
  return (i) => data[i];
});

function each(values: Values = {}): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, ofSum(value)]));
}

/** A form whose x is the sum of what is read; or, as who forgets them has it, of less. name: of the form. */
export function formOfSum(name: string, { value, others, ofCodes, alone }: RealForm): RealForm {
  const without = (input: number, called: string): Values => ({
    [`${name} without ${called}`]: (call) =>
      call.inputs.length > input
        ? value!(summed({ ...call, inputs: call.inputs.filter((_, i) => i !== input) }))
        : () => Number.NaN,
  });
  const isNorm = name.endsWith('norm');
  return {
    value: ofSum(value!),
    others: {
      ...each(others),
      ...without(1, isNorm ? 'the residual' : 'the bias before it'),
      ...(isNorm ? without(2, 'the bias before it') : {}),
    },
    ofCodes: each(ofCodes),
    alone: { ...each(alone), 'the sum itself': itself },
  };
}
