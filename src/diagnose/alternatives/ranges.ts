/** What a dynamic layer's input was spread over, against what a kernel makes of the file's reduce_range. */
import { kernelNamed } from '../../kernels/named.js';
import { codesOf, withRange } from '../../kernels/steps/dynamic.js';
import type { ProductSteps } from '../../nouns/kernel.js';
import type { Change, Setup } from '../setup.js';
import type { LayerData } from '../study/data.js';
import { dynamicChange } from './departures.js';

/** Moves any kernel to the range that a setup has; null: the layer reads codes. */
export function rangeOf(setup: Setup, { dynamic }: LayerData): Change | null {
  if (setup.kind !== 'product' || !setup.steps.dynamic || !dynamic) return null;
  const { grain, codes: own, formula } = setup.steps.dynamic;
  const seven = codesOf(setup.steps.dynamic, dynamic.reduceRange)[1] === 127;
  const codes = own === 'symmetric' ? own : seven ? '7 bits' : '8 bits';
  return dynamicChange('activation-range', codes, (step) =>
    withRange(step, { grain, codes, ...(formula && { formula }) }),
  );
}

/** What reduce_range has to be in the file for a kernel to give what a setup does; undefined: what it is, or nothing does. */
export function neededReduceRange(kernel: string | null, setup: Setup, layer: LayerData): boolean | undefined {
  if (kernel === null || setup.kind !== 'product' || !setup.steps.dynamic || !layer.dynamic) return undefined;
  const steps = kernelNamed(kernel)?.ops[layer.op] as ProductSteps | undefined;
  if (steps?.dynamic?.codes !== 'asked' || setup.steps.dynamic.codes === 'symmetric') return undefined;
  const { reduceRange } = layer.dynamic;
  const seven = codesOf(setup.steps.dynamic, reduceRange)[1] === 127;
  return seven === reduceRange ? undefined : seven;
}
