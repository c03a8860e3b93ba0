/** What a dynamic layer's input may be spread over, and what a kernel makes of the file's reduce_range. */
import { kernelNamed } from '../../kernels/named.js';
import { codesOf, type DynamicRange, quantizationOf, withRange } from '../../kernels/steps/dynamic.js';
import { RANGE_FORMULAS } from '../../kernels/steps/rangeFormulas.js';
import type { RangeGrain } from '../../nouns/chosenRange.js';
import type { ProductSteps } from '../../nouns/kernel.js';
import type { Change, ProductChange, Setup } from '../setup.js';
import type { LayerData } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { dynamicChange } from './departures.js';

/** What no layer of a runtime has: scripts take the range of other calls than the one that they quantize. */
export const OF_CALLS: readonly RangeGrain[] = ['all', 'first', 'previous', 'running'];

export const RANGES: readonly DynamicRange[] = (['batch', 'row'] as const).flatMap((grain) =>
  (['8 bits', '7 bits', 'symmetric'] as const).map((codes) => ({ grain, codes })),
);

/** A script runs a sample at a time, or a step of a sequence; where a sample is a row that is its grain already. */
export function ofSamples({ data, declared, free }: ProductStudy): DynamicRange[] {
  const { codes } = declared.steps.dynamic!;
  const { sampleOf, batches } = data.dynamic!;
  const samples = sampleOf(data.to - 1) + 1;
  if (!free || samples === data.to) return [];
  const hasSteps = batches < samples && !declared.params.patch;
  return [{ grain: 'sample', codes }, ...(hasSteps ? [{ grain: 'step', codes } as const] : [])];
}

/** The layer's own, and what a script may have in its place. */
export function grainsOf(study: ProductStudy): readonly RangeGrain[] {
  const { grain } = study.declared.steps.dynamic!;
  const others = ofSamples(study).map((range) => range.grain);
  return [...new Set<RangeGrain>([grain, 'row', 'batch', ...others])];
}

/** Every formula of what is read together by these grains, and the range of other calls. */
export function ofScripts({ declared, data }: ProductStudy, grains: readonly RangeGrain[]): DynamicRange[] {
  const { codes, choose } = declared.steps.dynamic!;
  const formulas = Object.values(RANGE_FORMULAS).filter(
    (formula) => !choose.signed && (formula !== RANGE_FORMULAS.asymmetric || choose.symmetric),
  );
  const ofCalls = data.dynamic!.batches > 1 ? OF_CALLS.map((grain) => ({ grain, codes })) : [];
  return [...ofCalls, ...grains.flatMap((grain) => formulas.map((formula) => ({ grain, codes, formula })))];
}

/** Those that give other codes than what is declared, and than one another. */
export function distinctRanges({ declared, data }: ProductStudy, ranges: readonly DynamicRange[]): DynamicRange[] {
  const own = declared.steps.dynamic!;
  const quantization = (range: Partial<DynamicRange>) =>
    quantizationOf(withRange(own, range), data.dynamic!.reduceRange);
  const known = new Set([quantization({})]);
  return ranges.filter((range) => {
    const key = quantization(range);
    return !known.has(key) && known.add(key);
  });
}

export function rangeChange(range: DynamicRange): ProductChange {
  const label = [range.codes, range.grain, range.formula?.name].filter(Boolean).join(', ');
  return dynamicChange('activation-range', label, (step) => withRange(step, range));
}

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
