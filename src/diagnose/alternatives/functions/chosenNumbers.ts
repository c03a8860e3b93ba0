/** A choice between a number and values: another number in its place, as -1e4 where the file hides scores by -1e9. */
import { reader } from '../../../kernels/steps/call.js';
import type { TensorCall, TensorSteps } from '../../../nouns/kernel.js';
import { isQuantized } from '../../../nouns/value.js';
import { sizeOf } from '../../../tensor/shape.js';
import type { Study, TensorStudy } from '../../study/study.js';
import { hasCases } from '../cases.js';
import { mayTryFunctions } from './floatFunctions.js';

/** Of fewer places one number stands by chance. */
const FEWEST = 8;

/** By their names. */
export function chosenNumbers(study: TensorStudy): [name: string, TensorSteps][] {
  const { data, declared, subset } = study;
  if (data.op !== 'where' || isQuantized(declared.params.output) || !mayTryFunctions(study)) return [];
  if (!hasCases(study as Study, 1)) return [];
  const condition = study.outputs({ ...declared, steps: conditionOf }, subset).data;
  const values = study.values(declared);
  return [true, false].flatMap((holds): [string, TensorSteps][] => {
    const places = Array.from(condition.keys()).filter((i) => (condition[i] !== 0) === holds);
    const number = oneOf(subset.observed, places);
    const own = oneOf(values, places);
    if (places.length < FEWEST || number === null || own === null || number === own) return [];
    const text = `${Number(number.toPrecision(6))}`;
    const name = holds ? `condition ? ${text} : b` : `condition ? a : ${text}`;
    return [[name, filledWith(name, declared.steps, number, holds)]];
  });
}

/** What stands in all of these places; null: several things, or no number. */
function oneOf(values: ArrayLike<number>, places: readonly number[]): number | null {
  const first = values[places[0]];
  return Number.isFinite(first) && places.every((i) => values[i] === first) ? first : null;
}

const conditionOf: TensorSteps = { kind: 'tensor', equation: 'condition', run: (call) => conditions(call) };

function conditions(call: TensorCall): Float32Array {
  const at = reader(call, 0);
  const length = call.samples * sizeOf(call.output.shape.dims);
  return Float32Array.from({ length }, (_, i) => at(i));
}

function filledWith(name: string, own: TensorSteps, number: number, holds: boolean): TensorSteps {
  return {
    kind: 'tensor',
    equation: `${name}, of floats`,
    run(call) {
      const computed = own.run(call);
      const condition = conditions(call);
      const values = 'data' in computed ? computed.data : computed;
      return Float32Array.from(values, (v, i) => ((condition[i] !== 0) === holds ? number : v));
    },
  };
}
