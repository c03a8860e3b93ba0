import type { Product } from '../../../nouns/kernel.js';
import { float32s, float64s } from '../../../numeric/array.js';
import { wrapInt32 } from '../../../numeric/integer.js';
import type { ProductSetup } from '../../setup.js';
import { withParams } from '../../setup.js';
import type { ProductStudy } from '../../study/study.js';

/**
 * Its biases in units of sums, made at the declared scales: where a script, RTL and firmware take them and the multipliers from two
 * tables. Null: they are integers of the file, or are added behind the multiplier.
 */
export function biasInUnits({ steps, params }: ProductSetup): Int32Array | Float64Array | null {
  const bias = steps.bias.prepare(params);
  if (!params.bias || (bias.unit !== 'int32' && bias.unit !== 'accumulator')) return null;
  return bias.unit === 'int32' ? bias.values : float64s(params.bias, (_, n) => bias.add(0, n));
}

/** The same of biases that are added to reals, which RTL and firmware make integers of. */
function anyInUnits(setup: ProductSetup): Int32Array | Float64Array | null {
  const { bias, input, weightScale } = setup.params;
  if (!bias) return null;
  return (
    biasInUnits(setup) ?? float64s(bias, (b, n) => b / (input.scale * weightScale[weightScale.length === 1 ? 0 : n]))
  );
}

/** Whether its multipliers and its biases may come of two tables, of which one is wrong. */
export function takesTwoTables(study: ProductStudy, base: ProductSetup): boolean {
  return study.free && !study.data.dynamic && anyInUnits(base) !== null;
}

/** With these biases in units of sums, whatever the scales: as integers where its kernel rounds them, and as floats where it does not. */
export function withBiasInUnits(
  setup: ProductSetup,
  units: Int32Array | Float64Array,
  weightScale = setup.params.weightScale,
): ProductSetup {
  const { steps, params } = setup;
  if (units instanceof Int32Array) return withParams(setup, { bias: null, biasInt32: units, weightScale });
  const reals = float32s(units, (b, n) => b * params.input.scale * weightScale[n % weightScale.length]);
  const inUnits = (bias: Float32Array) => {
    const prepared = steps.bias.prepare({ ...params, bias, weightScale });
    return { bias, gives: (n: number) => prepared.unit === 'accumulator' && prepared.add(0, n) === units[n] };
  };
  const own = inUnits(reals);
  if (reals.every((_, n) => own.gives(n))) return withParams(setup, { bias: reals, weightScale });
  // one of its neighbours may give the same float32 in units of sums
  const tried = [own, ...[1, -1].map((away) => inUnits(moved(reals, away)))];
  const bias = reals.map((b, n) => tried.find(({ gives }) => gives(n))?.bias[n] ?? b);
  return withParams(setup, { bias, weightScale });
}

/** Other weight scales; of multipliers: in those alone. */
export function withScales(setup: ProductSetup, weightScale: Float64Array, of?: 'multipliers'): ProductSetup {
  const units = of ? anyInUnits(setup) : null;
  return units ? withBiasInUnits(setup, units, weightScale) : withParams(setup, { weightScale });
}

/** Each value so many float32 further from 0. */
function moved(values: Float32Array, away: number): Float32Array {
  const bits = new Int32Array(values.slice().buffer).map((own) => own + away);
  return new Float32Array(bits.buffer);
}

/** int64 biases of a file as the int32 ones that they are, as a rule: what changes those changes these. */
export function withNarrowBias({ biasInt64, ...params }: Product): Product {
  if (!biasInt64) return params;
  const isNarrow = biasInt64.every((b) => wrapInt32(b) === b);
  return isNarrow ? { ...params, bias: null, biasInt32: Int32Array.from(biasInt64) } : { ...params, biasInt64 };
}
