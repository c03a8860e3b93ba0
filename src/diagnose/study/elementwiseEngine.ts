import type { NumericArray } from '../../nouns/array.js';
import { isQuantized } from '../../nouns/value.js';
import { elementwiseFunction, fromTable } from '../../replay/elementwise.js';
import type { ElementwiseSetup } from '../setup.js';
import { firstMissOf } from './agree.js';
import { columnsOf } from './arrays.js';
import type { Outputs, Scope } from './data.js';
import type { Engine } from './engine.js';
import { COST, type Work } from './work.js';

/** Each value from one. Nothing is worth keeping: a setup is a function of one value. */
export class ElementwiseEngine implements Engine<ElementwiseSetup> {
  readonly wholeScopes = false;

  constructor(private readonly work?: Work) {}

  outputs(setup: ElementwiseSetup, scope: Scope): Outputs {
    const { output } = setup.params;
    const values = inputValues(scope);
    this.work?.add(values.length * COST.value);
    const apply = functionOf(setup);
    const codes = fromTable(values, apply, output);
    if (codes) return { data: codes, low: null, high: null };
    const data = isQuantized(output) ? new Int32Array(values.length) : new Float32Array(values.length);
    for (let i = 0; i < data.length; i++) data[i] = apply(values[i]);
    return { data, low: null, high: null };
  }

  firstMiss(setup: ElementwiseSetup, scope: Scope): number {
    return firstMissOf(this.outputs(setup, scope), scope.observed);
  }

  readsRowsAlone({ order, within }: ElementwiseSetup): boolean {
    return !order && !within;
  }

  forget(): void {}
}

/** What each observed value of a scope is computed from. */
export function inputValues({ inputs: [{ rows, cols, data }], channels }: Scope): NumericArray {
  return channels ? columnsOf(data, rows, cols, channels) : data;
}

function functionOf({ steps, params, reads: [read], stores }: ElementwiseSetup): (value: number) => number {
  const compute = elementwiseFunction(steps, params);
  const readAndCompute = read ? (value: number) => compute(read.apply(value)) : compute;
  return stores ? (value) => stores.apply(readAndCompute(value)) : readAndCompute;
}
