/** What a capture shows of a layer, read in blocks of samples. */

import { exact, type PairedAccumulateStep } from '../../kernels/steps/accumulate.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Capture } from '../../nouns/capture.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import type { ProductLayer } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { blocks } from '../../replay/blocks.js';
import { layerRows } from '../../replay/rows.js';
import type { ReplaySession } from '../../replay/session.js';
import { sumsOfGroups } from '../../replay/sumsOfGroups.js';
import type { PairGroup } from './pairs.js';
import { emptyRange, type GrowingRange, type Range, Ranges, widen } from './range.js';

export interface Observation {
  /** Values of a channel: of samples, or of all their places. */
  readonly samples: number;
  readonly codes: Range;
  readonly codesAbove127: number;
  /** Bias included; by channel. */
  readonly accumulators: Ranges;
  /** Values whose accumulator is not exact, by saturating step and channel. */
  readonly inexact: ReadonlyMap<PairedAccumulateStep, Uint32Array>;
  /** Captured output codes by channel; null where there are none. */
  readonly outputs: Ranges | null;
}

interface Growing extends Observation {
  codesAbove127: number;
  readonly codes: GrowingRange;
}

export async function observe(
  session: ReplaySession,
  layer: ProductLayer,
  product: Product,
  { bias, saturating }: { readonly bias: Float64Array; readonly saturating: readonly PairGroup[] },
  capture: Capture,
): Promise<Observation> {
  const { outFeatures } = product;
  const run = await session.open(layer);
  const { input, perSample, of } = layerRows(run, run.input);
  const count = capture.samples * perSample;
  const captured = isQuantized(product.output) ? (capture.values.get(layer.name) ?? null) : null;
  const seen = nothingSeen(saturating, product, count, captured !== null);
  for (const [from, to] of blocks(0, count, input.features + outFeatures)) {
    const positions = product.patch && int32s({ length: to - from }, (_, i) => (from + i) % perSample);
    const data = await input.read(from, to);
    const x = { rows: to - from, cols: input.features, data, ...(positions && { positions }) } as Codes;
    addInputs(seen, x);
    addSums(seen, product, x, bias);
    if (captured) addOutputs(seen, await of(captured).read(from, to), outFeatures);
  }
  return seen;
}

function nothingSeen(groups: readonly PairGroup[], product: Product, samples: number, hasOutputs: boolean): Growing {
  const { outFeatures } = product;
  return {
    samples,
    codes: emptyRange(),
    codesAbove127: 0,
    accumulators: new Ranges(outFeatures),
    inexact: new Map(groups.map(({ step }) => [step, new Uint32Array(outFeatures)])),
    outputs: hasOutputs ? new Ranges(outFeatures) : null,
  };
}

function addInputs(seen: Growing, { data }: Codes): void {
  for (const code of data) {
    widen(seen.codes, code);
    if (code > 127) seen.codesAbove127++;
  }
}

function addSums({ accumulators, inexact }: Growing, product: Product, x: Codes, bias: Float64Array): void {
  const { outFeatures } = product;
  const sums = sumsOfGroups(exact, x, product, null).data;
  for (let i = 0; i < sums.length; i++) accumulators.widen(i % outFeatures, sums[i] + bias[i % outFeatures]);
  for (const [step, counts] of inexact) {
    const saturated = sumsOfGroups(step, x, product, null).data;
    for (let i = 0; i < sums.length; i++) if (saturated[i] !== sums[i]) counts[i % outFeatures]++;
  }
}

function addOutputs({ outputs }: Growing, codes: NumericArray, outFeatures: number): void {
  for (let i = 0; i < codes.length; i++) outputs!.widen(i % outFeatures, codes[i]);
}
